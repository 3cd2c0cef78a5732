"""A response cut after its first sentence or paragraph, by a rule that asks no model."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.generation.cutting import cut, cut_responses, parts
from limaflow.jsonl import read_records, write_records
from limaflow.records import Response


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("It is Avel. Besides, eat.", "It is Avel."),
        ("- Sable\nWhat is the craft of Kellow?", "- Sable"),
        ("\n\nAnswer: tanning.\nQuestion: why?", "Answer: tanning."),
        ("1. Wash it. 2. Dry it.", "1. Wash it."),
        ("He asked “Why?” and left. So?", "He asked “Why?”"),
        ("It costs 3.50 today. Tomorrow more.", "It costs 3.50 today."),
        ("no end at all", "no end at all"),
        ("", ""),
        ("42", "42"),
    ],
)
def test_a_sentence_ends_at_a_mark_or_with_its_line_once_it_holds_a_word(
    text: str, sentence: str
) -> None:
    assert cut(text, "sentence") == sentence


def test_a_paragraph_ends_at_an_empty_line() -> None:
    assert cut("One.\nTwo.\n \nThree.", "paragraph") == "One.\nTwo."
    assert cut("One. Two.", "paragraph") == "One. Two."


@given(st.text(), st.sampled_from(["sentence", "paragraph"]))
def test_parts_lose_nothing_but_space_and_a_cut_text_is_cut(text: str, at) -> None:
    assert "".join("".join(parts(text, at)).split()) == "".join(text.split())
    assert cut(cut(text, at), at) == cut(text, at)
    assert text.strip().startswith(cut(text, at))


def response(text: str, finish: str = "length") -> Response:
    return Response(
        prompt_id=text, model="base", sample=0, text=text, tokens=9, finish_reason=finish
    )


def test_a_cut_response_counts_as_ended_and_names_what_it_was_cut_from(tmp_path: Path) -> None:
    source, output = tmp_path / "base.jsonl", tmp_path / "base-cut.jsonl"
    write_records(source, [response("One. Two"), response("One and no end")])
    assert cut_responses(source, "base-cut", "sentence", output) == (2, 1)
    by_text = {row.text: row for row in read_records(output, Response)}
    assert by_text.keys() == {"One.", "One and no end"}
    assert {row.model for row in by_text.values()} == {"base-cut"}
    assert by_text["One."].finish_reason == "stop"
    assert by_text["One and no end"].finish_reason == "length"
    assert by_text["One."].decoding == {"cut": "sentence", "cut_from": "base", "shortened": True}
    outcome = CliRunner().invoke(
        app,
        ["generate", "cut", "--name", "c", "--at", "sentence", f"--output={output}", str(source)],
    )
    assert "2 responses, 1 of them cut after their first sentence" in outcome.output
