"""Figures: the same numbers give the same bytes, the numbers lie beside, and nothing is hidden."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from limaflow.analysis.epochs import EpochPoint
from limaflow.analysis.figures import (
    absolute,
    epochs,
    funnel,
    preferences,
    quality,
    stacks,
    tax,
    training,
)
from limaflow.analysis.paper import paper
from limaflow.cli import app
from limaflow.curation import length_figure as lengths
from limaflow.curation.text_lengths import measure_of
from limaflow.errors import InputError
from limaflow.jsonl import write_json, write_records
from limaflow.measures.intervals import Interval
from limaflow.measures.summaries import (
    GradeSummary,
    MeanChars,
    Preference,
    Rates,
    Refusable,
    TaskTax,
)
from limaflow.records import Example, Message, Split

SHARE = Interval(0.6, 0.5, 0.7)
SMALL = Interval(0.2, 0.1, 0.3)
GRADE = Interval(4.2, 4.0, 4.5)
PREFERENCES = [
    Preference(
        comparison="gpt-4-vs-lima",
        first="gpt-4",
        second="lima",
        judge="j <b>",
        prompts=50,
        errors=0,
        win=SMALL,
        tie=SMALL,
        lose=SHARE,
        adjusted_win=SMALL,
        error_share=0.0,
        p_value=0.04,
        permutation_p_value=0.05,
        merge="strict",
        other_merge=Rates(rule="mean", win=0.6, tie=0.2, lose=0.2),
        position_consistency=None,
        same_slot=None,
        first_slot_share=None,
        longer_wins=None,
        length_controlled_win=Refusable(refused="the lengths of the responses are not known"),
        longer_by=None,
        power=None,
        mean_chars=MeanChars(first=None, second=None),
        cost=0.0,
    )
]
GRADES = [
    GradeSummary(
        model=model,
        judge="j",
        instrument="likert",
        title="How helpful is the answer?",
        scale="likert-6",
        ordered=True,
        words={str(level): str(level) for level in range(1, 7)},
        prompts=9,
        errors=0,
        mean=GRADE,
        counts={"4": 9},
        shares={},
    )
    for model in ("base", "a_$x_y$")
]
ABSOLUTE = [
    GradeSummary(
        model=model,
        judge="ann <b>",
        instrument="quality",
        title="How good is the answer?",
        scale="excellent-pass-fail",
        ordered=True,
        words={"1": "fail", "2": "pass", "3": "excellent"},
        prompts=50,
        errors=0,
        mean=SMALL,
        counts={"1": 10, "2": 10, "3": 30},
        shares={"1": SMALL, "2": SMALL, "3": SHARE},
    )
    for model in ("lima", "base")
]
POINTS = [EpochPoint(epoch=e, perplexity=9 - e, quality=GRADE) for e in (1, 2, 3)]
TAX = [
    TaskTax(task=t, metric="acc", arm=a, base=SHARE, tuned=SMALL, difference=SMALL, items=9)
    for t in ("arc", "mmlu")
    for a in ("few", "lima")
]
FUNNEL = funnel.Funnel(
    steps=(
        funnel.Step(dataset="", step="extract", source="a", came=900, stayed=100),
        funnel.Step(dataset="", step="extract", source="b", came=10, stayed=10),
        funnel.Step(dataset="", step="filter", source="a", came=100, stayed=40),
        funnel.Step(dataset="", step="filter", source="b", came=10, stayed=0),
        funnel.Step(dataset="", step="hold_out", source="b", came=4, stayed=3),
        funnel.Step(dataset="lima", step="sample", source="a", came=40, stayed=5),
        funnel.Step(dataset="lima", step="review", source="a", came=5, stayed=4),
    ),
    prompts={"dev": {}, "test": {"b": 3}},
)
LOGS: dict[str, list[training.Row]] = {
    "lima": [
        {"step": 1.0, "epoch": 1.0, "loss": 2.0, "learning_rate": 1e-5}
        | {"gradient_norm": 3.0, "dev_perplexity": None}
    ]
}

TURNS = (Message(role="user", content="q" * 9), Message(role="assistant", content="a" * 30))
EXAMPLE = Example(id="1", messages=TURNS, source="a", split="train")
SPLITS: dict[Split, list[Example]] = {"train": [EXAMPLE], "dev": [], "test": [EXAMPLE]}
NONE: dict[Split, list[Example]] = {"train": [], "dev": [], "test": []}
CHARACTERS = measure_of(None)


def draw_lengths(path: Path) -> None:
    lengths.draw(SPLITS, CHARACTERS, path, miniature=True)
    lengths.write_lengths(SPLITS, CHARACTERS, path.with_suffix(".csv"))


DRAWN: dict[str, Callable[[Path], None]] = {
    "preferences": lambda path: stacks.draw(
        preferences.bars(PREFERENCES, "lima", paper()), path, nothing="", miniature=True
    ),
    "absolute": lambda path: absolute.draw(ABSOLUTE, paper(), path, miniature=True),
    "quality": lambda path: quality.draw(GRADES, paper(), path, miniature=True),
    "epochs": lambda path: epochs.draw(POINTS, paper(), path, miniature=True),
    "tax": lambda path: tax.draw(TAX, path, miniature=True),
    "funnel": lambda path: funnel.draw(FUNNEL, path, miniature=True),
    "training": lambda path: training.draw(LOGS, path, miniature=True),
    "lengths": draw_lengths,
}
EMPTY: dict[str, Callable[[Path], None]] = {
    "preferences": lambda path: stacks.draw([], path, nothing="", miniature=False),
    "absolute": lambda path: absolute.draw([], paper(), path, miniature=False),
    "quality": lambda path: quality.draw([], paper(), path, miniature=False),
    "epochs": lambda path: epochs.draw([], paper(), path, miniature=False),
    "tax": lambda path: tax.draw([], path, miniature=False),
    "funnel": lambda path: funnel.draw(funnel.Funnel(), path, miniature=False),
    "training": lambda path: training.draw({}, path, miniature=False),
    "lengths": lambda path: lengths.draw(NONE, CHARACTERS, path, miniature=False),
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_numbers_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    for copy in ("one", "two"):
        DRAWN[name](tmp_path / f"{copy}.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert rows(tmp_path / "one.svg")
    ElementTree.parse(tmp_path / "one.svg")


@pytest.mark.parametrize("name", DRAWN)
def test_a_miniature_is_labelled_in_the_figure_itself(name: str, tmp_path: Path) -> None:
    DRAWN[name](tmp_path / "figure.svg")
    assert "miniature world" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EMPTY)
def test_a_figure_without_data_is_drawn_and_unlabelled(name: str, tmp_path: Path) -> None:
    EMPTY[name](tmp_path / "figure.svg")
    assert "miniature" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_preferences_are_seen_from_the_lima_arm_beside_the_papers_bars() -> None:
    ours, *theirs = preferences.bars(PREFERENCES, "lima", paper())
    assert (ours.label.splitlines()[0], ours.shares["win"]) == ("lima vs gpt-4", SHARE)
    assert {bar.origin for bar in theirs} == {
        "arXiv 2305.11206 Figure 1",
        "arXiv 2305.11206 Figure 2",
    }


def test_all_judges_of_a_pair_stand_together_before_the_papers_bars() -> None:
    judged = [*PREFERENCES, replace(PREFERENCES[0], judge="people")]
    found = [bar.label.splitlines()[-1] for bar in preferences.bars(judged, "lima", paper())]
    assert found == [
        "j <b>, 50 prompts",
        "people, 50 prompts",
        "humans, Figure 1",
        "GPT-4, Figure 2",
    ]


def test_absolute_grades_stand_beside_the_papers_figure_3(tmp_path: Path) -> None:
    DRAWN["absolute"](tmp_path / "a.svg")
    told = rows(tmp_path / "a.svg")
    assert [row["origin"] for row in told].count("measured") == 2
    assert [float(row["excellent"]) for row in told] == [0.6, 0.6, 0.5, 0.45]
    assert told[0]["excellent_low"] == "0.5" and told[2]["excellent_low"] == "0.5"
    assert "ann &lt;b&gt;" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_names_are_text_and_not_markup(tmp_path: Path) -> None:
    DRAWN["preferences"](tmp_path / "p.svg")
    DRAWN["quality"](tmp_path / "q.svg")
    assert "j &lt;b&gt;" in (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "a_$x_y$" in (tmp_path / "q.svg").read_text(encoding="utf-8")


def test_the_funnel_begins_with_the_raw_rows_and_ends_with_data_sets_and_prompts() -> None:
    levels = funnel.levels(FUNNEL)
    assert list(levels) == [
        "rows of raw files",
        "candidates",
        "after the rules",
        "data set lima",
        "test prompts",
    ]
    assert levels["rows of raw files"] == {"a": 900, "b": 10}
    assert levels["after the rules"] == {"a": 40, "b": 0}
    assert levels["data set lima"] == {"a": 4}


def test_dev_perplexity_stands_at_the_last_step_of_its_epoch(tmp_path: Path) -> None:
    epochs = [
        {"epoch": 1, "dev_perplexity": 5.0, "train_loss": 2.0},
        {"epoch": 2, "dev_perplexity": None, "train_loss": 1.0},
    ]
    write_json(tmp_path / "training.json", {"arm": "a", "log": "log.csv", "epochs": epochs})
    steps = [f"{step},{epoch},1,0.1,2" for step, epoch in ((1, 1), (2, 1), (3, 2))]
    header = "step,epoch,loss,learning_rate,gradient_norm"
    (tmp_path / "log.csv").write_text("\n".join([header, *steps]) + "\n")
    rows = training.read_logs([tmp_path / "training.json"])["a"]
    assert [row["dev_perplexity"] for row in rows] == [None, 5.0, None]


def test_a_broken_log_is_named_with_its_line(tmp_path: Path) -> None:
    write_json(tmp_path / "training.json", {"arm": "lima", "log": "log.csv"})
    (tmp_path / "log.csv").write_text("step,epoch,loss,learning_rate\n1,1,two,0.1\n")
    with pytest.raises(InputError, match=r"log.csv:2: not a row with numbers"):
        training.read_logs([tmp_path / "training.json"])


def test_lengths_are_counted_in_the_tokens_of_the_base_model(
    tmp_path: Path, tiny_base: Path
) -> None:
    for split, members in SPLITS.items():
        write_records(tmp_path / f"{split}.jsonl", members)
    arguments = [
        *("analyze", "figure", "lengths", str(tmp_path / "train.jsonl")),
        *("--dev", str(tmp_path / "dev.jsonl"), "--test", str(tmp_path / "test.jsonl")),
        *("--tokenizer", str(tiny_base), "--output", str(tmp_path / "lengths.svg")),
    ]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    assert "tokens" in (tmp_path / "lengths.svg").read_text(encoding="utf-8")
    assert [row["prompt_tokens"] for row in rows(tmp_path / "lengths.svg")] == ["9", "9"]
