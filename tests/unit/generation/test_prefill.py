"""Answers whose beginning is given: models go on from it, and records say what was given."""

from dataclasses import replace
from pathlib import Path

import pytest
from response_jobs import PAPER, asking, response_job
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.endpoints.settings import Budget
from limaflow.errors import InputError
from limaflow.generation.ask_endpoint import _request, ask
from limaflow.generation.prompting import Format, Prompt, encoded, response_text
from limaflow.generation.recorded_responses import adopt
from limaflow.generation.respond import respond
from limaflow.generation.settings import AskedEndpoint, Decoding
from limaflow.jsonl import read_records, write_records
from limaflow.prompt_tags import Tags
from limaflow.records import Example, Response, example_id
from limaflow.training.conversation import add_dialogue_tokens

GREEDY = PAPER.model_copy(update={"temperature": 0.0, "repetition_penalty": 1.0})
ENDPOINT = {"name": "gpt", "model": "served", "base_url": "http://127.0.0.1:1/v1"}


def begun(text: str, prefill: str) -> Example:
    plain = asking(text)
    tags = Tags(prefill=prefill, attack="prefill")
    return replace(plain, id=example_id(plain.messages, tags), tags=tags)


def test_a_model_goes_on_from_what_is_given_as_from_words_of_its_own(
    tiny_base: Path, tmp_path: Path
) -> None:
    prompts, output = tmp_path / "prompts.jsonl", tmp_path / "responses.jsonl"
    write_records(prompts, [asking("What of goats?"), begun("What of goats?", "They eat")])
    respond(response_job(tiny_base, prompts, output, decoding=GREEDY, samples=1))
    found = {bool(r.decoding.get("prefill")): r for r in read_records(output, Response)}
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    asked = tokenizer("What of goats?\nThey eat", return_tensors="pt")
    whole = model.generate(**asked, do_sample=False, max_new_tokens=24)
    after = tokenizer.decode(whole[0], skip_special_tokens=True).removeprefix("What of goats?\n")
    assert found[True].text == after.strip()
    assert found[True].text.startswith("They eat")
    assert found[True].decoding["prefill"] == "They eat"
    assert found[True].tokens <= 24
    assert "prefill" not in found[False].decoding


@pytest.mark.parametrize("style", ["raw", "chat", "in-context"])
def test_what_is_given_stands_last_in_every_format_and_makes_no_control_token(
    style: Format, tiny_base: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    add_dialogue_tokens(tokenizer)
    given = f"Sure, {tokenizer.eos_token} is"
    examples = [asking("What of goats?"), begun("What of goats?", given)]
    shots = [] if style != "in-context" else [_answered()]
    plain, prefilled = encoded(examples, tokenizer, style, shots=shots, context=512)
    assert plain.prefill == "" and prefilled.prefill == given
    assert tokenizer.decode(prefilled.tokens).endswith(given)
    assert prefilled.tokens.count(tokenizer.eos_token_id) == plain.tokens.count(
        tokenizer.eos_token_id
    )


def _answered() -> Example:
    from limaflow.records import Message

    shot = asking("What of sheep?")
    return replace(shot, messages=(*shot.messages, Message(role="assistant", content="They eat.")))


def test_a_response_is_what_was_given_and_what_followed_up_to_the_next_question() -> None:
    prompt = Prompt("p", (1,), prefill="Sure, here is")
    assert response_text(prompt, " a plan.\n\nQuestion: and", "in-context") == (
        "Sure, here is a plan."
    )
    assert response_text(prompt, "", "chat") == "Sure, here is"
    assert response_text(Prompt("p", (1,)), " a plan. ", "raw") == "a plan."


def test_an_endpoint_is_asked_to_go_on_only_where_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    prompts = tmp_path / "prompts.jsonl"
    example = begun("What of goats?", "Sure, here")
    write_records(prompts, [asking("What of goats?"), example])
    decoding = Decoding(
        top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=50, samples=1
    )

    def refused(**changes: object) -> str:
        with pytest.raises(InputError) as caught:
            ask(
                AskedEndpoint.model_validate({**ENDPOINT, **changes}),
                prompts,
                decoding=decoding,
                samples=1,
                seed=1,
                store=tmp_path / "store.sqlite",
                budget=Budget(),
                output=tmp_path / "responses.jsonl",
            )
        return str(caught.value)

    assert "1 prompts give the beginning of an answer" in refused()
    assert "continues: true" in refused()
    assert "the Responses API" in refused(api="responses", continues=True)

    able = AskedEndpoint.model_validate({**ENDPOINT, "continues": True})
    body = _request(able, example, 0, decoding=decoding, seed=1)
    assert body["messages"][-1] == {"role": "assistant", "content": "Sure, here"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    plain = _request(able, asking("What of goats?"), 0, decoding=decoding, seed=1)
    assert "continue_final_message" not in plain and len(plain["messages"]) == 1


def test_a_recorded_answer_to_prompts_of_one_text_wants_the_prompts_id(tmp_path: Path) -> None:
    prompts, recorded = tmp_path / "prompts.jsonl", tmp_path / "recorded.jsonl"
    asked = [asking("What of goats?"), begun("What of goats?", "Sure")]
    write_records(prompts, asked)
    recorded.write_text('{"prompt": "What of goats?", "response": "Sure, they eat."}\n')
    with pytest.raises(InputError, match="2 prompts have this text"):
        adopt("gpt", prompts, recorded, samples=1, output=tmp_path / "responses.jsonl")
    rows = [{"prompt_id": example.id, "response": "Sure, they eat."} for example in asked]
    write_records(recorded, rows)
    assert adopt("gpt", prompts, recorded, samples=1, output=tmp_path / "responses.jsonl") == 2
