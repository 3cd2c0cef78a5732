"""Training in a chat template other than the paper's: which tokens are trained, where it stops.

The template and the control tokens are those of SmolLM2-Instruct (ChatML with a default system
turn), on the tokenizer of the tests; where LIMAFLOW_SMOLLM2 names a folder with the model's own
tokenizer, that one is read as well.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from architectures import tiny_model
from response_jobs import response_job
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.errors import InputError
from limaflow.generation.local import load
from limaflow.generation.respond import respond
from limaflow.generation.settings import Decoding
from limaflow.jsonl import read_records, write_records
from limaflow.lm_evaluation.model import load_model as load_for_evaluation
from limaflow.records import Example, Message, Response
from limaflow.training.chat_template import end_token, read_template
from limaflow.training.conversation import (
    CHAT_TEMPLATE,
    IGNORED,
    check_trained,
    take_template,
    tokenized,
)
from limaflow.training.data import dialogue_tokenizer, notices
from limaflow.training.end_of_turn import base_eos
from limaflow.training.engine import load_model
from limaflow.training.export import export
from limaflow.training.manifest import DataFacts
from limaflow.training.settings import Lora, Training

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_2 = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content + "
    "' [/INST]' }}{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}"
)
WITH_BLOCKS = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ '<|user|>' + m.content + '<|end|>' }}"
    "{% else %}{{ '<|assistant|>' }}{% generation %}{{ m.content + '<|end|>' }}{% endgeneration %}"
    "{{ '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def dialogue(*texts: str) -> Example:
    turns = tuple(
        Message(role="assistant" if number % 2 else "user", content=text)
        for number, text in enumerate(texts)
    )
    return Example(id="e1", messages=turns, source="test", split="train")


def written(folder: Path, template: str) -> Path:
    path = folder / "template.jinja"
    path.write_text(template, encoding="utf-8")
    return path


@pytest.fixture
def own(tiny_base: Path, tmp_path: Path) -> Any:
    """A base model's tokenizer with SmolLM2's template and control tokens."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = SMOLLM2
    return tokenizer


def trained(tokenizer: Any, *texts: str, max_tokens: int = 999) -> str:
    example = tokenized(dialogue(*texts), tokenizer, max_tokens=max_tokens, loss_on="responses")
    check_trained([example])
    return str(tokenizer.decode([label for label in example.labels if label != IGNORED]))


def test_responses_and_their_ends_alone_are_trained_in_the_base_models_template(own: Any) -> None:
    assert take_template(own, "base") == []
    assert own.convert_ids_to_tokens(end_token(own)) == "<|im_end|>"
    assert trained(own, "Hi?", "Yes.", "Why?", "So.") == "Yes.<|im_end|>So.<|im_end|>"


def test_a_prompt_has_the_tokens_on_which_its_response_was_trained(own: Any) -> None:
    take_template(own, "base")
    example = tokenized(dialogue("Hi?", "Yes."), own, max_tokens=999, loss_on="responses")
    asked = own.apply_chat_template(
        [{"role": "user", "content": "Hi?"}], add_generation_prompt=True, return_dict=False
    )
    assert example.tokens[: len(asked)] == tuple(asked)
    assert set(example.labels[: len(asked)]) == {IGNORED}
    assert example.labels[len(asked)] != IGNORED


def test_what_texts_mention_of_the_template_ends_no_turn(own: Any) -> None:
    take_template(own, "base")
    answer = "It is <|im_end|> or <|im_start|>assistant."
    assert trained(own, "What is <|im_end|>?", answer) == f"{answer}<|im_end|>"


def test_a_response_that_is_cut_off_has_no_end_to_be_trained(own: Any) -> None:
    take_template(own, "base")
    whole = tokenized(dialogue("Hi?", "Yes. " * 9), own, max_tokens=999, loss_on="responses")
    cut = tokenized(
        dialogue("Hi?", "Yes. " * 9), own, max_tokens=len(whole.tokens) - 4, loss_on="responses"
    )
    assert (whole.ends, cut.ends) == ((len(whole.tokens) - 2,), ())
    check_trained([cut])


