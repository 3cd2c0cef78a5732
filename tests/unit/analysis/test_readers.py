"""Who reads the replies decides what a tax is: exact match, rules, a judge and people."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limaflow.analysis.exhibits import tax_readers
from limaflow.analysis.tax import alignment_tax
from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_records
from limaflow.lm_evaluation.adopted_grades import adopted_grades
from limaflow.lm_evaluation.adopted_items import adopted
from limaflow.lm_evaluation.settings import GradeLayout, ItemLayout
from limaflow.measures.summaries import ReaderAgreement, ReaderTax, TaskTax
from limaflow.records import AnswerGrade, BenchmarkItem

ITEMS = 200
BASE_RIGHT, TUNED_RIGHT, BARE = 120, 106, 60
"""Of 200 items: right by people for base and tuned; of the tuned model's only so many are bare."""


@pytest.fixture
def trivia(tmp_path: Path) -> Path:
    """A set like the published ones: bare answers of a base, sentences of a chat model, and what
    people say of both."""
    lines = ["question,golden,answer_base,judge_base,answer_chat,judge_chat"]
    for number in range(ITEMS):
        golden = f"Town {number}/The Town of {number}"
        base = f"town {number}" if number < BASE_RIGHT else "Nowhere"
        tuned = f"Town {number}." if number < BARE else f"I believe that it is Town {number}"
        tuned = tuned if number < TUNED_RIGHT else "I cannot say"
        people = ("True" if number < BASE_RIGHT else "False", str(number < TUNED_RIGHT))
        lines.append(f"Where is number {number}?,{golden},{base},{people[0]},{tuned},{people[1]}")
    path = tmp_path / "trivia.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*words: object) -> str:
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == 0, found.output
    return found.output


def tax_of(folder: Path, trivia: Path, *more: object) -> TaskTax:
    """By the commands that a user would type."""
    for model in ("base", "chat"):
        columns = {
            "item": "question",
            "question": "question",
            "right": "golden",
            "answer": f"answer_{model}",
            "reply": f"answer_{model}",
        }
        layout = {"task": "trivia", "columns": columns, "separator": "/", "normalize": True}
        run(
            *("benchmark", "adopt", trivia, "--name", model, "--layout", json.dumps(layout)),
            *("--results", folder / model / "results.json"),
            *("--items", folder / model / "items.jsonl"),
        )
    people = folder / "people.jsonl"
    run("benchmark", "adopt-grades", *people_of(folder, trivia), "--output", people)
    run(
        *("analyze", "tax", "--base", folder / "base/items.jsonl", folder / "chat/items.jsonl"),
        *("--bootstrap", 300, "--confidence", 0.95, "--seed", 1, "--output", folder / "tax.json"),
        *("--graded", people, *more),
    )
    (row,) = read_json(folder / "tax.json", list[TaskTax])
    return row


def people_of(folder: Path, trivia: Path) -> list[object]:
    words: list[object] = []
    for model in ("base", "chat"):
        columns = {"item": "question", "right": f"judge_{model}", "reply": f"answer_{model}"}
        layout = {"task": "trivia", "arm": model, "columns": columns}
        words += [trivia, "--layout", json.dumps(layout)]
        words += ["--items", folder / model / "items.jsonl"]
    return words


def reader(row: TaskTax, name: str) -> ReaderTax:
    return next(found for found in row.readers if found.reader == name)


def agreement(row: TaskTax, model: str, first: str, second: str) -> ReaderAgreement:
    return next(a for a in row.agreements if (a.model, a.first, a.second) == (model, first, second))


def test_a_set_with_peoples_judgments_gives_the_tax_by_match_and_by_people(
    tmp_path: Path, trivia: Path
) -> None:
    row = tax_of(tmp_path, trivia)
    assert row.difference and row.difference.estimate == pytest.approx((BARE - BASE_RIGHT) / ITEMS)
    by_people = reader(row, "people")
    assert by_people.kind == "person" and by_people.items == ITEMS
    assert by_people.difference.estimate == pytest.approx((TUNED_RIGHT - BASE_RIGHT) / ITEMS)
    assert by_people.exact_match.estimate == row.difference.estimate
    form = by_people.format
    assert form and by_people.format_loss_p
    assert form.estimate == pytest.approx((BARE - TUNED_RIGHT) / ITEMS)
    assert form.high < 0 and by_people.format_loss_p < 1e-6
    assert reader(row, "rules").difference.estimate == by_people.difference.estimate


