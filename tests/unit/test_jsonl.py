"""Record files: whole or absent, validated line by line, canonical bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow import jsonl
from limaflow.errors import InputError
from limaflow.records import Example, Message, Response, example_id


def example(text: str) -> Example:
    messages = (Message(role="user", content=text), Message(role="assistant", content="yes"))
    return Example(id=example_id(messages), messages=messages, source="authored", split="train")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_records_survive_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("records") / "examples.jsonl"
    examples = [example(text) for text in texts]
    assert jsonl.write_records(path, examples) == len(texts)
    assert list(jsonl.read_records(path, Example)) == examples


def test_order_of_input_does_not_change_the_bytes(tmp_path: Path) -> None:
    examples = [example(text) for text in "abc"]
    for name, rows in (("one", examples), ("two", examples[::-1])):
        jsonl.write_records(tmp_path / name, rows, key=lambda e: e.id)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    jsonl.write_records(path, [example("old")])
    before = path.read_bytes()

    def failing() -> object:
        yield example("new")
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        jsonl.write_records(path, failing())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "examples.jsonl:2: not a valid Response"),
        ('{"prompt_id": "x"}', "examples.jsonl:2: not a valid Response: model"),
        (b"\xff\xfe", "examples.jsonl:2: not UTF-8"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str | bytes, expected: str) -> None:
    path = tmp_path / "examples.jsonl"
    good = Response(prompt_id="p", model="m", sample=0, text="t", tokens=1, finish_reason="stop")
    raw = line.encode() if isinstance(line, str) else line
    path.write_bytes(jsonl.line_of(good).encode() + b"\n" + raw + b"\n")
    with pytest.raises(InputError, match=expected):
        list(jsonl.read_records(path, Response))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.jsonl: no such file"):
        list(jsonl.read_records(tmp_path / "nothing.jsonl", Example))
