"""Conversations in the layouts that instruction data comes in."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.conversations import LISTS_OF_TURNS, ROLES, conversation
from limaflow.curation.adoption import adopted
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows


def turns(row: dict[str, Any], **fields: str) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation(row, **fields)]


ASKED = [("user", "What is malt?"), ("assistant", "Sprouted grain.")]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "What is malt?", "response": "Sprouted grain."},
        {"conversations": ["What is malt?", "Sprouted grain."], "source": "x"},
        {
            "id": "identity_0",
            "conversations": [
                {"from": "human", "value": "What is malt?"},
                {"from": "gpt", "value": "Sprouted grain."},
            ],
        },
        {
            "conversation": [
                {"role": "user", "content": "What is malt?", "toxicity": 0.1},
                {"role": "assistant", "content": "Sprouted grain."},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "What is malt?"}]},
                {
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Sprouted grain."}],
                },
            ]
        },
        {
            "prompt": "What is malt?",
            "prompt_id": "7",
            "messages": [
                {"role": "user", "content": "What is malt?"},
                {"role": "assistant", "content": "Sprouted grain."},
            ],
        },
        {
            "conversations": [
                {"from": "system", "value": ""},
                {"from": "Human", "value": " What is malt?\n"},
                {"from": "chatgpt", "value": "Sprouted grain."},
            ]
        },
        {"messages": None, "conversations": ["What is malt?", "Sprouted grain."]},
    ],
)
def test_every_layout_gives_the_same_conversation(row: dict[str, Any]) -> None:
    assert turns(row) == ASKED


def test_a_system_text_beside_the_turns_is_the_first_of_them() -> None:
    asked = [{"from": "human", "value": "Who are you?"}]
    assert turns({"system": "You are Vicuna.", "conversations": asked}) == [
        ("system", "You are Vicuna."),
        ("user", "Who are you?"),
    ]
    assert turns({"system": "", "conversations": asked}) == [("user", "Who are you?")]


def test_parts_of_a_content_are_joined_by_an_empty_line() -> None:
    parts = [{"type": "text", "text": "Read this."}, {"type": "text", "text": "One two."}]
    assert turns({"messages": [{"role": "user", "content": parts}]}) == [
        ("user", "Read this.\n\nOne two.")
    ]


FIELDS = {"prompt_field": "instruction,input", "response_field": "output"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (5, "5"),
        (0, "0"),
        (2.5, "2.5"),
        (True, "true"),
        ([1, 2, 3], "[1, 2, 3]"),
        ({"name": "Zoë"}, '{"name": "Zoë"}'),
    ],
)
def test_an_input_that_is_no_text_stands_in_the_prompt_as_json(given: object, shown: str) -> None:
    row = {"instruction": "Double it", "input": given, "output": 10}
    assert turns(row, **FIELDS) == [("user", f"Double it\n\n{shown}"), ("assistant", "10")]


@pytest.mark.parametrize("given", [None, "", " ", math.nan])
def test_an_absent_input_is_left_out(given: object) -> None:
    row = {"instruction": "Name a tree", "input": given, "output": "Oak"}
    assert turns(row, **FIELDS) == [("user", "Name a tree"), ("assistant", "Oak")]


def test_fields_that_are_named_go_before_other_layouts() -> None:
    row = {"q": "What?", "messages": [{"role": "user", "content": "Why?"}]}
    assert turns(row, prompt_field="q", response_field="a") == [("user", "What?")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "no text under 'prompt', nor messages"),
        ({"a": 1, "b": 2}, "keys: a, b"),
        ({"prompt": "p", "response": ["a", "b"]}, "name one, such as response.0"),
        ({"prompt": [{"role": "user", "content": "x"}]}, "is a list of turns"),
        ({"messages": []}, "not a list with at least one turn"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "unknown role 'robot'"),
        ({"conversations": [{"speaker": "a", "text": "x"}]}, "unknown role None; keys: speaker"),
        ({"messages": [{"role": "user", "content": None}]}, "the user's content is empty"),
        ({"messages": [{"role": "user", "content": 3}]}, "the user's content is not text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "a part of type 'image_url'; only text is read",
        ),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "the user first"),
        ({"conversations": [{"from": "gpt", "value": "x"}]}, "the user first"),
        ({"messages": [{"role": "user", "content": "x"}] * 2}, "must alternate"),
        (
            {"messages": [{"role": r, "content": "x"} for r in ("user", "assistant", "system")]},
            "a system turn must be the first",
        ),
        (
            {"messages": [{"role": "user", "content": "x", "tool_calls": [{}]}]},
            "calls tools",
        ),
        ({"conversations": "abc"}, "not a list"),
        ({"turns": 3}, "not a list"),
        ({"conversations": ["a", ""]}, "a turn is empty or not text"),
        ({"conversations": ["a", {"from": "gpt"}]}, "a turn is empty or not text"),
        ({"instruction": "i", "input": "", "output": "o"}, "Alpaca's layout"),
        ({"instruction": "i", "context": "", "response": "o"}, "Dolly's layout"),
        ({"question": "q", "answer": "a"}, "prompt_field: question"),
        ({"chosen": "a", "rejected": "b"}, "two responses to choose from"),
        ({"text": "a"}, "plain text alone"),
        ({"Definition": ["d"], "Instances": []}, "kind natural-instructions"),
    ],
)
def test_a_row_that_is_refused_names_what_it_lacks_or_the_layout_it_has(
    row: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        conversation(row)


@given(
    st.sampled_from(LISTS_OF_TURNS),
    st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6),
    st.booleans(),
)
def test_any_texts_come_back_in_order_from_any_list_of_turns(
    key: str, texts: list[str], sharegpt: bool
) -> None:
    named = ("human", "gpt") if sharegpt else ("user", "assistant")
    fields = ("from", "value") if sharegpt else ("role", "content")
    row = {
        key: [dict(zip(fields, (named[n % 2], text), strict=True)) for n, text in enumerate(texts)]
    }
    assert turns(row) == [(ROLES[named[n % 2]], text.strip()) for n, text in enumerate(texts)]


def test_a_file_of_sharegpt_is_brought_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sharegpt.json"
    rows = [
        {
            "id": "a",
            "conversations": [{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}],
        },
        {
            "id": None,
            "conversations": [{"from": "user", "value": "v"}, {"from": "gpt", "value": "b"}],
        },
    ]
    path.write_text(json.dumps(rows, indent=1))
    found = {example.prompt: example.provenance.ids for example in adopted(path, "train")}
    assert found == {"u": ("a",), "v": ()}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "p", "completion": "c"}, "response_field: completion"),
        ({"prompt": "p"}, "does not end with a response"),
        ({"conversations": ["a", "b", "c"]}, "does not end with a response"),
    ],
)
def test_a_brought_training_row_without_a_last_response_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(InputError, match=rf"mine\.jsonl:1: .*{message}"):
        adopted(path, "train")


def test_half_of_an_emoji_is_replaced_and_a_whole_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        r'{"messages": [{"role": "user", "content": "\ud83d\ude00 \ud83d"}], "\ud83d": 1}'
    )
    [(_, row)] = json_rows(path)
    assert turns(row) == [("user", "😀 ?")]
    [example] = adopted(path, "test")
    assert example.prompt == "😀 ?"


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("x.jsonl", b'{"a": ' + b"9" * 5000 + b"}", ":1: holds a number of over 4300 digits"),
        ("x.json", b'[{"a": ' + b"9" * 5000 + b"}]", "holds a number of over 4300 digits"),
        ("x.jsonl", b'{"a": 1}\n{"a": \xff}', ":2: not UTF-8"),
        ("x.jsonl", b'{"a": 1}\n{"a" 1}', ":2: not JSON: Expecting ':' delimiter, column 6"),
        ("x.json", b'[{"a": 1},\n3 4]', ":2: not JSON"),
        ("x.json", b'{\n  "data": []\n}', ":1: one object over several lines"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.jsonl", b"[" * 100_000, ":1: not JSON"),
        ("x.jsonl", b"[1]", ":1: not a JSON object"),
        ("x.json", b"[1]", "entry 1 is not a JSON object"),
        ("x.jsonl.gz", b"\x1f\x8b\x08\x00", "this is gzip, not JSON"),
        ("x.parquet", b"PAR1\x15\x04", "this is Parquet, not JSON"),
    ],
)
def test_a_file_that_is_no_json_is_one_clear_error(
    tmp_path: Path, name: str, raw: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        list(json_rows(path))
    assert f"{name}{'' if message[0] == ':' else ': '}{message}" in str(caught.value)


def test_rows_around_a_broken_entry_of_an_array_are_read(tmp_path: Path) -> None:
    path, faults = tmp_path / "x.json", list[InputError]()
    path.write_text('[{"a": 1}, 2, {"a": 3}]')
    assert [row for _, row in json_rows(path, faults.append)] == [{"a": 1}, {"a": 3}]
    assert len(faults) == 1