def test_agreement_with_people_is_stated_for_each_model(tmp_path: Path, trivia: Path) -> None:
    row = tax_of(tmp_path, trivia)
    base = agreement(row, "base", "exact match", "people")
    tuned = agreement(row, "chat", "exact match", "people")
    assert (base.agreement.estimate, tuned.agreement.estimate) == (
        1.0,
        pytest.approx(1 - (TUNED_RIGHT - BARE) / ITEMS),
    )
    counts = (tuned.both_right, tuned.first_alone, tuned.second_alone, tuned.both_wrong)
    assert counts == (BARE, 0, TUNED_RIGHT - BARE, ITEMS - TUNED_RIGHT)
    assert base.cohen and base.cohen.estimate == pytest.approx(1)
    # (observed - expected) / (1 - expected), by hand.
    expected = (BARE * TUNED_RIGHT + (ITEMS - BARE) * (ITEMS - TUNED_RIGHT)) / ITEMS**2
    observed = 1 - (TUNED_RIGHT - BARE) / ITEMS
    assert tuned.cohen
    assert tuned.cohen.estimate == pytest.approx((observed - expected) / (1 - expected))
    table = tax_readers.agreement_rows([row])
    assert {(line["model"], line["second"]) for line in table} == {
        (model, other) for model in ("base", "chat") for other in ("rules", "people")
    }


def test_the_figure_names_every_reader(tmp_path: Path, trivia: Path) -> None:
    row = tax_of(tmp_path, trivia)
    tax_readers.draw(tax_readers.Read([row], 0.95), tmp_path / "readers.svg", miniature=False)
    drawn = (tmp_path / "readers.svg").read_text(encoding="utf-8")
    assert all(name in drawn for name in ("exact match", "rules", "agrees with people"))


def test_a_reader_of_a_later_task_alone_is_in_the_legend(tmp_path: Path, trivia: Path) -> None:
    row = tax_of(tmp_path, trivia)
    people = [one for one in row.readers if one.kind == "person"]
    first = replace(
        row,
        readers=tuple(one for one in row.readers if one not in people),
        agreements=tuple(a for a in row.agreements if "people" not in (a.first, a.second)),
    )
    data = tax_readers.Read([first, row], 0.95)
    tax_readers.draw(data, tmp_path / "readers.svg", miniature=False)
    drawn = (tmp_path / "readers.svg").read_text(encoding="utf-8")
    assert ">people<" in drawn
    assert "agrees with" in drawn and "or people on" in drawn


def graded(name: str, item: BenchmarkItem, right: bool | None) -> AnswerGrade:
    return AnswerGrade(
        prompt_id=item.item_id,
        sample=0,
        annotator=name,
        task=item.task,
        model=item.model,
        right=right,
        response_id=item.response_id,
    )


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, list[BenchmarkItem]]:
    items = [
        BenchmarkItem(
            task="t",
            item_id=f"{number}",
            model=model,
            metric="exact_match",
            value=float(number % 2),
            reply=f"{model} {number}",
        )
        for model in ("base", "lima")
        for number in range(20)
    ]
    paths = tmp_path / "base.jsonl", tmp_path / "lima.jsonl"
    for path in paths:
        write_records(path, [item for item in items if item.model == path.stem])
    return *paths, items


def taxes(pair: tuple[Path, Path, list[BenchmarkItem]], grades: list[AnswerGrade]) -> TaskTax:
    (row,) = alignment_tax(pair[0], [pair[1]], rounds=200, confidence=0.95, seed=1, graded=grades)
    return row


