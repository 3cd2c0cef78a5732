"""Several training seeds: dots and a flag under five, in the interval from five on."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from limaflow.analysis.arm_facts import ArmFacts
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.flags import flags_of
from limaflow.analysis.grades import grade_gaps
from limaflow.analysis.quantities import Found
from limaflow.analysis.training_seeds import Spread
from limaflow.cli import app
from limaflow.jsonl import read_json, read_records, write_json, write_records
from limaflow.measures.summaries import GradeSummary, Preference, TaskTax
from limaflow.records import BenchmarkItem, Grade, Verdict

PROMPTS = 40
STUDY = ["--bootstrap", "400", "--confidence", "0.95", "--seed", "3"]


def run(*words: object) -> None:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output


def names(seeds: int) -> list[str]:
    return ["lima", *(f"lima-seed{k}" for k in range(2, seeds + 1))]


class Study:
    """Verdicts, grades and benchmark items of an arm whose seeds differ widely."""

    def __init__(self, folder: Path, seeds: int) -> None:
        self.folder = folder
        self.seeds = names(seeds)
        self.shares = [0.9 - 0.12 * k for k in range(seeds)]
        for arm, share in zip(self.seeds, self.shares, strict=True):
            wins = [i < share * PROMPTS for i in range(PROMPTS)]
            self._write(arm, wins)
        self._items("base", [i % 2 == 0 for i in range(PROMPTS)])

    def _write(self, arm: str, wins: Sequence[bool]) -> None:
        verdicts = [
            Verdict(
                prompt_id=f"p{i:02d}",
                sample=0,
                first=arm if order else "base",
                second="base" if order else arm,
                first_response_id=f"{i}",
                second_response_id=f"{i}",
                annotator="j",
                choice="first" if won == order else "second",
                reply="",
                template="t",
            )
            for i, won in enumerate(wins)
            for order in (True, False)
        ]
        write_records(self.folder / f"{arm}-vs-base.jsonl", verdicts)
        write_records(
            self.folder / f"grades-{arm}.jsonl",
            [
                Grade(
                    prompt_id=f"p{i:02d}",
                    sample=0,
                    model=arm,
                    response_id=f"{i}",
                    annotator="j",
                    instrument="likert",
                    scale="likert-6",
                    value=5 if won else 2,
                    reply="",
                    template="t",
                )
                for i, won in enumerate(wins)
            ],
        )
        self._items(arm, wins)

    def _items(self, arm: str, right: Sequence[bool]) -> None:
        (self.folder / arm).mkdir()
        write_records(
            self.folder / arm / "items.jsonl",
            [
                BenchmarkItem(task="t", item_id=f"{i}", model=arm, metric="acc", value=float(r))
                for i, r in enumerate(right)
            ],
        )

    def files(self, form: str) -> list[Path]:
        return [self.folder / form.format(arm) for arm in self.seeds]

    @property
    def further(self) -> list[str]:
        return [w for arm in self.seeds[1:] for w in ("--further-seed", f"{arm}=lima")]

    def summarize(self) -> tuple[Preference, GradeSummary, TaskTax]:
        """What the workflow makes of them, with every seed handed in."""
        place = self.folder
        run(
            *("judge", "summarize", *self.files("{}-vs-base.jsonl"), *STUDY, *self.further),
            *("--strengths", place / "strengths.json", "--output", place / "preferences.json"),
        )
        run(
            *("judge", "summarize-grades", *self.files("grades-{}.jsonl"), *STUDY, *self.further),
            *("--output", place / "grades.json"),
        )
        seeds = [w for f in self.files("{}/items.jsonl") for w in ("--seeds", f"lima={f}")]
        items = place / "lima/items.jsonl"
        run(
            *("analyze", "tax", items, "--base", place / "base/items.jsonl", *STUDY, *seeds),
            *("--output", place / "tax.json"),
        )
        (preference,) = read_json(place / "preferences.json", list[Preference])
        (grade,) = read_json(place / "grades.json", list[GradeSummary])
        (task,) = read_json(place / "tax.json", list[TaskTax])
        return preference, grade, task

    def ask_in_chat_too(self) -> None:
        """All wrong in chat, and these items stand first in the files."""
        for arm in self.seeds:
            file = self.folder / arm / "items.jsonl"
            plain = list(read_records(file, BenchmarkItem))
            chat = [replace(item, format="chat", value=0.0) for item in plain]
            write_records(file, [*chat, *plain])
            found = {"model": arm, "scores": {}, "also": {"chat": {"scores": {}}}}
            write_json(file.with_name("results.json"), {**found, "run": {"format": "plain"}})

    def spreads(self) -> list[Spread]:
        place = self.folder
        words: list[object] = []
        for flag, form in (("verdicts", "{}-vs-base.jsonl"), ("grades", "grades-{}.jsonl")):
            words += [w for file in self.files(form) for w in (f"--{flag}", file)]
        words += [w for file in self.files("{}/items.jsonl") for w in ("--items", file)]
        results = [file for file in self.files("{}/results.json") if file.exists()]
        words += [w for file in results for w in ("--results", file)]
        run(
            *("analyze", "seeds", "--merge", "strict", *self.further, *words),
            *("--preferences", place / "preferences.json", "--graded", place / "grades.json"),
            *("--tax", place / "tax.json", "--base", place / "base/items.jsonl"),
            *("--output", place / "seeds.json"),
        )
        return read_json(place / "seeds.json", list[Spread])


def test_under_five_seeds_no_summary_changes(tmp_path: Path) -> None:
    for number in (1, 4):
        (tmp_path / str(number)).mkdir()
    alone = Study(tmp_path / "1", 1).summarize()
    assert Study(tmp_path / "4", 4).summarize() == alone
    assert "lima-seed" not in (tmp_path / "4/strengths.json").read_text()


def test_from_five_seeds_on_the_interval_is_about_their_mean_and_holds_their_spread(
    tmp_path: Path,
) -> None:
    for number in (1, 5):
        (tmp_path / str(number)).mkdir()
    before = Study(tmp_path / "1", 1).summarize()
    study = Study(tmp_path / "5", 5)
    after = study.summarize()
    mean = float(np.mean([np.ceil(share * PROMPTS) / PROMPTS for share in study.shares]))
    assert after[0].adjusted_win.estimate == pytest.approx(mean)
    assert after[1].mean.estimate == pytest.approx(2 + 3 * mean)
    assert after[2].difference and after[2].difference.estimate == pytest.approx(mean - 0.5)
    pairs = [
        (before[0].adjusted_win, after[0].adjusted_win),
        (before[1].mean, after[1].mean),
        (before[2].difference, after[2].difference),
    ]
    for old, new in pairs:
        assert old and new
        assert new.high - new.low > 1.5 * (old.high - old.low)
    spreads = study.spreads()
    assert all(spread.holds_seeds for spread in spreads)


def test_every_seed_is_a_dot_beside_the_interval_of_the_first(tmp_path: Path) -> None:
    study = Study(tmp_path, 2)
    preference, grade, task = study.summarize()
    spreads = study.spreads()
    assert [(s.quantity, s.arm, s.subject) for s in spreads] == [
        *(("preference", "lima", "base"), ("grade", "lima", "likert"), ("benchmark", "lima", "t")),
    ]
    assert [s.interval for s in spreads] == [preference.adjusted_win, grade.mean, task.difference]
    assert not any(s.holds_seeds for s in spreads)
    assert [(s.arm, round(s.estimate, 3)) for s in spreads[0].seeds] == [
        *(("lima", 0.9), ("lima-seed2", 0.8)),
    ]
    figure = tmp_path / "seeds.svg"
    run("analyze", "figure", "seeds", "--input", f"seeds={tmp_path}/seeds.json", "--output", figure)
    text = figure.read_text()
    assert "interval of the first seed" in text and "further seeds" in text
    with figure.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert {row["interval_holds_seeds"] for row in rows} == {"False"}


def test_a_seeds_dot_is_of_the_main_format(tmp_path: Path) -> None:
    study = Study(tmp_path, 2)
    study.summarize()
    alone = study.spreads()
    study.ask_in_chat_too()
    assert study.spreads() == alone


def test_a_claims_flag_says_what_each_seed_came_to(tmp_path: Path) -> None:
    study = Study(tmp_path, 2)
    preference = study.summarize()[0]
    evidence = Evidence(lima="lima", arms={"lima": ArmFacts(seeds=2)}, seeds=study.spreads())
    found = Found(names={}, interval=preference.adjusted_win, arms=("lima", "base"), judge="j")
    few, by_seed = flags_of(found, evidence)
    assert (few.id, by_seed.id) == ("few-seeds", "few-seeds")
    assert "lima was trained with 2 seeds: the interval leaves out" in few.text
    assert by_seed.text == "lima by seed, base: 90.0%, 80.0%"


def test_a_difference_of_grades_is_over_seeds_from_five_on() -> None:
    def grade(model: str, prompt: int, value: int) -> Grade:
        return Grade(
            prompt_id=f"p{prompt}",
            sample=0,
            model=model,
            response_id="r",
            annotator="j",
            instrument="likert",
            scale="likert-6",
            value=value,
            reply="",
            template="t",
        )

    rows = [grade("few", p, 2) for p in range(30)]
    rows += [grade(arm, p, 6 - k) for k, arm in enumerate(names(5)) for p in range(30)]
    gaps = [
        grade_gaps(
            [row for row in rows if row.model in (*names(seeds), "few")],
            "lima",
            span=5,
            rounds=400,
            confidence=0.95,
            seed=1,
            again=dict.fromkeys(names(seeds)[1:], "lima"),
        )
        for seeds in (1, 4, 5)
    ]
    assert gaps[0] == gaps[1]
    assert [gap.difference.estimate for of in gaps for gap in of] == [4, 4, 2]
    assert gaps[2][0].difference.high - gaps[2][0].difference.low > 3
