"""What is right beside what is preferred: rules over known answers, and their table."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from limaflow.analysis.accuracy import KnownAnswer, read_answers
from limaflow.analysis.exhibit import Options
from limaflow.analysis.exhibits import accuracy
from limaflow.errors import InputError
from limaflow.intervals import Interval, Resampling
from limaflow.jsonl import write_json, write_records
from limaflow.judging.instrument import known
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.preferences import preferences
from limaflow.measures.summaries import GradeSummary, Preference, TaskTax
from limaflow.records import Example, Grade, Message, Response, Verdict

CAPITAL = KnownAnswer(
    prompt_id="p0",
    right=("Paris", "city of light"),
    wrong=("Lyon", "Nice"),
    subject=("France",),
    other_subjects=("Spain",),
)


@pytest.mark.parametrize(
    ("text", "first", "whole"),
    [
        ("Thank you! It is Paris. Enjoy.", True, True),
        ("PARIS", True, True),
        ("It is Paris.\nOr Lyon.", True, False),
        ("It is Lyon. No, Paris.", False, False),
        ("It is Parisian, nicely.", False, False),
        ("In Spain it is Paris.", False, False),
        ("Unlike Spain, France has Paris.", True, True),
        ("The city of light, it is.", True, True),
        ("", False, False),
    ],
)
def test_an_answer_is_right_as_a_whole_word_with_no_wrong_one_beside_it(
    text: str, first: bool, whole: bool
) -> None:
    assert (CAPITAL.first_is_right(text), CAPITAL.is_right(text)) == (first, whole)


def asked(number: int) -> Example:
    message = Message(role="user", content=f"What is it, {number}?")
    return Example(id=f"p{number}", messages=(message,), source="s", split="test")


def answers(folder: Path, *lines: str) -> Path:
    path = folder / "answers.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_answers_name_prompts_by_id_or_word_for_word(tmp_path: Path) -> None:
    path = answers(
        tmp_path,
        '{"prompt_id": "p0", "right": ["a"]}',
        '{"prompt": "What is it, 1?", "right": ["b"]}',
        '{"prompt": "Of another set?", "right": ["c"]}',
    )
    found = read_answers(path, [asked(0), asked(1)])
    assert {name: answer.right for name, answer in found.items()} == {"p0": ("a",), "p1": ("b",)}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"prompt_id": "p0", "right": []}'], r"jsonl:1: names no right answer"),
        (['{"prompt_id": "p0", "right": ["a"]}'] * 2, r"jsonl:2: prompt p0 stands twice"),
        (['{"prompt_id": "x", "right": ["a"]}'], "none of its lines names a test prompt"),
        (['{"prompt_id": "p0"}'], "jsonl:1"),
    ],
)
def test_a_mistake_in_a_file_of_answers_is_named(
    tmp_path: Path, lines: Sequence[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_answers(answers(tmp_path, *lines), [asked(0)])


RESAMPLING = Resampling(rounds=200, confidence=0.95, seed=1)


def lima_wins_three_of_four() -> list[Preference]:
    verdicts = [
        Verdict(
            prompt_id=f"p{n}", sample=0, annotator="j", first="lima", second="base",
            first_response_id=f"l{n}", second_response_id=f"b{n}",
            choice="second" if n == 0 else "first",
        )
        for n in range(4)
    ]  # fmt: skip
    return preferences(verdicts, rule="strict", resampling=RESAMPLING, comparison="lima-vs-base")


def graded_five() -> list[GradeSummary]:
    grades = [
        Grade(
            prompt_id=f"p{n}", sample=0, annotator="j", model="lima", response_id=f"l{n}",
            instrument="likert", scale="likert-6", value=5,
        )
        for n in range(4)
    ]  # fmt: skip
    return grade_summaries(grades, known(()), RESAMPLING)


def test_the_table_shows_preference_accuracy_stopping_and_length_of_each_arm(
    tmp_path: Path,
) -> None:
    def answered(arm: str, texts: Sequence[str], finish: str) -> Path:
        path = tmp_path / f"{arm}.jsonl"
        rows = [
            Response(
                prompt_id=f"p{n}", model=arm, sample=0, text=text, tokens=3, finish_reason=finish
            )
            for n, text in enumerate(texts)
        ]
        write_records(path, rows)
        return path

    paths = {
        "base": [answered("base", ["It is Paris. Or Lyon."] * 4, "length")],
        "responses": [
            answered("lima", ["It is Paris."] * 3 + ["No idea."], "stop"),
            answered("cut", ["It is Paris."] * 4, "stop"),
        ],
        "prompts": [tmp_path / "prompts.jsonl"],
        "answers": [
            answers(
                tmp_path,
                *(
                    f'{{"prompt_id": "p{n}", "right": ["Paris"], "wrong": ["Lyon"]}}'
                    for n in range(4)
                ),
            )
        ],
        "preferences": [tmp_path / "preferences.json"],
        "grades": [tmp_path / "grades.json"],
        "tax": [tmp_path / "tax.json"],
    }
    write_records(paths["prompts"][0], [asked(n) for n in range(4)])
    write_json(paths["preferences"][0], [asdict(row) for row in lima_wins_three_of_four()])
    write_json(paths["grades"][0], [asdict(row) for row in graded_five()])
    even = Interval(0.5, 0.4, 0.6)
    task = TaskTax(
        task="t", metric="acc", arm="lima", base=even, tuned=Interval(0.8, 0.7, 0.9),
        difference=even, items=9,
    )  # fmt: skip
    write_json(paths["tax"][0], [asdict(task)])
    options = Options(lima="lima", rounds=200, confidence=0.95, seed=1)
    rows = {row["arm"]: row for row in accuracy.rows(accuracy.read(paths, options))}
    assert list(rows) == ["base", "lima", "cut"]
    seen = ("first_right", "whole_right", "ended", "mean_chars", "benchmarks")
    assert [rows["base"][key] for key in seen] == [1.0, 0.0, 0.0, 21.0, 0.5]
    assert [rows["lima"][key] for key in seen] == [0.75, 0.75, 1.0, 11.0, 0.8]
    assert [rows["cut"][key] for key in seen] == [1.0, 1.0, 1.0, 12.0, None]
    assert rows["base"]["preferred_to_lima"] == pytest.approx(0.25)
    assert (rows["lima"]["grade"], rows["lima"]["instrument"]) == (5.0, "likert")
    assert (rows["cut"]["judge"], rows["cut"]["grade"]) == ("", None)
    # Without known answers and benchmarks the other columns stay.
    bare = {name: files for name, files in paths.items() if name not in ("answers", "tax")}
    (first, *_) = accuracy.rows(accuracy.read(bare, options))
    assert (first["known"], first["first_right"], first["ended"]) == (0, None, 0.0)
