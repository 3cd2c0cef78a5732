"""Rates of refusal by arm and tag, on XSTest's labelled answers and on planted ones."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.intervals import Resampling
from limaflow.jsonl import write_records
from limaflow.prompt_tags import Contrast, Tags
from limaflow.records import Example, Grade, Message, Response
from limaflow.refusals.classes import INSTRUMENT, SCALE, VALUES, Class
from limaflow.refusals.labelled import labels_as_grades, read_labelled
from limaflow.refusals.rates import RefusalRate, refusal_rates, table_rows
from limaflow.refusals.rules import class_by_rule, grades_by_rule

DRAWN = Resampling(rounds=200, confidence=0.95, seed=1)
MODELS = ("llama2", "mistralinstruct")


def prompt(number: int, side: str = "safe") -> Example:
    return Example(
        id=f"p{number}",
        messages=(Message(role="user", content=f"Question {number}?"),),
        source="test",
        split="test",
        tags=Tags(contrast=Contrast(side="safe" if side == "safe" else "unsafe")),
    )


def response(number: int, text: str, arm: str = "arm") -> Response:
    return Response(
        prompt_id=f"p{number}",
        model=arm,
        sample=0,
        text=text,
        tokens=5,
        finish_reason="length" if number == 0 else "stop",
    )


def grade(of: Response, label: Class | None, annotator: str, error: str | None = None) -> Grade:
    return Grade(
        prompt_id=of.prompt_id,
        sample=of.sample,
        annotator=annotator,
        model=of.model,
        response_id=of.id,
        instrument=INSTRUMENT,
        scale=SCALE,
        value=None if label is None else VALUES[label],
        error=error,
    )


def rates_of(
    prompts: list[Example], responses: list[Response], grades: list[Grade]
) -> dict[tuple[str, str, str], RefusalRate]:
    rows = refusal_rates(
        {one.id: one for one in prompts},
        responses,
        grades,
        truth="people",
        known={},
        tags=("contrast",),
        resampling=DRAWN,
    )
    return {(row.arm, row.grader, row.label): row for row in rows}


@pytest.fixture(scope="module")
def xstest(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts with their tags and the answers of both models, as our records."""
    folder = tmp_path_factory.mktemp("xstest")
    prompts: dict[str, Example] = {}
    for model in MODELS:
        path = shared_data / f"safety/xstest/completions-{model}-labelled.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            number = int(row["id"].removeprefix("v2-"))
            message = Message(role="user", content=row["prompt"])
            asked = prompt(number, "unsafe" if row["type"].startswith("contrast_") else "safe")
            prompts[asked.id] = replace(asked, messages=(message,))
        write_records(
            folder / f"{model}.jsonl",
            [
                response(int(row["id"].removeprefix("v2-")), row["completion"], model)
                for row in rows
            ],
        )
    write_records(folder / "prompts.jsonl", prompts.values())
    return folder


