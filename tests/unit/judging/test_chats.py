"""Dialogues judged turn by turn."""

import json
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.judging.cli import grade, turns
from limaflow.judging.delimiters import read_blocks
from limaflow.records import Example, Grade, Response

CHATS = [
    [
        ("user", "Hi"),
        ("assistant", "A good day"),
        ("user", "Why?"),
        ("assistant", "good good"),
    ],
    [("user", "Hi"), ("assistant", "What?")],
]


def written(path: Path, chats: list[list[tuple[str, str]]]) -> Path:
    rows = [{"messages": [{"role": r, "content": t} for r, t in chat]} for chat in chats]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_each_turn_of_a_model_is_graded_with_what_was_said_before(endpoint, tmp_path: Path) -> None:
    prompts, responses = tmp_path / "prompts.jsonl", tmp_path / "responses.jsonl"
    turns(written(tmp_path / "chats", CHATS), model="ours", prompts=prompts, responses=responses)
    assert len(list(read_records(prompts, Example))) == 2
    assert sorted((r.text, r.sample) for r in read_records(responses, Response)) == [
        ("A good day", 0), ("What?", 1), ("good good", 0),
    ]  # fmt: skip
    grades = tmp_path / "grades.jsonl"
    grade(
        judge=endpoint.judge().flag(),
        prompts=prompts,
        responses=responses,
        store=tmp_path / "s",
        output=grades,
    )
    assert sorted(g.value or 0 for g in read_records(grades, Grade)) == [1, 2, 3]
    shown = {call["question"] for call in endpoint.calls()}
    (dialogue,) = shown - {"Hi"}
    assert read_blocks(dialogue) == {"user": "Hi", "assistant": "A good day"}


@pytest.mark.parametrize(
    ("chat", "message"),
    [
        ([("user", "Hi")], "holds an assistant turn"),
        ([("assistant", "Hi")], "turn 1 answers no user"),
    ],
)
def test_what_holds_no_answer_is_refused(
    tmp_path: Path, chat: list[tuple[str, str]], message: str
) -> None:
    path = written(tmp_path / "chats", [chat])
    with pytest.raises(InputError, match=message):
        turns(path, model="m", prompts=tmp_path / "p", responses=tmp_path / "r")
