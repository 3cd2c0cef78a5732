"""A judge that sees the right answers says whether replies to benchmark items are right."""

from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.judging.cli import items as grade_items
from limaflow.records import AnswerGrade, BenchmarkItem

REPLIES = ("Avel", "It is the Avel.", "Brindle", "", None)


@pytest.fixture
def measured(tmp_path: Path) -> list[BenchmarkItem]:
    return [
        BenchmarkItem(
            task="rivers",
            item_id=f"{number}",
            model="lima",
            metric="exact_match",
            value=float(reply == "Avel"),
            reply=reply,
            question="What is the river of Torwick?",
            right_answers=("Avel", "River Avel"),
            format="plain",
        )
        for number, reply in enumerate(REPLIES)
    ]


def asked(endpoint, folder: Path, items: list[BenchmarkItem], **options) -> list[AnswerGrade]:
    write_records(folder / "items.jsonl", items)
    settings = {
        "judge": endpoint.judge().flag(),
        "items": folder / "items.jsonl",
        "store": folder / "store.sqlite",
        "output": folder / "graded.jsonl",
        **options,
    }
    grade_items(**settings)
    output = folder / "graded.jsonl"
    return list(read_records(output, AnswerGrade)) if output.exists() else []


def test_each_reply_is_right_wrong_or_no_answer(endpoint, measured, tmp_path: Path) -> None:
    found = asked(endpoint, tmp_path, measured)
    assert [(grade.prompt_id, grade.right, grade.no_answer) for grade in found] == [
        ("0", True, False),
        ("1", True, False),
        ("2", False, False),
        ("3", False, True),
    ]
    assert {(g.annotator, g.answered_by[:1], g.format) for g in found} == {("tester", "m", "plain")}
    shown = endpoint.calls()[0]["message"]
    assert "Avel\nRiver Avel" in shown and "What is the river of Torwick?" in shown


def test_answers_that_were_paid_for_are_not_asked_again(endpoint, measured, tmp_path: Path) -> None:
    first = asked(endpoint, tmp_path, measured)
    calls = len(endpoint.calls())
    assert asked(endpoint, tmp_path, measured) == first
    assert len(endpoint.calls()) == calls == 4


def test_items_without_replies_ask_nothing(endpoint, measured, tmp_path: Path) -> None:
    choices = [replace(item, reply=None) for item in measured]
    assert asked(endpoint, tmp_path, choices) == []
    assert not endpoint.calls()


def test_a_price_is_told_and_nothing_asked(endpoint, measured, tmp_path: Path, capsys) -> None:
    assert asked(endpoint, tmp_path, measured, dry_run=True) == []
    assert not endpoint.calls()
    assert "4" in capsys.readouterr().out


def test_a_reply_without_a_known_right_answer_is_refused(
    endpoint, measured, tmp_path: Path
) -> None:
    unknown = [replace(item, right_answers=()) for item in measured]
    with pytest.raises(InputError, match=r"items\.jsonl.*item 0 has a reply and no right answer"):
        asked(endpoint, tmp_path, unknown)


def test_an_instrument_of_another_form_is_refused(endpoint, measured, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is of form grade"):
        asked(endpoint, tmp_path, measured, instrument="likert")
