"""Responses of a local model: what they depend on, when they end, and what a kill costs."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from architectures import written
from response_jobs import PAPER, asking, response_job, twelve_prompts
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, MistralForCausalLM

from limaflow.errors import InputError
from limaflow.generation import local, served
from limaflow.generation import respond as respond_module
from limaflow.generation.prompting import Format, Prompt, answer_text, encoded
from limaflow.generation.respond import ResponseJob, respond
from limaflow.generation.shots import choose_shots, given_shots
from limaflow.jsonl import read_records, write_json, write_records
from limaflow.records import Example, Message, ModelManifest, Response, example_id
from limaflow.training.conversation import add_dialogue_tokens

GREEDY = PAPER.model_copy(update={"temperature": 0.0, "repetition_penalty": 1.0})


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """12 prompts of different lengths."""
    return twelve_prompts(tmp_path / "prompts.jsonl")


@pytest.fixture
def job_of(tiny_base: Path, prompts: Path, tmp_path: Path) -> Callable[..., ResponseJob]:
    """A job of the tiny base model, changed in places."""

    def job(**changes: object) -> ResponseJob:
        return replace(response_job(tiny_base, prompts, tmp_path / "responses.jsonl"), **changes)

    return job


def test_a_response_does_not_depend_on_its_batch_or_on_the_prompts_order(
    job_of: Callable[..., ResponseJob], prompts: Path, tmp_path: Path
) -> None:
    respond(job_of())
    expected = (tmp_path / "responses.jsonl").read_bytes()
    respond(job_of(batch=1))
    assert (tmp_path / "responses.jsonl").read_bytes() == expected

    examples = list(read_records(prompts, Example))
    random.Random(1).shuffle(examples)
    write_records(prompts, examples)
    respond(job_of(batch=5))
    assert (tmp_path / "responses.jsonl").read_bytes() == expected


def test_samples_and_seeds_differ_and_records_are_sorted(
    job_of: Callable[..., ResponseJob], tmp_path: Path
) -> None:
    respond(job_of())
    first = list(read_records(tmp_path / "responses.jsonl", Response))
    keys = [(r.prompt_id, r.sample) for r in first]
    assert keys == sorted(keys)
    assert len({r.text for r in first}) == len(first) == 24
    respond(job_of(seed=8))
    second = list(read_records(tmp_path / "responses.jsonl", Response))
    assert not {r.text for r in first} & {r.text for r in second}
    assert first[0].decoding["seed"] == 7
    assert first[0].decoding["reproducible"] is True


def test_greedy_decoding_is_that_of_transformers(
    job_of: Callable[..., ResponseJob], tiny_base: Path, prompts: Path, tmp_path: Path
) -> None:
    respond(job_of(decoding=GREEDY, samples=1))
    found = {r.prompt_id: r.text for r in read_records(tmp_path / "responses.jsonl", Response)}
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    for example in read_records(prompts, Example):
        asked = tokenizer(example.prompt + "\n", return_tensors="pt")
        whole = model.generate(**asked, do_sample=False, max_new_tokens=24)
        answer = whole[0, asked["input_ids"].shape[1] :]
        text = tokenizer.decode(answer, skip_special_tokens=True)
        assert found[example.id] == text.strip()


@pytest.mark.parametrize("batch", [12, 4])
def test_finished_rows_are_not_paid_for_and_what_waits_takes_their_places(
    tiny_base: Path, prompts: Path, batch: int
) -> None:
    model = local.load(str(tiny_base.parent / "model"), None, "fp32")
    # A tenth of the vocabulary ends a response, so that rows end at different times.
    model = replace(model, stops=frozenset(range(0, 400, 10)))
    rows_computed: list[int] = []

    def count(_module: object, arguments: tuple, _keywords: dict) -> None:
        rows_computed.append(len(arguments[0]))

    model.model.register_forward_pre_hook(count, with_kwargs=True)
    wanted = encoded(list(read_records(prompts, Example)), model.tokenizer, "raw", context=128)
    rows = list(
        local.respond(
            model, [(p, 0) for p in wanted], decoding=PAPER, style="raw", batch=batch, seed=3
        )
    )
    lengths = [len(row.tokens) for row in rows]
    assert len(set(lengths)) > 3
    assert sum(rows_computed) == sum(lengths)
    assert max(rows_computed) == batch
    assert {r.finish_reason for r in rows if len(r.tokens) < 24} == {"stop"}
    # Without joining, each batch would be decoded to the end of its longest row.
    by_prompt = [len(row.tokens) for row in sorted(rows, key=lambda r: -len(r.prompt.tokens))]
    alone = sum(max(by_prompt[start : start + batch]) for start in range(0, 12, batch))
    assert len(rows_computed) <= alone


@pytest.mark.parametrize("window", [None, 16])
def test_a_window_of_attention_changes_nothing_of_it(
    tiny_base: Path, prompts: Path, window: int | None
) -> None:
    plain = local.load(str(tiny_base.parent / "model"), None, "fp32")
    torch.manual_seed(0)
    settings = MistralConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=window,
    )
    model = replace(
        plain,
        model=MistralForCausalLM(settings).eval(),
        stops=frozenset(range(0, 400, 10)),
    )
    wanted = encoded(list(read_records(prompts, Example)), model.tokenizer, "raw", context=128)
    found = [
        {
            row.prompt.id: row.tokens
            for row in local.respond(
                model, [(p, 0) for p in wanted], decoding=PAPER, style="raw", batch=batch, seed=3
            )
        }
        for batch in (1, 4, 12)
    ]
    assert found[0] == found[1] == found[2]


def test_too_many_responses_cut_by_length_fail_by_the_keys_name_and_lose_nothing(
    job_of: Callable[..., ResponseJob], tmp_path: Path
) -> None:
    output = tmp_path / "responses.jsonl"
    with pytest.raises(InputError, match=r"95\.8%.*generation\.max_length_share 0\.3"):
        respond(job_of(max_length_share=0.3))
    assert not output.exists()
    (kept,) = tmp_path.glob(".responses.jsonl.*.kept")
    assert len(kept.read_text().splitlines()) == 24
    assert respond(job_of())[0] == 24
    assert len(output.read_text().splitlines()) == 24


def test_the_same_model_asked_the_same_again_answers_nothing_anew(
    job_of: Callable[..., ResponseJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "responses.jsonl"
    respond(job_of())
    expected = output.read_bytes()
    # The workflow deletes an output before it repeats the job.
    output.unlink()
    monkeypatch.setattr(respond_module, "_answer", pytest.fail)
    respond(job_of())
    assert output.read_bytes() == expected


def test_a_torn_line_is_answered_again_and_another_seeds_responses_are_not_taken(
    job_of: Callable[..., ResponseJob], tmp_path: Path
) -> None:
    output = tmp_path / "responses.jsonl"
    respond(job_of())
    expected = output.read_bytes()
    (kept,) = tmp_path.glob(".responses.jsonl.*.kept")
    kept.write_bytes(kept.read_bytes()[:-40])
    respond(job_of())
    assert output.read_bytes() == expected
    kept.write_bytes(expected)
    respond(job_of(seed=8))
    assert output.read_bytes() != expected


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_where_it_was(
    job_of: Callable[..., ResponseJob], prompts: Path, tiny_base: Path, tmp_path: Path
) -> None:
    long = PAPER.model_copy(update={"max_tokens": 80})
    respond(job_of(decoding=long, samples=6))
    expected = (tmp_path / "responses.jsonl").read_bytes()
    output = tmp_path / "killed" / "responses.jsonl"
    command = [
        str(Path(sys.executable).with_name("limaflow")), "generate", "respond",
        "--model", str(tiny_base), "--name", "base", "--format", "raw", "--prompts", str(prompts),
        "--decoding", long.flag(), "--samples", "6", "--seed", "7", "--batch", "2",
        "--precision", "fp32", "--max-length-share", "1", "--output", str(output),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(command, env=environment)
    lines: list[str] = []
    while len(lines) < 10:
        assert run.poll() is None
        time.sleep(0.02)
        lines = [line for f in output.parent.glob(".*.kept") for line in f.open()]
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not output.exists()
    (kept,) = output.parent.glob(".*.kept")
    done = kept.read_bytes()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"| {len(done.splitlines())}/72 " in again.stderr
    assert output.read_bytes() == expected


def test_a_prompt_that_leaves_no_room_is_named(
    job_of: Callable[..., ResponseJob], prompts: Path
) -> None:
    long = asking("Arlo " * 200)
    write_records(prompts, [asking("Short?"), long])
    with pytest.raises(InputError, match=f"prompt {long.id} has .* context 128"):
        respond(job_of())


def test_a_prompt_near_the_end_of_the_context_gets_what_room_there_is(
    job_of: Callable[..., ResponseJob], prompts: Path, tiny_base: Path, tmp_path: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    text = "Arlo " * 110
    write_records(prompts, [asking(text)])
    respond(job_of(decoding=GREEDY, samples=1))
    (response,) = read_records(tmp_path / "responses.jsonl", Response)
    assert response.tokens == 128 - len(tokenizer(text + "\n")["input_ids"])
    assert response.finish_reason == "length"


def test_chat_needs_a_template_and_uses_the_models_own(
    job_of: Callable[..., ResponseJob], tiny_base: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no chat template"):
        respond(job_of(style="chat"))
    folder = tmp_path / "tuned" / "model"
    shutil.copytree(tiny_base.parent / "model", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{% for m in messages %}<s>{{ m['content'] }}</s>{% endfor %}"
    tokenizer.save_pretrained(folder)
    write_json(tmp_path / "tuned" / "model.json", ModelManifest(model="tuned", path="model"))
    (prompt,) = encoded([asking("Hi?")], tokenizer, "chat", context=128)
    assert tokenizer.decode(prompt.tokens) == "<s>Hi?</s>"
    assert respond(job_of(model=tmp_path / "tuned" / "model.json", style="chat"))[0] == 24


def test_an_empty_thought_is_no_part_of_an_answer() -> None:
    assert answer_text("<think>\n\n</think>\n\nYes.", "chat") == "Yes."
    for kept in ("<think>Hm.</think> Yes.", "It is <think></think>."):
        assert answer_text(kept, "chat") == kept
    assert answer_text("<think></think> Yes.", "raw") == "<think></think> Yes."


def test_a_turn_that_the_template_refuses_is_named_by_its_prompt(tiny_base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    add_dialogue_tokens(tokenizer)
    question = asking("Hi?")
    system = Message(role="system", content="Be brief.")
    prompt = replace(question, messages=(system, *question.messages))
    with pytest.raises(InputError, match=f"prompt {question.id}: .*there is no system turn"):
        encoded([prompt], tokenizer, "chat", context=128)


@pytest.mark.parametrize("name", ["gpt2", "bloom", "lfm2", "qwen3-next", "falcon-h1", "gemma3"])
def test_rows_of_any_architecture_leave_a_batch_and_change_nothing(
    name: str, tiny_base: Path, tmp_path: Path
) -> None:
    base = written(name, tmp_path, like=tiny_base.parent / "model")
    # Many ends, so that rows leave at different times.
    running = replace(
        local.load(str(base.parent / "model"), None, "fp32"), stops=frozenset(range(60))
    )
    generator = torch.Generator().manual_seed(1)
    prompts = [
        Prompt(str(length), tuple(torch.randint(60, 390, (length,), generator=generator).tolist()))
        for length in (3, 21, 9, 34, 14)
    ]

    def rows(wanted: list[Prompt], batch: int) -> dict[str, list[int]]:
        found = local.respond(
            running, [(p, 0) for p in wanted], decoding=PAPER, style="raw", batch=batch, seed=1
        )
        return {row.prompt.id: row.tokens for row in found}

    alone: dict[str, list[int]] = {}
    for prompt in prompts:
        alone |= rows([prompt], 1)
    assert len({len(tokens) for tokens in alone.values()}) > 1
    assert rows(prompts, 4) == alone


def test_a_prompt_that_mentions_a_control_token_is_text_in_every_format_and_is_told(
    job_of: Callable[..., ResponseJob],
    tiny_base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    asked = asking("What does </s> mean, and <s>?")
    shot = asking("Is it </s>?")
    tokenizer.chat_template = "{% for m in messages %}<s>{{ m['content'] }}</s>{% endfor %}"
    forms: dict[Format, str] = {
        "chat": f"<s>{asked.prompt}</s>",
        "raw": f"<s>{asked.prompt}\n",
        "in-context": f"<s>Question: {shot.prompt}\n\nAnswer: {shot.prompt}\n\n"
        f"Question: {asked.prompt}\n\nAnswer:",
    }
    turns = (shot.prompt, shot.prompt, asked.prompt)
    forms["in-context-chat"] = "".join(f"<s>{turn}</s>" for turn in turns)
    answer = Message(role="assistant", content=shot.prompt)
    shots = [replace(shot, messages=(*shot.messages, answer))]
    for style, text in forms.items():
        (prompt,) = encoded([asked], tokenizer, style, shots=shots, context=128)
        assert tokenizer.decode(prompt.tokens) == text
        turned = {"chat": 1, "in-context-chat": 3}.get(style, 0)
        assert prompt.tokens.count(tokenizer.bos_token_id) == max(turned, 1)
        assert prompt.tokens.count(tokenizer.eos_token_id) == turned
        assert prompt.control_strings == {"<s>", "</s>"}
    prompts = tmp_path / "asked.jsonl"
    write_records(prompts, [asked, asking("Is </s> old?")], key=lambda e: e.id)
    respond(job_of(prompts=prompts))
    told = "control tokens that the 2 prompts mention, split like any other text: </s> in 2, <s> in"
    assert told in capsys.readouterr().err


def test_in_context_shots_are_the_same_for_all_prompts_fit_and_follow_the_seed(
    tiny_base: Path, tiny_examples: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    pool = list(read_records(tiny_examples / "train.jsonl", Example))
    asked = [asking("Hi?"), asking("What happens in Corra?")]
    shots = choose_shots(pool, asked, tokenizer, count=2, room=110, seed=1)
    assert shots == choose_shots(pool[::-1], asked, tokenizer, count=2, room=110, seed=1)
    assert shots != choose_shots(pool, asked, tokenizer, count=2, room=110, seed=2)
    prompts = encoded(asked, tokenizer, "in-context", shots=shots, context=110)
    text = tokenizer.decode(prompts[0].tokens, skip_special_tokens=True)
    assert text.count("Question:") == 3
    assert text.startswith(f"Question: {shots[0].prompt}\n\nAnswer: {shots[0].response}\n\n")
    assert text.endswith("Question: Hi?\n\nAnswer:")
    with pytest.raises(InputError, match="of 9 in-context examples fit"):
        choose_shots(pool, asked, tokenizer, count=9, room=110, seed=1)


def test_in_context_shots_are_the_longest_or_shortest_that_fit_or_those_given(
    tiny_base: Path, tiny_examples: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    pool = list(read_records(tiny_examples / "train.jsonl", Example))
    asked = [asking("Hi?")]
    chosen = {
        way: choose_shots(pool, asked, tokenizer, count=2, room=4000, seed=1, choose=way)
        for way in ("longest", "shortest")
    }
    lengths = sorted(len(example.response) for example in pool)
    assert sorted(len(e.response) for e in chosen["longest"]) == lengths[-2:]
    assert sorted(len(e.response) for e in chosen["shortest"]) == lengths[:2]
    few = choose_shots(pool, asked, tokenizer, count=4, room=160, seed=1, choose="shortest")
    assert sorted(len(e.response) for e in few) == lengths[:4]
    wordy = [asking(f"{'Why is it so, and why? ' * 9}{n}") for n in range(2)]
    brief = Message(role="assistant", content="So.")
    mixed = [*pool, *(replace(e, messages=(*e.messages, brief)) for e in wordy)]
    fitting = choose_shots(mixed, asked, tokenizer, count=4, room=160, seed=1, choose="shortest")
    assert not {e.id for e in fitting} & {e.id for e in wordy}
    ids = [example.id for example in chosen["longest"][::-1]]
    given = given_shots(pool, asked, tokenizer, given=ids, room=4000)
    assert [example.id for example in given] == ids
    with pytest.raises(InputError, match="nobody is not among"):
        given_shots(pool, asked, tokenizer, given=["nobody"], room=4000)
    with pytest.raises(InputError, match="there is room for 20"):
        given_shots(pool, asked, tokenizer, given=ids, room=20)


def test_in_the_models_own_template_in_context_examples_are_turns_behind_a_system_turn(
    tiny_base: Path, tiny_examples: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}<e>{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<e>"]})
    tokenizer.eos_token = "<e>"
    pool = list(read_records(tiny_examples / "train.jsonl", Example))
    told = asking("Hi?")
    told = replace(told, messages=(Message(role="system", content="Be kind."), *told.messages))
    named: dict[str, Any] = {"room": 160, "seed": 1, "style": "in-context-chat"}
    one, two = choose_shots(pool, [told], tokenizer, count=2, **named)
    (prompt,) = encoded([told], tokenizer, "in-context-chat", shots=[one, two], context=160)
    shown = "".join(f"[user]{s.prompt}<e>[assistant]{s.response}<e>" for s in (one, two))
    assert tokenizer.decode(prompt.tokens) == (f"[system]Be kind.<e>{shown}[user]Hi?<e>[assistant]")
    with pytest.raises(InputError, match=rf"take {len(prompt.tokens)} tokens, and there is room"):
        ids = [one.id, two.id]
        given_shots(pool, [told], tokenizer, given=ids, room=20, style="in-context-chat")


def test_the_record_of_a_response_after_such_turns_says_so_and_a_template_is_needed(
    job_of: Callable[..., ResponseJob], tiny_examples: Path, tmp_path: Path
) -> None:
    job = job_of(examples=tiny_examples / "train.jsonl", shots=1, style="in-context-chat")
    with pytest.raises(InputError, match="no chat template"):
        respond(job)
    folder = tmp_path / "chatting" / "model"
    shutil.copytree(job.model.parent / "model", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}</s>{% endfor %}"
    tokenizer.save_pretrained(folder)
    write_json(folder.parent / "model.json", ModelManifest(model="base", path="model"))
    respond(replace(job, model=folder.parent / "model.json"))
    responses = list(read_records(job.output, Response))
    assert {r.decoding["format"] for r in responses} == {"in-context-chat"}


def test_an_in_context_answer_ends_where_the_model_asks_itself_the_next_question() -> None:
    assert answer_text(" In Corra.\n\nQuestion: And then?", "in-context") == "In Corra."
    assert answer_text("Question: is that one?\nQuestion: no", "raw").count("Question") == 2


def test_a_dialogue_is_put_to_the_model_up_to_its_last_question(tiny_base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    said = [("user", "Hi"), ("assistant", "Hello"), ("user", "Why?"), ("assistant", "Because.")]
    turns = tuple(Message(role=role, content=text) for role, text in said)
    dialogue = Example(id=example_id(turns), messages=turns, source="t", split="test")
    (raw,) = encoded([dialogue], tokenizer, "raw", context=128)
    assert tokenizer.decode(raw.tokens, skip_special_tokens=True) == "Hi\nHello\nWhy?\n"
    (shown,) = encoded([dialogue], tokenizer, "in-context", context=128)
    assert tokenizer.decode(shown.tokens, skip_special_tokens=True) == (
        "Question: Hi\n\nAnswer: Hello\n\nQuestion: Why?\n\nAnswer:"
    )


def test_a_gpu_without_room_decodes_half_as_many_at_once_with_the_same_responses(
    tiny_base: Path,
    prompts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = local.load(str(tiny_base.parent / "model"), None, "fp32")
    examples = list(read_records(prompts, Example))
    wanted = [
        (p, s)
        for p in encoded(examples, model.tokenizer, "raw", context=model.context)
        for s in range(2)
    ]
    plain = {"decoding": PAPER, "style": "raw", "seed": 7}
    expected = {
        (r.prompt.id, r.sample): r.text for r in local.respond(model, wanted, batch=8, **plain)
    }
    original = type(model.model).forward
    steps = [0]

    def small(self: object, tokens: torch.Tensor, *rest: object, **named: object) -> object:
        steps[0] += 1
        # Later, when some rows are done and others under way.
        if len(tokens) > 3 and steps[0] > 30:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return original(self, tokens, *rest, **named)

    monkeypatch.setattr(type(model.model), "forward", small)
    rows = list(local.respond(model, wanted, batch=8, **plain))
    assert len(rows) == len(wanted)
    assert {(r.prompt.id, r.sample): r.text for r in rows} == expected
    said = capsys.readouterr().err
    assert "goes on with 4 responses at once" in said
    assert "goes on with 2 responses at once" in said


def test_a_gpu_without_room_for_one_response_is_an_error(
    tiny_base: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = local.load(str(tiny_base.parent / "model"), None, "fp32")
    wanted = [
        (p, 0)
        for p in encoded(
            list(read_records(prompts, Example)), model.tokenizer, "raw", context=model.context
        )
    ]

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(type(model.model), "forward", full)
    with pytest.raises(InputError, match=r"does not fit.*raise generation\.gpus"):
        list(local.respond(model, wanted, decoding=PAPER, style="raw", batch=8, seed=7))


def test_only_cuda_running_out_of_memory_is_answered_with_a_smaller_batch(
    tiny_base: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = local.load(str(tiny_base.parent / "model"), None, "fp32")
    wanted = [
        (p, 0)
        for p in encoded(
            list(read_records(prompts, Example)), model.tokenizer, "raw", context=model.context
        )
    ]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(type(model.model), "forward", broken)
    with pytest.raises(RuntimeError, match="device-side assert"):
        list(local.respond(model, wanted, decoding=PAPER, style="raw", batch=8, seed=7))


def test_network_trouble_is_called_that(monkeypatch: pytest.MonkeyPatch) -> None:
    for load in (lambda name: local.load(name, None, "fp32"), lambda name: served.load(name, None)):
        with pytest.raises(
            InputError, match="the network was not reached for the model some/model"
        ):
            load("some/model")
        with pytest.raises(InputError, match="no causal language model at /no/model"):
            load("/no/model")


def test_a_model_whose_layers_are_placed_one_by_one_gives_the_same_responses(
    tiny_base: Path, prompts: Path
) -> None:
    """Accelerate's hooks, as several GPUs have them, on the only device there is."""
    from accelerate import dispatch_model

    model = local.load(str(tiny_base.parent / "model"), None, "fp32")
    examples = list(read_records(prompts, Example))
    asked = encoded(examples, model.tokenizer, "raw", context=model.context)
    settings = {"decoding": PAPER, "style": "raw", "batch": 4, "seed": 7}
    wanted = [(prompt, 0) for prompt in asked]
    expected = {row.prompt.id: row.text for row in local.respond(model, wanted, **settings)}
    skipped = model.model._skip_keys_device_placement
    dispatch_model(model.model, {"": "cpu"}, skip_keys=skipped, force_hooks=True)
    assert hasattr(model.model, "_hf_hook")
    assert {row.prompt.id: row.text for row in local.respond(model, wanted, **settings)} == expected