def test_replies_that_a_reader_is_unsure_of_are_left_out_and_counted(
    pair: tuple[Path, Path, list[BenchmarkItem]],
) -> None:
    grades = [
        graded("ann", item, None if item.item_id in ("3", "5") else True)
        for item in pair[2]
        if item.model == "lima" or item.item_id != "7"
    ]
    found = reader(taxes(pair, grades), "ann")
    assert (found.items, found.unsure_base, found.unsure_tuned) == (17, 3, 2)
    assert found.exact_match.estimate == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "other"}, "'other' are graded, and it was not measured"),
        ({"prompt_id": "99"}, "item 99 of 'lima' by ann is graded, and was not measured"),
        ({"response_id": "0"}, "the model replied otherwise"),
    ],
)
def test_a_grade_of_what_was_not_measured_is_refused(
    pair: tuple[Path, Path, list[BenchmarkItem]], change: dict[str, str], message: str
) -> None:
    grade = replace(graded("ann", pair[2][-1], True), **change)
    with pytest.raises(InputError, match=message):
        taxes(pair, [grade])


def test_a_reply_that_is_graded_twice_is_refused(
    pair: tuple[Path, Path, list[BenchmarkItem]],
) -> None:
    with pytest.raises(InputError, match="graded twice"):
        taxes(pair, [graded("ann", pair[2][0], True)] * 2)


def rows_of(folder: Path, *lines: str) -> Path:
    path = folder / "grades.csv"
    path.write_text("item,right,reply\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,perhaps,lima 1", r"grades\.csv:2: 'perhaps' says neither right nor wrong"),
        ("1,true,another reply", "another reply was graded than 'lima' gave"),
        ("77,true,", "task 't' of 'lima' has no item '77'"),
        ("1,true,\n1,false,", r"grades\.csv:3: people graded item 1 of 'lima' before"),
    ],
)
def test_peoples_judgments_that_cannot_be_used_are_named_with_their_line(
    pair: tuple[Path, Path, list[BenchmarkItem]], tmp_path: Path, line: str, message: str
) -> None:
    layout = GradeLayout(task="t", arm="lima")
    with pytest.raises(InputError, match=message):
        adopted_grades([(rows_of(tmp_path, line), layout)], pair[2])


def test_an_unknown_arm_is_answered_with_the_nearest(
    pair: tuple[Path, Path, list[BenchmarkItem]], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no arm 'lime' was measured.*did you mean 'lima'"):
        adopted_grades([(rows_of(tmp_path, "1,true,"), GradeLayout(task="t", arm="lime"))], pair[2])


def test_words_of_the_file_are_taken_as_the_layout_says(
    pair: tuple[Path, Path, list[BenchmarkItem]], tmp_path: Path
) -> None:
    layout = GradeLayout.model_validate(
        {"task": "t", "arm": "lima", "reader": "eva", "words": {2: "right", "x": "no answer"}}
    )
    found = adopted_grades(
        [(rows_of(tmp_path, "1,2,", "2,x,", "3,,", "4,Correct,"), layout)], pair[2]
    )
    assert [(grade.right, grade.no_answer) for grade in found] == [
        (True, False),
        (False, True),
        (None, False),
        (True, False),
    ]
    assert {grade.annotator for grade in found} == {"eva"}


def test_real_solutions_of_gsm8k_are_paired_by_a_second_reader(
    shared_data: Path, tmp_path: Path
) -> None:
    """The authors' own marks of two models, as scores and as what people say."""
    source = shared_data / "benchmarks/parity/gsm8k-example-solutions.csv"
    models = {"base": "6b_finetuning", "lima": "6b_verification"}
    items = []
    for model, column in models.items():
        layout = ItemLayout(task="gsm8k", columns={"score": column})
        own = adopted([(source, layout)], model)[1]
        write_records(tmp_path / f"{model}.jsonl", own)
        items += own
    layouts = [
        (source, GradeLayout(task="gsm8k", arm=model, columns={"right": column}))
        for model, column in models.items()
    ]
    (row,) = alignment_tax(
        tmp_path / "base.jsonl",
        [tmp_path / "lima.jsonl"],
        rounds=200,
        confidence=0.95,
        seed=1,
        graded=adopted_grades(layouts, items),
    )
    by_people = reader(row, "people")
    assert by_people.items == 1319
    assert 100 * by_people.difference.estimate == pytest.approx(39.0 - 21.7, abs=0.1)
    assert {a.agreement.estimate for a in row.agreements} == {1.0}
