"""The answer of the first page, and of the terminal, is made by the numbers."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.intervals import Interval
from limaflow.jsonl import write_json
from limaflow.report.answer import Answer, ArmRow, answer_of
from limaflow.report.answer_text import as_text
from limaflow.results import Results

PROJECT = Path(__file__).parents[3]


def row(**given: Any) -> ArmRow:
    known: dict[str, Any] = {
        "arm": "lima",
        "about": "",
        "grade": None,
        "right": None,
        "tax": None,
        "chars": None,
    }
    return ArmRow(**{"is_lima": False, **known, **given})


def claims_of(experiment: Path) -> Any:
    text = Results(experiment / "results").analysis("claims").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture
def answer(experiment: Path) -> Answer:
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    return answer_of(Results(experiment / "results"), config)


def test_the_sentence_says_gain_and_cost_of_what_was_measured(answer: Answer) -> None:
    assert re.match(
        r"40 examples made the responses preferred to the base’s on \d+% of 60 prompts, and worse "
        r"on \d+%; benchmark scores .* points.* over 1 benchmark task\.$",
        answer.sentence,
    )
    assert [card.title.split(":")[0] for card in answer.cards] == ["Gain", "Cost", "Check"]
    assert [arm.arm for arm in answer.arms] == ["base", "base-in-context", "few", "lima"]


def test_the_verdict_is_that_of_the_claim(experiment: Path, tmp_path: Path) -> None:
    results = Results(tmp_path)
    claims = claims_of(experiment)
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    for verdict, says in (
        ("supported", "Yes: no tax was found."),
        ("contradicted", "No: a tax was paid."),
        ("undecided", "It is not decided."),
        ("not tested here", "It was not tested."),
    ):
        for claim in claims["claims"]:
            if claim["id"] == "no-tax":
                claim["verdict"] = verdict
        write_json(results.analysis("claims"), claims)
        assert answer_of(results, config).verdict == says


def test_a_verdict_on_other_tasks_than_the_mean_is_said(experiment: Path, tmp_path: Path) -> None:
    shutil.copytree(experiment / "results", tmp_path / "results")
    results = Results(tmp_path / "results")
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    assert "The verdict rests on" not in answer_of(results, config).cards[1].text
    claims = claims_of(experiment)
    (claim,) = [claim for claim in claims["claims"] if claim["id"] == "no-tax"]
    claim["measured"][0] |= {
        "label": "mean of two, one left out",
        "interval": {"estimate": -0.5, "low": -0.6, "high": -0.4},
    }
    write_json(results.analysis("claims"), claims)
    said = answer_of(results, config).cards[1].text
    assert said.endswith("The verdict rests on −50.0 [−60.0, −40.0]: mean of two, one left out.")


def test_a_study_without_measurements_says_so(experiment: Path, tmp_path: Path) -> None:
    results = Results(tmp_path)
    claims = claims_of(experiment)
    write_json(results.analysis("claims"), {**claims, "claims": []})
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    bare = answer_of(results, config)
    assert (bare.verdict, bare.cards) == ("It was not tested.", [])
    assert bare.sentence == "Nothing was measured that bears on it."


def test_in_a_terminal_nothing_is_wider_than_80_columns(answer: Answer) -> None:
    wide = row(
        arm="an-arm-with-a-name-that-is-longer-than-anybody-would-like-to-write",
        about="1,000 examples, epoch 10 of 15",
        grade=Interval(5.1, 5.0, 5.2),
        right=Interval(0.5, 0.4, 0.6),
        tax=Interval(-34.3, -38.6, -29.9),
        chars=1234.0,
    )
    text = as_text(replace(answer, arms=[*answer.arms, wide]), miniature=True)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("MINIATURE")
    assert "−34.3 [−38.6, −29.9]" in text


def test_a_column_that_nothing_fills_is_left_out(answer: Answer) -> None:
    text = as_text(replace(answer, arms=[row(grade=Interval(2.0, 1.0, 3.0))]), miniature=False)
    assert text.splitlines()[-2:] == ["arm   grade", "lima   2.00"]


def test_the_command_prints_it_from_a_finished_study(experiment: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(experiment / "results", results)
    config = merged([PROJECT / "config.yaml", experiment / "overlay.yaml"])
    write_json(results / "config.json", config)
    done = CliRunner().invoke(app, ["report", "answer", str(results)])
    assert done.exit_code == 0, done.output
    assert "Was the alignment tax a scam, here?" in done.output
