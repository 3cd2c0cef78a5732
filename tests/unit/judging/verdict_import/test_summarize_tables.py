"""Tables of others, imported and summarized: crowds, lengths, strengths, refusals."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError

HEAD = ["prompt_id", "first", "second", "choice", "annotator", "first_chars", "second_chars"]
Row = tuple[object, ...]


def summarized(tmp_path: Path, rows: list[Row], *flags: str) -> tuple[list[Any], list[Any], str]:
    table = tmp_path / "verdicts.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    ours = tmp_path / "verdicts.jsonl"
    repeats = [flag for flag in flags if flag == "--repeats"]
    imported = ["judge", "import", str(table), *repeats, "--output", str(ours)]
    CliRunner().invoke(app, imported, catch_exceptions=False)
    options = [flag for flag in flags if flag not in repeats]
    command = ["judge", "summarize", str(ours), "--seed", "1", "--bootstrap", "200", *options]
    command += ["--output", str(tmp_path / "out.json"), "--strengths", str(tmp_path / "bt.json")]
    outcome = CliRunner().invoke(app, command, catch_exceptions=False)
    told = [json.loads((tmp_path / name).read_text("utf-8")) for name in ("out.json", "bt.json")]
    return told[0], told[1], outcome.output


def test_a_crowd_is_pooled_within_each_prompt(tmp_path: Path) -> None:
    rows: list[Row] = [
        *((1, "a", "b", "first", who, "", "") for who in ("ann", "bob", "cem")),
        (1, "a", "b", "second", "dan", "", ""),
        (2, "b", "a", "first", "ann", "", ""),
    ]
    (crowd,), strengths, _ = summarized(tmp_path, rows, "--pool", "crowd")
    assert (crowd["judge"], crowd["prompts"]) == ("crowd", 2)
    assert crowd["win"]["estimate"] == (0.75 + 0) / 2
    assert strengths == [], "two models have no ranking"
    assert crowd["length_controlled_win"]["refused"] == "the lengths of the responses are not known"
    apart, _, _ = summarized(tmp_path, rows)
    assert [s["judge"] for s in apart] == ["ann", "bob", "cem", "dan"]


def test_lengths_of_a_table_are_controlled_for_and_told(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows: list[Row] = []
    for n in range(200):
        ours, theirs = draw.randint(100, 900), draw.randint(50, 700)
        choice = "first" if draw.random() < (0.9 if ours > theirs else 0.1) else "second"
        rows.append((n, "a", "b", choice, "j", ours, theirs))
    (s,), _, _ = summarized(tmp_path, rows)
    assert s["longer_wins"]["low"] > 0.8
    assert s["longer_by"]["estimate"] == pytest.approx(
        s["mean_chars"]["first"] - s["mean_chars"]["second"]
    )
    equal = s["length_controlled_win"]["interval"]
    assert s["adjusted_win"]["low"] > 0.5 > equal["low"]
    assert s["power"]["prompts_needed"] > 500


def test_length_that_decides_everything_is_refused_and_said(tmp_path: Path) -> None:
    rows: list[Row] = [
        *((n, "a", "b", "first", "j", 100 + n, 50) for n in range(10)),
        *((n, "a", "b", "second", "j", 100 - n, 150) for n in range(10, 20)),
    ]
    (s,), _, _ = summarized(tmp_path, rows)
    assert s["length_controlled_win"]["interval"] is None
    assert "length alone tells who wins" in s["length_controlled_win"]["refused"]


def test_more_than_two_models_are_ranked_or_the_reason_is_given(tmp_path: Path) -> None:
    draw = random.Random(2)
    pairs = [("a", "b", 0.7), ("a", "c", 0.8), ("b", "c", 0.6)]
    rows: list[Row] = [
        (n, one, other, "first" if draw.random() < win else "second", "j", "", "")
        for n in range(60)
        for one, other, win in pairs
    ]
    _, (told,), output = summarized(tmp_path, rows)
    assert sorted(told["strengths"], key=lambda m: -told["strengths"][m]["estimate"]) == [*"abc"]
    assert (told["judge"], told["prompts"]) == ("j", 60)
    assert "Bradley–Terry (j): a +" in output
    unbeaten = [(*row[:3], "first", *row[4:]) if row[1] == "a" else row for row in rows]
    _, (told,), output = summarized(tmp_path, unbeaten)
    assert told["strengths"] == {}
    assert "'b', 'c' never won or tied against 'a' (separation)" in output
    assert told["estimates"] == {}


def test_strengths_that_few_resamples_determine_are_told_without_intervals(tmp_path: Path) -> None:
    won = ["ab", "bc", "ca", "ab", "ac"]
    rows: list[Row] = [(n, *pair, "first", "j", "", "") for n, pair in enumerate(won)]
    _, (told,), output = summarized(tmp_path, rows)
    assert (sorted(told["estimates"]), told["strengths"]) == ([*"abc"], {})
    assert sum(told["estimates"].values()) == pytest.approx(0)
    assert "; no intervals: " in output and "of the resamples determine no value" in output


def test_what_stands_twice_is_another_reading_where_that_is_asked_for(tmp_path: Path) -> None:
    rows: list[Row] = [
        (1, "a", "b", "first", "ann", 9, 7),
        (1, "a", "b", "tie", "ann", 9, 7),
        (2, "b", "a", "first", "ann", 8, 9),
    ]
    with pytest.raises(InputError, match=r"verdict 2 .* stands twice .*--repeats"):
        summarized(tmp_path, rows)
    (s,), _, _ = summarized(tmp_path, rows, "--repeats")
    assert (s["prompts"], s["win"]["estimate"], s["tie"]["estimate"]) == (2, 0.25, 0.25)


def test_lengths_of_a_part_are_refused(tmp_path: Path) -> None:
    rows: list[Row] = [(1, "a", "b", "first", "j", 9, 7), (2, "a", "b", "tie", "j", "", 7)]
    with pytest.raises(InputError, match="the lengths of 1 of 4 judged responses are not known"):
        summarized(tmp_path, rows)
