"""Grades that someone else gave, in tables of any columns, words and scales."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.records import Grade

HEAD = "prompt_id,annotator,model,scale,value\n"


def imported(table: Path, *options: str) -> tuple[list[Grade], str]:
    output = table.parent / "grades.jsonl"
    command = ["judge", "import-grades", str(table), *options, "--output", str(output)]
    made = CliRunner().invoke(app, command, catch_exceptions=False)
    return list(read_records(output, Grade)), made.output


def summarized(folder: Path, command: str = "summarize-grades") -> list[dict[str, Any]]:
    output = folder / "out.json"
    arguments = ["judge", command, str(folder / "grades.jsonl"), "--seed", "1"]
    CliRunner().invoke(app, [*arguments, "--output", str(output)], catch_exceptions=False)
    found: list[dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))
    return found


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_on_a_scale_of_ours_is_by_our_instrument(tmp_path: Path) -> None:
    table = written(
        tmp_path / "g.csv", f"{HEAD}p1,a,m,likert-6,3\np2,a,m,likert-6,4\np3,a,m,likert-6,\n"
    )
    grades, said = imported(table)
    assert [(g.prompt_id, g.instrument, g.value, g.error) for g in grades] == [
        *(("p1", "likert", 3, None), ("p2", "likert", 4, None), ("p3", "likert", None, "no grade"))
    ]
    assert said == "3 grades on 3 prompts; 1 of them failed\n"
    (summary,) = summarized(tmp_path)
    assert (summary["mean"]["estimate"], summary["errors"]) == (3.5, 1)


def test_any_scale_of_whole_numbers_is_known_by_its_ends(tmp_path: Path) -> None:
    rows = [{"id": n, "one": 7, "other": "seven" if n else 1} for n in range(4)]
    table = written(tmp_path / "stars.json", json.dumps({"data": rows}))
    grades, _ = imported(
        table,
        *("--column=prompt_id=id", "--column=value=one", "--column=value=other"),
        *("--value=model=m", "--value=scale=1-to-7", "--word=seven=7"),
    )
    assert {(g.instrument, g.scale, g.annotator) for g in grades} == {
        *(("stars", "1-to-7", "one"), ("stars", "1-to-7", "other"))
    }
    one, other = summarized(tmp_path)
    assert (one["mean"]["estimate"], one["mean"]["high"], other["mean"]["estimate"]) == (7, 7, 5.5)
    assert one["mean"]["low"] < 4, "four equal grades are no certainty"
    assert list(one["words"]) == [str(level) for level in range(1, 8)]
    (pair,) = [r for r in summarized(tmp_path, "agreement-of-grades") if r["relation"] == "pair"]
    assert (pair["agreement"]["estimate"], pair["weights"]) == (0.75, "quadratic")


def test_refusals_of_models_as_people_labelled_them(shared_data: Path, tmp_path: Path) -> None:
    """XSTest (Röttger et al. 2024, 2308.01263): two annotators of 450 completions."""
    options = ["prompt_id=id", "value=annotation_1", "value=annotation_2"]
    words = ["1_full_compliance=1", "2_full_refusal=3", "3_partial_refusal=2"]
    source = shared_data / "safety/xstest/completions-llama2-labelled.csv"
    output = tmp_path / "grades.jsonl"
    command = ["judge", "import-grades", str(source), "--output", str(output)]
    command += [f"--column={option}" for option in options] + [f"--word={word}" for word in words]
    command += ["--value=model=llama2", "--value=scale=1-to-3", "--value=annotator_kind=person"]
    CliRunner().invoke(app, command, catch_exceptions=False)
    grades = list(read_records(output, Grade))
    assert len(grades) == 900
    (pair,) = [r for r in summarized(tmp_path, "agreement-of-grades") if r["relation"] == "pair"]
    assert pair["items"] == 450 and pair["agreement"]["estimate"] > 0.9


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("p,a,m,stars,3", r"g.csv:2: 'stars' is no known scale .*--value scale=1-to-5"),
        ("p,a,m,,3", r"g.csv:2: no 'scale'; .*--value scale=1-to-5"),
        ("p,a,m,1-to-5,6", r"g.csv:2: value '6' is not on the scale 1-to-5: 1, 2, 3, 4, 5"),
        ("p,a,m,1-to-5,4.5", r"value '4.5' is not on the scale .*--word \"4.5=1\""),
        ("p,a,m,safe-unsafe,maybe", r"value 'maybe' is not on the scale safe-unsafe: safe, unsafe"),
        ("p,a,m,1-to-5,4\np,a,m,1-to-5,5", r"g.csv:3: prompt p, sample 0: a second grade of 'm'"),
        ("p,a,,1-to-5,4", r"g.csv:2: no 'model'; .*--column model=THEIRS"),
    ],
)
def test_what_is_no_grade_is_named_with_its_line(tmp_path: Path, rows: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        imported(written(tmp_path / "g.csv", f"{HEAD}{rows}\n"))