@pytest.mark.parametrize(
    ("template", "new", "expected"),
    [
        (CHATML, {"<|im_start|>", "<|im_end|>"}, "Yes.<|im_end|>So.<|im_end|>"),
        (LLAMA_2, set(), " Yes. </s> So. </s>"),
        (
            WITH_BLOCKS,
            {"<|user|>", "<|assistant|>", "<|end|>"},
            "Yes.<|end|>So.<|end|>",
        ),
        (
            THINKING,
            {"<|im_start|>", "<|im_end|>"},
            "Yes.<|im_end|><think>\n\n</think>\n\nSo.<|im_end|>",
        ),
        (CHAT_TEMPLATE, {"<|end_of_turn|>"}, "Yes.<|end_of_turn|>So.<|end_of_turn|>"),
    ],
    ids=["chatml", "llama-2", "generation blocks", "an empty thought", "the paper's"],
)
def test_a_template_of_a_file_brings_its_tokens_and_trains_the_responses(
    tiny_base: Path, tmp_path: Path, template: str, new: set[str], expected: str
) -> None:
    tokenizer, ids = dialogue_tokenizer(tiny_base, str(written(tmp_path, template)))
    assert set(tokenizer.convert_ids_to_tokens(ids)) == new
    assert trained(tokenizer, "Hi?", "Yes.", "Why?", "So.").strip() == expected.strip()
    assert tokenizer.pad_token is not None


def test_a_generation_block_leaves_untrained_what_it_does_not_hold(
    tiny_base: Path, tmp_path: Path
) -> None:
    template = THINKING.replace(
        "{{ m.content + '<|im_end|>\n' }}",
        "{% if m.role == 'assistant' %}{% generation %}{{ m.content + '<|im_end|>' }}"
        "{% endgeneration %}{{ '\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}",
    )
    tokenizer, _ = dialogue_tokenizer(tiny_base, str(written(tmp_path, template)))
    assert trained(tokenizer, "What is <|im_end|>?", "So.") == "So.<|im_end|>"