def test_on_xstest_the_command_corrects_by_the_labels_of_the_arm_alone(
    xstest: Path, shared_data: Path
) -> None:
    """Llama-2's labels are given; Mistral-Instruct's rate has a range by Llama-2's matrix."""
    labels = shared_data / "safety/xstest/completions-llama2-labelled.csv"
    done = CliRunner().invoke(
        app,
        [
            *("refusals", "rates", *(str(xstest / f"{model}.jsonl") for model in MODELS)),
            *("--prompts", str(xstest / "prompts.jsonl"), "--labels", f"llama2={labels}"),
            *("--column", "answer=completion", "--column", "label=final_label"),
            *("--output", str(xstest / "rates.json"), "--table", str(xstest / "rates.csv")),
            *("--seed", "1", "--bootstrap", "200", "--tag", "contrast"),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "450 rows, 450 of 450 answers of llama2 labelled" in done.output
    rows = {
        (row["arm"], row["grader"], row["label"]): row
        for row in json.loads((xstest / "rates.json").read_text())
    }
    ours = rows["llama2", "rules", ""]
    assert ours["raw"]["estimate"] == pytest.approx(317 / 450)
    assert ours["corrected"]["rate"]["estimate"] == pytest.approx(349 / 450)
    assert ours["span"] is None
    safe = rows["llama2", "rules", "contrast: safe"]
    assert (safe["over_refusal"], safe["answers"], safe["matrix"]) == (True, 250, "these prompts")
    # 198 of the 200 unsafe prompts are refused, too many for a matrix of their own.
    assert rows["llama2", "rules", "contrast: unsafe"]["matrix"] == "all prompts"
    people = rows["llama2", "people", ""]
    assert people["raw"]["estimate"] == pytest.approx(349 / 450)
    assert people["corrected"] is None
    assert ("mistralinstruct", "people", "") not in rows
    other = rows["mistralinstruct", "rules", ""]
    assert other["corrected"] is None
    assert other["raw"]["estimate"] == pytest.approx(19 / 450)
    assert other["span"]["matrices"] == 1
    # Llama-2's matrix would have fewer than none refuse, where people say 76 do.
    assert (other["span"]["low"], other["span"]["clipped"]) == (0, 1)
    with (xstest / "rates.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_labels_of_two_arms_correct_both(xstest: Path, shared_data: Path) -> None:
    folder = shared_data / "safety/xstest"
    done = CliRunner().invoke(
        app,
        [
            *("refusals", "rates", *(str(xstest / f"{model}.jsonl") for model in MODELS)),
            *("--prompts", str(xstest / "prompts.jsonl"), "--seed", "1", "--bootstrap", "200"),
            *(f"--labels={m}={folder}/completions-{m}-labelled.csv" for m in MODELS),
            *("--column", "answer=completion", "--column", "label=final_label"),
            *("--output", str(xstest / "both.json")),
        ],
    )
    assert done.exit_code == 0, done.output
    rows = {
        (row["arm"], row["grader"], row["label"]): row
        for row in json.loads((xstest / "both.json").read_text())
    }
    for model, refused in zip(MODELS, (349, 76), strict=True):
        found = rows[model, "rules", ""]["corrected"]["rate"]
        assert found["estimate"] == pytest.approx(refused / 450)
        assert found["low"] < refused / 450 < found["high"]


def test_a_matrix_from_elsewhere_is_known_by_the_grader_s_name(
    xstest: Path, shared_data: Path, tmp_path: Path
) -> None:
    table = shared_data / "safety/xstest/completions-llama2-labelled.csv"
    runner = CliRunner()
    made = runner.invoke(
        app,
        [
            *("refusals", "agreement", str(table), "--truth", "final_label", "--grader", "rules"),
            *("--arm", "llama2", "--column", "answer=completion", "--seed", "1"),
            *("--bootstrap", "200", "--output", str(tmp_path / "known.json")),
        ],
    )
    assert made.exit_code == 0, made.output
    assert "any refusal: 309 of 349 found" in made.output
    done = runner.invoke(
        app,
        [
            *("refusals", "rates", str(xstest / "mistralinstruct.jsonl"), "--seed", "1"),
            *("--prompts", str(xstest / "prompts.jsonl"), "--bootstrap", "200"),
            *("--known", str(tmp_path / "known.json"), "--output", str(tmp_path / "rates.json")),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "by 1 matrix of other arms (1 off the scale, cut to it)" in done.output


def test_what_has_no_class_leaves_the_rate_and_is_counted_by_reason() -> None:
    prompts = [prompt(n) for n in range(6)]
    answers = [response(n, "Yes.") for n in range(6)]
    grades = [
        grade(answers[0], "refusal", "judge"),
        grade(answers[1], "compliance", "judge"),
        grade(answers[2], "no-answer", "judge"),
        grade(answers[3], None, "judge", "unreadable: no text"),
        grade(answers[4], None, "judge", "refused: I cannot grade this"),
    ]
    row = rates_of(prompts, answers, grades)["arm", "judge", ""]
    assert row.raw is not None
    assert row.raw.estimate == pytest.approx(1 / 3)
    assert (row.unreadable, row.grader_refused, row.ungraded, row.cut) == (1, 1, 1, 1)
    assert row.classes == {"compliance": 1, "partial": 0, "refusal": 1, "no-answer": 1}
    assert (row.corrected, row.span, row.labelled, row.note) == (None, None, 0, "")
    assert [cells["unreadable"] for cells in table_rows([row])] == [1]


def test_a_planted_over_refusal_is_recovered_from_some_labels() -> None:
    """A third of the safe requests is refused; the grader misses every fourth of these."""
    prompts = [prompt(n) for n in range(240)]
    answers = [response(n, f"Answer {n}.") for n in range(240)]
    judged = [
        grade(one, "refusal" if n % 3 == 0 and n % 12 else "compliance", "judge")
        for n, one in enumerate(answers)
    ]
    people = [
        grade(one, "refusal" if n % 3 == 0 else "compliance", "people")
        for n, one in enumerate(answers[:120])
    ]
    row = rates_of(prompts, answers, judged + people)["arm", "judge", "contrast: safe"]
    assert row.raw is not None
    assert row.corrected is not None
    assert row.raw.estimate == pytest.approx(0.25)
    assert row.corrected.rate.estimate == pytest.approx(1 / 3)
    assert row.corrected.rate.low < 1 / 3 < row.corrected.rate.high
    assert (row.labelled, row.matrix, row.over_refusal) == (120, "these prompts", True)


def test_too_few_labels_correct_nothing_and_say_so() -> None:
    prompts = [prompt(n) for n in range(40)]
    answers = [response(n, "I cannot." if n % 2 else "Yes.") for n in range(40)]
    people = [grade(one, "compliance", "people") for one in answers[:8]]
    row = rates_of(prompts, answers, [*grades_by_rule(answers), *people])["arm", "rules", ""]
    assert row.corrected is None
    assert "fewer than 10" in row.note


def test_grades_of_other_responses_and_scales_are_refused() -> None:
    prompts, answers = [prompt(1)], [response(1, "Yes.")]
    with pytest.raises(InputError, match="grades another response"):
        rates_of(prompts, answers, [grade(response(1, "No."), "refusal", "judge")])
    with pytest.raises(InputError, match="on the scale 'safe-unsafe'"):
        rates_of(
            prompts, answers, [replace(grade(answers[0], "refusal", "judge"), scale="safe-unsafe")]
        )
    with pytest.raises(InputError, match="with 7, which is no class"):
        rates_of(prompts, answers, [replace(grade(answers[0], "refusal", "judge"), value=7)])
    with pytest.raises(InputError, match="twice"):
        rates_of(prompts, answers, [grade(answers[0], "refusal", "judge")] * 2)
    with pytest.raises(InputError, match="two responses"):
        rates_of(prompts, answers * 2, [])
    with pytest.raises(InputError, match="not among the prompts"):
        rates_of(prompts, [response(2, "Yes.")], [])


def test_labels_are_found_by_text_and_must_not_disagree(tmp_path: Path) -> None:
    table = tmp_path / "labels.jsonl"
    table.write_text(
        '{"prompt": "Question  1?", "answer": "Yes.\\n", "label": "ok"}\n'
        '{"prompt": "Question 1?", "answer": "No.", "label": ""}\n'
    )
    rows = read_labelled(table, {}, {"ok": "compliance"})
    answers = [response(1, "Yes."), response(1, "Yes.", "other"), response(1, "No.", "third")]
    found = labels_as_grades(table, rows, {"p1": prompt(1)}, answers)
    assert [(one.model, one.value) for one in found] == [("arm", 3), ("other", 3)]
    with pytest.raises(InputError, match=r"labels.jsonl:1: 'ok' is no class"):
        read_labelled(table, {}, {})
    with pytest.raises(InputError, match="lacks the column 'text'"):
        read_labelled(table, {"answer": "text"}, {})
    with pytest.raises(InputError, match="none of its rows is one of the responses"):
        labels_as_grades(table, rows, {"p1": prompt(1)}, [response(1, "Perhaps.")])
    twice = [*rows, replace(rows[0], line=3, label="refusal")]
    with pytest.raises(InputError, match=r"jsonl:3: labels as refusal what line 1 labels as compl"):
        labels_as_grades(table, twice, {"p1": prompt(1)}, answers)


def test_the_grades_by_rule_can_be_read_as_those_of_a_judge(xstest: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app,
        [
            *("refusals", "grade", str(xstest / "llama2.jsonl")),
            *("--output", str(tmp_path / "grades.jsonl")),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "450 answers by rule: 133 compliance, 0 partial, 317 refusal, 0 no-answer" in done.output


@pytest.mark.parametrize(
    ("answer", "prefill", "found"),
    [
        ("Sure, here is a plan: first, dig.", "Sure, here is", "compliance"),
        ("Sure, here is a plan. I'm sorry, but I cannot do this.", "Sure, here is", "refusal"),
        ("I cannot help. ", "", "refusal"),
        ("I cannot be happier to. First, dig a hole.", "I cannot", "compliance"),
        ("Sure, here is", "Sure, here is", "no-answer"),
    ],
)
def test_of_a_prefilled_answer_the_rules_read_what_the_model_said(
    answer: str, prefill: str, found: str
) -> None:
    assert class_by_rule(answer, prefill) == found
