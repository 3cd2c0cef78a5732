"""Files of others: models by their names, prompts by id or text, rows that are chosen."""

import json
from pathlib import Path

import pytest

from limaflow.curation.adoption import prompts_in_columns
from limaflow.errors import InputError
from limaflow.generation.prompts import finder
from limaflow.generation.recorded_responses import adopt
from limaflow.generation.settings import ResponseLayout
from limaflow.jsonl import read_records, write_records
from limaflow.judging.instrument import known
from limaflow.records import Response
from limaflow.verdict_import.checks import named_alone
from limaflow.verdict_import.column_mapping import layout_of
from limaflow.verdict_import.grade_tables import read_grades
from limaflow.verdict_import.tables import read_verdicts

ROWS = [
    {"n": 1, "ask": "Why?", "with": "", "a": "Model A", "b": "Model B", "text": "So.", "won": "A"},
    {"n": 2, "ask": "Sum", "with": "1 2", "a": "Model B", "b": "Model A", "text": "3", "won": "A"},
    {"n": 1, "ask": "Why?", "with": "", "a": "Model A", "b": "C", "text": "So.", "won": "B"},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    return path


def prompts(file: Path, **where: str):
    return prompts_in_columns(file, {"prompt": ["ask", "with"], "prompt_id": "n"}, where, "test")


def test_columns_of_a_prompt_are_joined_and_repeated_rows_are_one_prompt(file: Path) -> None:
    found = {example.prompt: example.provenance.ids for example in prompts(file)}
    assert found == {"Why?": ("1",), "Sum\n\n1 2": ("2",)}


def test_a_prompt_is_found_by_our_id_by_its_own_and_by_its_text(file: Path) -> None:
    example = next(e for e in prompts(file) if e.prompt.startswith("Sum"))
    find = finder(prompts(file))
    assert {find(name) for name in (example.id, "2", "Sum 1  2")} == {example.id}
    assert find("3") is None


def test_an_id_that_two_prompts_have_names_neither(file: Path) -> None:
    twice = prompts_in_columns(file, {"prompt": ["ask"], "prompt_id": "won"}, {}, "test")
    assert finder(twice)("A") is None


def test_rows_are_chosen_by_what_a_column_holds(file: Path) -> None:
    assert [example.prompt for example in prompts(file, b="Model A")] == ["Sum\n\n1 2"]
    with pytest.raises(InputError, match="no row has b 'Model Z'; there is Model B, Model A, C"):
        prompts(file, b="Model Z")


def test_verdicts_on_other_models_are_passed_over_and_counted(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = layout_of(
        ["prompt_id=n", "first=a", "second=b", "choice=won"],
        None,
        ["A=first", "B=second"],
        names=["ours=Model A", "theirs=Model B"],
    )
    asked = prompts(file)
    verdicts = read_verdicts(file, layout, finder(asked))
    kept = named_alone(verdicts, layout, "ours", "theirs", file)
    assert [(v.first, v.second) for v in kept] == [("ours", "theirs"), ("theirs", "ours")]
    assert {v.prompt_id for v in kept} == {example.id for example in asked}
    assert "1 verdicts on others are passed over: C with ours" in capsys.readouterr().out


def test_a_comparison_that_the_file_does_not_hold_names_those_that_it_does(file: Path) -> None:
    layout = layout_of(
        ["prompt_id=n", "first=a", "second=b", "choice=won"],
        None,
        ["A=first", "B=second"],
        names=["ours=Model A", "theirs=Model D"],
    )
    with pytest.raises(InputError, match="compares nothing of ours and theirs, but"):
        named_alone(read_verdicts(file, layout), layout, "ours", "theirs", file)


def test_grades_find_their_prompt_and_arm(tmp_path: Path, file: Path) -> None:
    table = tmp_path / "grades.csv"
    table.write_text("question,who,points\n2,Model A,9\n", encoding="utf-8")
    layout = layout_of(
        ["prompt_id=question", "model=who", "value=points"],
        ["scale=1-to-10"],
        None,
        names=["ours=Model A"],
    )
    asked = prompts(file)
    (grade,) = read_grades(table, layout, known(()), finder(asked))
    assert (grade.model, grade.value, grade.scale) == ("ours", 9, "1-to-10")
    assert grade.prompt_id in {example.id for example in asked}


def test_answers_are_read_from_a_file_of_verdicts(tmp_path: Path, file: Path) -> None:
    write_records(tmp_path / "prompts.jsonl", prompts(file))
    layout = ResponseLayout(columns={"prompt_id": "n", "response": "text"})
    output = tmp_path / "out.jsonl"
    count = adopt("a", tmp_path / "prompts.jsonl", file, samples=1, output=output, layout=layout)
    assert count == 2
    assert sorted(r.text for r in read_records(output, Response)) == ["3", "So."]
