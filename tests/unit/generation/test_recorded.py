"""Responses that were made elsewhere."""

import json
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.generation.recorded_responses import adopt
from limaflow.jsonl import read_records, write_records
from limaflow.records import Example, Message, Response, example_id


def asking(text: str) -> Example:
    messages = (Message(role="user", content=text),)
    return Example(id=example_id(messages), messages=messages, source="t", split="test")


ONE, TWO = asking("One?"), asking("Two?")


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    write_records(tmp_path / "prompts.jsonl", [ONE, TWO])
    return tmp_path / "prompts.jsonl"


def adopted(prompts: Path, samples: int, *rows: dict) -> list[Response]:
    recorded, output = prompts.with_name("recorded.jsonl"), prompts.with_name("o.jsonl")
    recorded.write_text("".join(json.dumps(row) + "\n" for row in rows))
    adopt("gpt", prompts, recorded, samples=samples, output=output)
    return list(read_records(output, Response))


def test_prompts_are_found_by_id_or_by_text(prompts: Path) -> None:
    found = adopted(
        prompts,
        1,
        {"prompt": " Two? ", "response": "b", "latency": 3},
        {"prompt_id": ONE.id, "text": "a", "finish_reason": "length", "tokens": 7},
    )
    texts = {r.prompt_id: (r.text, r.finish_reason, r.tokens) for r in found}
    assert texts == {ONE.id: ("a", "length", 7), TWO.id: ("b", "stop", 0)}
    assert {r.model for r in found} == {"gpt"}
    assert [r.prompt_id for r in found] == sorted([ONE.id, TWO.id])


def test_samples_are_counted_in_the_files_order_and_more_than_asked_are_left(
    prompts: Path,
) -> None:
    rows = [{"prompt": f"{p}?", "text": f"{p}{n}"} for n in range(3) for p in ("One", "Two")]
    found = adopted(prompts, 2, *rows)
    assert sorted(r.text for r in found) == ["One0", "One1", "Two0", "Two1"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{"prompt": "One?", "text": "a"}], "1 of 2 prompts lack"),
        (
            [{"prompt": "Three?", "text": "c"}],
            "jsonl:1: answers an unknown prompt: 'Three",
        ),
        ([{"prompt": "One?"}], "neither `text` nor `response`"),
        ([{"prompt": "One?", "text": "a", "sample": 0}] * 2, "sample 0 twice"),
        ([{"prompt": "One?", "text": 5}], "recorded.jsonl:1: not a valid Recorded: text"),
    ],
)
def test_what_does_not_fit_the_prompts_is_named(
    prompts: Path, rows: list[dict], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        adopted(prompts, 1, *rows)
    assert not prompts.with_name("o.jsonl").exists()


def test_our_own_records_can_be_adopted_under_another_name(prompts: Path) -> None:
    first = adopted(prompts, 1, {"prompt": "One?", "text": "a"}, {"prompt": "Two?", "text": "b"})
    write_records(prompts.with_name("ours.jsonl"), first)
    output = prompts.with_name("again.jsonl")
    adopt("other", prompts, prompts.with_name("ours.jsonl"), samples=1, output=output)
    again = list(read_records(output, Response))
    assert [(r.prompt_id, r.text) for r in again] == [(r.prompt_id, r.text) for r in first]
