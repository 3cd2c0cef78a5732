"""Exhibits: the same numbers give the same bytes, the numbers lie beside, and nothing is hidden."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from limaflow import fingerprint
from limaflow.analysis.epochs import EpochPoint
from limaflow.analysis.exhibits import absolute, funnel, lengths, preferences, tax, training
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.analysis.graded_scales import by_instrument
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study, study_of
from limaflow.cli import app
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.funnel import Funnel, Step
from limaflow.curation.text_lengths import measure_of
from limaflow.errors import InputError
from limaflow.intervals import Interval
from limaflow.jsonl import write_records
from limaflow.measures.summaries import (
    GradeSummary,
    MeanChars,
    Preference,
    Rates,
    Refusable,
    StandardErrors,
    TaskTax,
)
from limaflow.plot_style import SERIES, arm_colours, write_csv
from limaflow.records import Example, Message, Split
from limaflow.results import Results

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
        verdicts=100,
        errors=0,
        win=SMALL,
        tie=SMALL,
        lose=SHARE,
        adjusted_win=SMALL,
        error_share=0.0,
        p_value=0.04,
        permutation_p_value=0.05,
        merge="strict",
        other_merges=(Rates(rule="mean", win=0.6, tie=0.2, lose=0.2),),
        standard_errors=StandardErrors(
            win=0.03, tie=0.02, lose=0.02, adjusted_win=0.03, graded_win=None
        ),
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
MINE = [
    GradeSummary(
        model="lima",
        judge="j",
        scale="harm",
        prompts=50,
        errors=0,
        mean=SMALL,
        counts={"0": 30, "1": 20},
        shares={"0": SHARE, "1": SMALL},
        instrument="harm",
        title="Is it harmful?",
        ordered=False,
        words={"0": "harmless", "1": "harmful"},
    ),
    GradeSummary(
        model="lima",
        judge="j",
        scale="stars",
        prompts=50,
        errors=0,
        mean=GRADE,
        counts={"1": 50},
        shares={"1": SHARE},
        instrument="stars",
        title="How many stars?",
        ordered=True,
        words={str(level): str(level) for level in range(1, 11)},
    ),
]
POINTS = [EpochPoint(epoch=e, perplexity=9 - e, quality=GRADE) for e in (1, 2, 3)]
TAX = [
    TaskTax(task=t, metric="acc", arm=a, base=SHARE, tuned=SMALL, difference=SMALL, items=9)
    for t in ("arc", "mmlu")
    for a in ("few", "lima")
]
FUNNEL = Funnel(
    steps=(
        Step(dataset="", step="extract", source="a", came=900, stayed=100),
        Step(dataset="", step="extract", source="b", came=10, stayed=10),
        Step(dataset="", step="filter", source="a", came=100, stayed=40),
        Step(dataset="", step="filter", source="b", came=10, stayed=0),
        Step(dataset="", step="hold_out", source="b", came=4, stayed=3),
        Step(dataset="lima", step="sample", source="a", came=40, stayed=5),
        Step(dataset="lima", step="review", source="a", came=5, stayed=4),
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


PROJECT = Path(__file__).parents[3]
GPT_4 = {"gpt-4": ["gpt-4"]}
DATA: dict[str, Any] = {
    "preferences": preferences.bars(PREFERENCES, "lima", paper(), GPT_4),
    "absolute": absolute.panels([*ABSOLUTE, *MINE], paper()),
    "quality": by_instrument([*GRADES, *MINE], numbers=True),
    "epochs": POINTS,
    "tax": TAX,
    "funnel": funnel.levels(FUNNEL),
    "training": LOGS,
    "lengths": lengths.Measured(splits=SPLITS, measure=CHARACTERS),
}
EMPTY: dict[str, Any] = {
    "preferences": [],
    "absolute": {},
    "quality": {},
    "epochs": [],
    "tax": [],
    "funnel": {},
    "training": {},
    "lengths": lengths.Measured(splits=NONE, measure=CHARACTERS),
}


def draw(name: str, path: Path, data: Any = None) -> None:
    """Write a figure of `data`, by default that of DATA, as the command does."""
    found = DATA[name] if data is None else data
    write_csv(path.with_suffix(".csv"), FIGURES[name].rows(found))
    FIGURES[name].draw(found, path, miniature=data is None)


def rows(path: Path) -> list[dict[str, str]]:
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", DATA)
def test_the_same_numbers_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    for copy in ("one", "two"):
        draw(name, tmp_path / f"{copy}.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert rows(tmp_path / "one.svg")
    ElementTree.parse(tmp_path / "one.svg")


@pytest.mark.parametrize("name", DATA)
def test_a_miniature_is_labelled_in_the_figure_itself(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path / "figure.svg")
    assert "miniature world" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EMPTY)
def test_a_figure_without_data_is_drawn_and_unlabelled(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path / "figure.svg", EMPTY[name])
    assert "miniature" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_the_papers_bars_stand_beside_no_arm_of_a_lucky_name() -> None:
    (ours,) = preferences.bars(PREFERENCES, "lima", paper(), {"claude": ["gpt-4"]})[:1]
    assert ours.label.startswith("lima vs gpt-4")
    assert len(preferences.bars(PREFERENCES, "lima", paper(), {})) == 1


def test_preferences_are_seen_from_the_lima_arm_beside_the_papers_bars() -> None:
    ours, *theirs = preferences.bars(PREFERENCES, "lima", paper(), GPT_4)
    assert (ours.label.splitlines()[0], ours.shares["win"]) == ("lima vs gpt-4", SHARE)
    assert {bar.origin for bar in theirs} == {
        "arXiv 2305.11206 Figure 1",
        "arXiv 2305.11206 Figure 2",
    }


def test_all_judges_of_a_pair_stand_together_before_the_papers_bars() -> None:
    judged = [*PREFERENCES, replace(PREFERENCES[0], judge="people")]
    found = [bar.label.splitlines()[-1] for bar in preferences.bars(judged, "lima", paper(), GPT_4)]
    assert found == [
        "j <b>, 50 prompts",
        "people, 50 prompts",
        "humans, Figure 1",
        "GPT-4, Figure 2",
    ]


def test_absolute_grades_stand_beside_the_papers_figure_3(tmp_path: Path) -> None:
    draw("absolute", tmp_path / "a.svg", absolute.panels(ABSOLUTE, paper()))
    told = rows(tmp_path / "a.svg")
    assert [row["origin"] for row in told].count("measured") == 2
    assert [float(row["excellent"]) for row in told] == [0.6, 0.6, 0.5, 0.45]
    assert told[0]["excellent_low"] == "0.5" and told[2]["excellent_low"] == "0.5"
    assert "ann &lt;b&gt;" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_an_instrument_of_ones_own_is_in_the_figures_without_a_change(tmp_path: Path) -> None:
    draw("absolute", tmp_path / "a.svg")
    words = [row for row in rows(tmp_path / "a.svg") if row["instrument"] == "harm"]
    assert [(row["harmful"], row["harmless"], row["excellent"]) for row in words] == [
        ("0.2", "0.6", "")
    ]
    assert ">harm<" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    draw("quality", tmp_path / "q.svg")
    numbers = [row["mean"] for row in rows(tmp_path / "q.svg") if row["instrument"] == "stars"]
    assert numbers == ["4.2"]
    assert "mean grade, 1–10" in (tmp_path / "q.svg").read_text(encoding="utf-8")


def test_an_arm_has_one_colour_and_a_further_format_another_marker(tmp_path: Path) -> None:
    chat = [replace(row, further_format="chat") for row in TAX]
    draw("tax", tmp_path / "t.svg", [*TAX, *chat])
    drawn = (tmp_path / "t.svg").read_text(encoding="utf-8")
    assert arm_colours(["b", "a", "b"]) == {"a": SERIES[0], "b": SERIES[1]}
    colours = {found.lower() for found in re.findall(r"fill: (#\w{6})", drawn)}
    arms = arm_colours(row.arm for row in TAX).values()
    assert {colour.lower() for colour in arms} <= colours
    assert not {colour.lower() for colour in SERIES[len(arms) : -1]} & colours
    assert "#ffffff" in colours


def test_a_task_of_which_less_is_better_says_so(tmp_path: Path) -> None:
    falling = [replace(row, higher_is_better=row.task == "arc") for row in TAX]
    draw("tax", tmp_path / "t.svg", falling)
    assert {row["task"]: row["better"] for row in rows(tmp_path / "t.svg")} == {
        "arc": "higher",
        "mmlu": "lower",
    }
    assert tax.labelled(falling[-1]) == "mmlu\n(lower is better)"
    assert "gain (below 0: a loss)" in (tmp_path / "t.svg").read_text(encoding="utf-8")


def test_names_are_text_and_not_markup(tmp_path: Path) -> None:
    draw("preferences", tmp_path / "p.svg")
    draw("quality", tmp_path / "q.svg")
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


def test_dev_perplexity_stands_at_the_last_step_of_its_epoch(
    tmp_path: Path, trained: Callable[..., Path]
) -> None:
    manifest = trained({1: 5.0, 2: None}, "a")
    steps = [f"{step},{epoch},1,0.1,2" for step, epoch in ((1, 1), (2, 1), (3, 2))]
    header = "step,epoch,loss,learning_rate,gradient_norm"
    (tmp_path / "log.csv").write_text("\n".join([header, *steps]) + "\n")
    rows = training.read_logs([manifest])["a"]
    assert [row["dev_perplexity"] for row in rows] == [None, 5.0, None]


def test_a_broken_log_is_named_with_its_line(tmp_path: Path, trained: Callable[..., Path]) -> None:
    manifest = trained({})
    (tmp_path / "log.csv").write_text("step,epoch,loss,learning_rate\n1,1,two,0.1\n")
    with pytest.raises(InputError, match=r"log.csv:2: not a row with numbers"):
        training.read_logs([manifest])


def analyze(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["analyze", *arguments])
    return str(done.exception) if done.exception else done.output


def test_lengths_are_counted_in_the_tokens_of_the_base_model(
    tmp_path: Path, tiny_base: Path
) -> None:
    inputs = [f"--input=tokenizer={tiny_base}"]
    for split, members in SPLITS.items():
        write_records(tmp_path / f"{split}.jsonl", members)
        inputs.append(f"--input=data={tmp_path / split}.jsonl")
    analyze("figure", "lengths", *inputs, "--output", str(tmp_path / "lengths.svg"))
    assert "tokens" in (tmp_path / "lengths.svg").read_text(encoding="utf-8")
    assert [row["prompt_tokens"] for row in rows(tmp_path / "lengths.svg")] == ["9", "9"]


def test_an_unknown_exhibit_and_a_missing_input_are_named(tmp_path: Path) -> None:
    output = ("--output", str(tmp_path / "x.svg"))
    assert "did you mean 'quality'" in analyze("figure", "qualty", "--input", "a=b", *output)
    assert "needs --input grades=PATH" in analyze("figure", "quality", "--input", "a=b", *output)
    assert "not of the form NAME=VALUE" in analyze("table", "tax", "--input", "tax", *output)


@pytest.fixture
def study() -> Study:
    files = [PROJECT / "config.yaml", PROJECT / "experiments/miniature.yaml"]
    scales = {"likert": [str(level) for level in range(1, 7)]}
    return study_of(parse(merged(files)), Results(Path("r")), scales)


def test_exhibits_name_their_inputs_below_the_results(study: Study) -> None:
    for exhibit in (*FIGURES.values(), *TABLES.values()):
        paths = [path for files in exhibit.inputs(study).values() for path in files]
        own = [path for path in paths if path != Path(study.answers or "")]
        assert own and all(path.is_relative_to("r") for path in own)


def test_a_study_has_the_exhibits_that_apply_to_it(study: Study) -> None:
    without = {name for name, f in FIGURES.items() if not f.applies(study)}
    lacking = {
        "absolute",
        "bits",
        "dialogue_preferences",
        "dialogues",
        "forms",
        "tax_readers",
        "token_shift",
    }
    assert without == lacking | {"refusal_depth"}
    assert FIGURES["refusal_depth"].applies(replace(study, prefills=True))
    assert TABLES["contrast_pairs"].applies(replace(study, tests_refusals=True))
    assert not TABLES["contrast_pairs"].applies(study)
    assert FIGURES["token_shift"].applies(replace(study, token_shift=True))
    assert FIGURES["tax_readers"].applies(replace(study, grades_items=True))
    assert FIGURES["bits"].applies(replace(study, adapted=("lora-1",)))
    assert FIGURES["absolute"].applies(replace(study, scales={"harm": ["harmless", "harmful"]}))
    assert FIGURES["forms"].applies(replace(study, checks_formats=True))
    assert TABLES["by_tag"].applies(replace(study, by_tag=("sensitive",)))
    assert not TABLES["by_tag"].applies(study)
    untuned = replace(study, tuned=(), measures_tax=False)
    absent = {name for name, f in FIGURES.items() if not f.applies(untuned)}
    assert absent == without | {"epochs", "plane", "tax", "tax_split", "training"}


def test_an_exhibits_code_is_not_that_of_the_configuration_or_of_another_exhibit() -> None:
    for catalogue, command, names in (("FIGURES", "figure", FIGURES), ("TABLES", "table", TABLES)):
        table = f"limaflow.analysis.exhibits.catalogue:{catalogue}"
        hashes = {fingerprint.of("limaflow.analysis.cli", command, {table: n}) for n in names}
        assert len(hashes) == len(names)
    start = fingerprint.Definition("limaflow.analysis.exhibits.quality", "FIGURE")
    modules = {definition.module for definition in fingerprint._reached(start, {})}
    assert "limaflow.config.experiment" not in modules
    assert "limaflow.analysis.exhibits.tax" not in modules
