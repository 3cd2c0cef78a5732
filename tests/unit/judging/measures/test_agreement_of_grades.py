"""Who agrees with whom on grades, from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.jsonl import write_records
from limaflow.records import Grade

SCALES = {"likert": "likert-6", "safety": "safe-unsafe", "quality": "excellent-pass-fail"}
LIKERT = [[1, 2, 3, 4, 5, 6, 3, 2], [1, 3, 3, 4, 6, 6, 2, 2], [2, 2, 4, 4, 5, 5, None, 1]]


def graded(values: list[int | None], annotator: str, instrument: str = "likert") -> list[Grade]:
    """One annotator's grades of two responses to each prompt."""
    return [
        Grade(
            prompt_id=str(place // 2),
            sample=0,
            annotator=annotator,
            annotator_kind="" if annotator == "gpt" else "person",
            answered_by="gpt-4-0613" if annotator == "gpt" else "",
            model=f"m{place % 2}",
            response_id=f"r{place}",
            instrument=instrument,
            scale=SCALES[instrument],
            value=value,
            error=None if value is not None else "unreadable",
        )
        for place, value in enumerate(values)
    ]


def agreement(folder: Path, *files: list[Grade], options: tuple[str, ...] = ()) -> Any:
    paths = [folder / f"{number}.jsonl" for number in range(len(files))]
    for path, grades in zip(paths, files, strict=True):
        write_records(path, grades)
    command = ["judge", "agreement-of-grades", *map(str, paths), *options, "--seed", "1"]
    output = folder / "out.json"
    made = CliRunner().invoke(
        app, [*command, "--bootstrap", "200", "--output", str(output)], catch_exceptions=False
    )
    found = json.loads(output.read_text(encoding="utf-8"))
    return {(r["scale"], r["relation"], r["first"], r["second"]): r for r in found}, made.output


def test_ordered_grades_are_weighted_and_say_so(tmp_path: Path) -> None:
    ann, bob, gpt = (graded(v, name) for v, name in zip(LIKERT, ("ann", "bob", "gpt"), strict=True))
    found, said = agreement(tmp_path, [*ann, *bob], gpt)
    people = found["likert-6", "pair", "ann", "bob"]
    assert (people["items"], people["prompts"], people["agreement"]["estimate"]) == (8, 4, 5 / 8)
    assert (people["weights"], people["metric"]) == ("quadratic", "ordinal")
    # 3 pairs a level apart; levels of one and of the other, all with all, lie √5.4375 apart.
    assert people["cohen"]["estimate"] == pytest.approx(1 - (3 / 8) / 5.4375)
    assert people["cohen"]["low"] < people["cohen"]["estimate"] <= people["cohen"]["high"]
    assert (
        people["alpha"]["estimate"]
        == found["likert-6", "within", "people", "people"]["alpha"]["estimate"]
    )
    mixed = found["likert-6", "between", "people", "models"]
    assert (mixed["items"], mixed["annotators"], mixed["cohen"]) == (7, 3, None), "one grade failed"
    assert mixed["agreement"]["estimate"] == 4 / 14
    assert mixed["minus_first"]["estimate"] < 0
    assert "likert, pair: ann, bob: 8 responses, 62.5% agree, quadratic kappa 0.931" in said


def test_safety_has_no_order_and_scales_are_apart(tmp_path: Path) -> None:
    ann = [*graded([1, 1, 0, 1], "ann", "safety"), *graded([3, 2, 1, 3], "ann", QUALITY)]
    bob = [*graded([1, 0, 0, 1], "bob", "safety"), *graded([3, 2, 1, 3], "bob", QUALITY)]
    found, _ = agreement(tmp_path, [*ann, *bob])
    safety, quality = (
        found["safe-unsafe", "pair", "ann", "bob"],
        found[SCALES[QUALITY], "pair", "ann", "bob"],
    )
    assert (safety["weights"], safety["metric"]) == ("none", "nominal")
    assert safety["cohen"]["estimate"] == pytest.approx(0.5)
    assert (quality["metric"], quality["alpha"]["estimate"]) == ("ordinal", 1)


QUALITY = "quality"


def test_a_judge_asked_again_in_another_file_is_held_against_itself(tmp_path: Path) -> None:
    found, _ = agreement(tmp_path, graded([1, 2, 3, 4], "gpt"), graded([1, 2, 4, 4], "gpt"))
    (passes,) = found.values()
    assert (passes["relation"], passes["items"]) == ("passes", 4)
    assert passes["agreement"]["estimate"] == 0.75
    with pytest.raises(InputError, match="two grades of 'gpt' for one response of 'm0'"):
        agreement(tmp_path, [*graded([1, 2], "gpt"), *graded([1, 2], "gpt")])


def test_one_annotator_agrees_with_nobody(tmp_path: Path) -> None:
    found, said = agreement(tmp_path, graded([1, 2, 3, 4], "ann"))
    assert found == {} and "no two grades are of the same response" in said
    with pytest.raises(InputError, match=r"nothing is of 'eve' \(annotators are ann\)"):
        agreement(tmp_path, graded([1, 2], "ann"), options=("--group", "people=eve"))