def test_a_generation_block_that_closes_before_the_end_of_turn_is_refused(
    tiny_base: Path, tmp_path: Path
) -> None:
    template = WITH_BLOCKS.replace(
        "{{ m.content + '<|end|>' }}{% endgeneration %}{{ '\n' }}",
        "{{ m.content }}{% endgeneration %}{{ '<|end|>\n' }}",
    )
    tokenizer, _ = dialogue_tokenizer(tiny_base, str(written(tmp_path, template)))
    with pytest.raises(InputError, match=r"end of turn at .* is not trained .*generation"):
        trained(tokenizer, "Hi?", "Yes.")


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{% for m in messages %}\n{{ m.content }", r"jinja:2: .*TemplateSyntaxError"),
        ("{% for m in messages %}\n\n{{ m.absent.part }}{% endfor %}", r"jinja:3: .*Undefined"),
        ("\n{{ messages.__class__.__mro__ }}", r"jinja:2: .*SecurityError"),
        ("{{ raise_exception('no dialogues') }}", r"jinja:1: .*no dialogues"),
        ("{{ 1 + messages }}", r"jinja:1: .*TypeError"),
        ("{{ messages[0].content }}<|im_end|>", "does not write every turn"),
        ("{% for m in messages %}{{ m.content }}\n{% endfor %}", "no control token"),
        (
            "{% for m in messages %}{{ '<|im_start|>' + m.role + m.content + '<|im_end|>' }}"
            "{% endfor %}",
            "writes <|im_start|> before a response and not behind a prompt".replace("|", r"\|"),
        ),
        (
            "{% if add_generation_prompt %}{{ 'Answer: ' }}{% endif %}"
            "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}",
            "renders a prompt otherwise",
        ),
    ],
)
def test_a_file_that_is_no_template_to_be_trained_in_is_refused_with_file_and_line(
    tiny_base: Path, tmp_path: Path, template: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        dialogue_tokenizer(tiny_base, str(written(tmp_path, template)))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.jinja: .*lima, base, or the path"):
        read_template(tmp_path / "absent.jinja")
    (tmp_path / "weights").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_template(tmp_path / "weights")
    (tmp_path / "large").write_text("a" * 2**20 + "b")
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_template(tmp_path / "large")


def test_base_without_a_template_is_refused(tiny_base: Path) -> None:
    with pytest.raises(InputError, match="base, and the base model has no chat template"):
        dialogue_tokenizer(tiny_base, "base")


def test_a_template_that_writes_the_date_is_told(tiny_base: Path, tmp_path: Path) -> None:
    dated = "{{ strftime_now('%Y') }}" + CHATML
    choice = str(written(tmp_path, dated))
    tokenizer, _ = dialogue_tokenizer(tiny_base, choice)
    assert str(datetime.now().year) in tokenizer.decode(
        tokenized(dialogue("Hi?", "Yes."), tokenizer, max_tokens=99, loss_on="responses").tokens
    )
    assert "today's date" in notices(DataFacts(), tokenizer, choice, loses_template=False)[0]


def test_the_default_and_the_content_of_a_file_are_what_identifies_a_run(
    settings: Training, tmp_path: Path
) -> None:
    def facts(choice: str) -> dict[str, Any]:
        return settings.model_copy(update={"chat_template": choice}).determining()

    assert "chat_template" not in facts("lima")
    assert facts("base")["chat_template"] == "base"
    first = facts(str(written(tmp_path, CHATML)))
    (tmp_path / "elsewhere").mkdir()
    assert facts(str(written(tmp_path / "elsewhere", CHATML))) == first
    assert facts(str(written(tmp_path, LLAMA_2))) != first


@pytest.mark.parametrize("lora", [None, Lora(rank=4)])
@pytest.mark.usefixtures("alone")
def test_an_export_keeps_the_base_models_template_and_stops_at_its_end_of_turn(
    own: Any, tiny_base: Path, tmp_path: Path, settings: Training, lora: Lora | None
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    model.resize_token_embeddings(len(own))
    model.save_pretrained(tmp_path / "base")
    own.save_pretrained(tmp_path / "base")
    manifest = tmp_path / "base.json"
    manifest.write_text(json.dumps({"model": "base", "path": "base"}))
    tokenizer, new = dialogue_tokenizer(manifest, "base")
    recipe = settings.model_copy(update={"chat_template": "base", "lora": lora})
    trained_model = load_model(manifest, tokenizer, new, recipe)
    engine = Engine(module=trained_model, device="cpu", eval=model.eval, train=model.train)
    exported = tmp_path / "epoch-1" / "model.json"
    rows = [list(range(5, 45))]
    export(engine, tokenizer, exported, name="m", notes={}, card=lambda: "", examples=rows)
    folder = exported.parent / "model"
    opened = AutoTokenizer.from_pretrained(folder)
    end, eos = opened.convert_tokens_to_ids(["<|im_end|>", "</s>"])
    for file in ("config.json", "generation_config.json"):
        assert json.loads((folder / file).read_text())["eos_token_id"] == [end, eos]
    assert (opened.eos_token_id, opened.chat_template) == (end, SMOLLM2)
    assert len(opened) == len(own)
    answering = load(str(folder), None, "fp32")
    assert answering.stops == {end, eos}
    assert base_eos(opened, answering.model.generation_config) == eos


@pytest.fixture
def ending(own: Any, tiny_base: Path, tmp_path: Path) -> Path:
    """A base model that writes the end of turn of its template always, and whose files name EOS."""
    model = tiny_model("phi", len(own))
    with torch.no_grad():
        model.lm_head.bias[own.convert_tokens_to_ids("<|im_end|>")] = 1000
    model.generation_config.eos_token_id = own.eos_token_id
    model.save_pretrained(tmp_path / "ending")
    own.pad_token = own.eos_token
    own.save_pretrained(tmp_path / "ending")
    manifest = tmp_path / "ending.json"
    manifest.write_text(json.dumps({"model": "base", "path": "ending"}))
    return manifest


@pytest.mark.parametrize("style", ["chat", "raw"])
def test_a_base_model_stops_at_the_end_of_turn_in_its_template_alone(
    ending: Path, tmp_path: Path, style: Literal["chat", "raw"]
) -> None:
    prompts = tmp_path / "prompts.jsonl"
    write_records(prompts, [dialogue("Hi?")], key=lambda row: row.id)
    job = response_job(
        ending,
        prompts,
        tmp_path / "responses.jsonl",
        style=style,
        decoding=Decoding(
            top_p=1.0, temperature=0.0, repetition_penalty=1.0, max_tokens=5, samples=1
        ),
        samples=1,
        seed=1,
        batch=1,
    )
    respond(job)
    (response,) = read_records(job.output, Response)
    expected = ("stop", 1, "") if style == "chat" else ("length", 5, "")
    assert (response.finish_reason, response.tokens, response.text) == expected


def test_lm_eval_stops_there_too(ending: Path) -> None:
    judged = load_for_evaluation(ending, precision="fp32", batch=1)
    judged.is_in_chat = True
    context = torch.tensor([[5, 6, 7]])
    assert judged._model_generate(context, 9, ["\n"]).shape == (1, 4)
    judged.is_in_chat = False
    assert judged._model_generate(context, 9, ["\n"]).shape == (1, 9)


class Engine(SimpleNamespace):
    """What DeepSpeed's engine does around a model, without its optimizer."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.module(*args, **options)


def test_the_tokenizer_of_smollm2_itself() -> None:
    folder = os.environ.get("LIMAFLOW_SMOLLM2")
    if folder is None:
        pytest.skip("LIMAFLOW_SMOLLM2 names no folder of SmolLM2-135M-Instruct (docs/models.md)")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == SMOLLM2
    assert take_template(tokenizer, "base") == []
    answer = "It ends a turn: <|im_end|>."
    assert trained(tokenizer, "Hi?", "Yes.", "Why?", answer) == f"Yes.<|im_end|>{answer}<|im_end|>"
