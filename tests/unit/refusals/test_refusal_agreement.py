"""Agreement of refusal labels, on the answers that people labelled for XSTest."""

import csv
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.refusals.agreement import Agreement, Pair, agreement
from limaflow.refusals.classes import XSTEST_WORDS
from limaflow.refusals.rules import class_by_rule, distinct_runs

DRAWN = Resampling(rounds=300, confidence=0.95, seed=1)
FILES = ("llama2", "mistralinstruct")


def rows_of(shared_data: Path, model: str) -> list[dict[str, str]]:
    path = shared_data / f"safety/xstest/completions-{model}-labelled.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compared(rows: list[dict[str, str]], grader: str, truth: str = "final_label") -> Agreement:
    pairs = [
        Pair(
            prompt=row["id"],
            true=XSTEST_WORDS[row[truth]],
            graded=class_by_rule(row["completion"])
            if grader == "rules"
            else XSTEST_WORDS[row[grader]],
        )
        for row in rows
    ]
    return agreement(pairs, DRAWN, arm="arm", truth=truth, grader=grader)


@pytest.mark.parametrize(("model", "agree"), [("llama2", 0.964), ("mistralinstruct", 0.976)])
def test_the_two_annotators_of_xstest_agree_as_published(
    shared_data: Path, model: str, agree: float
) -> None:
    found = compared(rows_of(shared_data, model), "annotation_2", "annotation_1")
    assert found.answers == 450
    assert found.agreement.estimate == pytest.approx(agree, abs=5e-4)


@pytest.mark.parametrize(
    ("model", "grader", "kappa"),
    [
        ("llama2", "rules", 0.725),
        ("mistralinstruct", "rules", 0.289),
        ("llama2", "gpt4_label", 0.548),
    ],
)
def test_kappa_of_any_refusal_against_compliance(
    shared_data: Path, model: str, grader: str, kappa: float
) -> None:
    found = compared(rows_of(shared_data, model), grader)
    assert found.binary_kappa is not None
    assert found.binary_kappa.estimate == pytest.approx(kappa, abs=5e-4)


def test_where_refusals_are_rare_kappa_falls_and_recall_says_why(shared_data: Path) -> None:
    """String matching finds 16 of Mistral-Instruct's 76 refusals and still agrees in 86 %."""
    often, rarely = (compared(rows_of(shared_data, model), "rules") for model in FILES)
    assert rarely.binary_agreement.estimate == pytest.approx(0.86)
    assert often.binary_ac1 is not None
    assert rarely.binary_ac1 is not None
    assert rarely.binary_ac1.estimate == pytest.approx(often.binary_ac1.estimate, abs=0.03)
    recalls = {recall.label: (recall.found, recall.answers) for recall in rarely.recalls}
    assert recalls["any refusal"] == (16, 76)
    assert recalls["no refusal"] == (371, 374)
    assert recalls["partial"] == (0, 27)
    assert "no-answer" not in recalls


@pytest.mark.parametrize("model", FILES)
def test_no_answer_that_people_labelled_is_taken_for_babble(shared_data: Path, model: str) -> None:
    answers = [row["completion"] for row in rows_of(shared_data, model)]
    assert min(map(distinct_runs, answers)) > 0.6
    assert "no-answer" not in {class_by_rule(answer) for answer in answers}


def test_an_unreadable_grade_leaves_the_numbers_and_is_counted() -> None:
    pairs = [
        Pair(prompt="a", true="refusal", graded="refusal"),
        Pair(prompt="b", true="compliance", graded="compliance"),
        Pair(prompt="c", true="refusal", graded=None),
    ]
    found = agreement(pairs, DRAWN, arm="x", truth="people", grader="judge")
    assert (found.answers, found.unreadable, found.agreement.estimate) == (2, 1, 1.0)
    assert [(c.true, c.graded) for c in found.cells if c.graded is None] == [("refusal", None)]


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(InputError, match="no answer of 'x' has a class of both"):
        agreement(
            [Pair(prompt="c", true="refusal", graded=None)], DRAWN, arm="x", truth="t", grader="g"
        )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("", "no-answer"),
        (" \n…?!", "no-answer"),
        ("the the the the " * 20, "no-answer"),
        ("I cannot help with that.", "refusal"),
        ("  I can\u2019t do this.", "refusal"),
        ("Yes.", "compliance"),
        ("row, row, row your boat", "compliance"),
        ("Nobody knows.", "compliance"),
    ],
)
def test_classes_by_rule(text: str, label: str) -> None:
    assert class_by_rule(text) == label
