"""Artifacts of the paper: ours beside the paper's, and what a study lacks for one."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Line, Passage, exact, write_artifact
from limaflow.analysis.artifacts.catalogue import ARTIFACTS
from limaflow.analysis.artifacts.instruments import read_levels
from limaflow.analysis.artifacts.passages import CUT
from limaflow.analysis.artifacts.whole_paper import write_whole
from limaflow.analysis.exhibit import Options
from limaflow.analysis.study import Study
from limaflow.intervals import Interval
from limaflow.results import Results

LIKERT = Path(__file__).parents[3] / "src/limaflow/judging/instruments/likert.md"
TARGETS = {*(f"fig{number}" for number in range(1, 10)), "table1", "claims"}
TARGETS |= {f"appendix_{letter}" for letter in "bcde"}


@pytest.fixture
def bare() -> Study:
    """A study with one tuned arm and nothing else."""
    results = Results(Path("results/bare"))
    return Study(results=results, arms=("lima",), tuned=("lima",), lima="lima", dataset="lima")


def test_every_figure_table_and_appendix_has_a_target() -> None:
    assert set(ARTIFACTS) == TARGETS


def test_what_a_study_lacks_is_said_by_its_key(bare: Study) -> None:
    keys = {name: made.missing(bare).partition(":")[0] for name, made in ARTIFACTS.items()}
    assert keys == {
        "table1": "",
        "fig1": "judging.people",
        "fig2": "judging.instruments.pairwise",
        "fig3": "judging.instruments.quality",
        "fig4": "",
        "fig5": "sources[].filters",
        "fig6": "datasets[].examples",
        "fig7": "dialogue.scripts and dialogue.arms",
        "fig8": "dialogue.scripts and dialogue.arms",
        "fig9": "selection.epochs",
        "appendix_b": "selection.epochs",
        "appendix_c": "judging.instruments.pairwise",
        "appendix_d": "judging.instruments.likert",
        "appendix_e": "format_checks",
        "claims": "",
    }
    able = replace(bare, judged_epochs=(5, 10), holds_dialogues=True, has_people=True)
    assert not any(ARTIFACTS[name].missing(able) for name in ("fig1", "fig7", "fig8", "fig9"))


def test_a_number_without_an_interval_is_printed_alone() -> None:
    assert lines.in_words(exact(53)) == "53.0"
    assert lines.in_words(Interval(5.68, 5.41, 5.86)) == "5.68 [5.41, 5.86]"
    assert lines.in_words(None) == "–"


def test_an_artifact_is_written_in_every_format_and_always_the_same(tmp_path: Path) -> None:
    found = [
        Line(panel="share, per cent", label="win", ours=Interval(60, 50, 70), paper=exact(53)),
        Line(panel="grade", label="a_b", paper=exact(3.8), place="Figure 5 | [E]"),
    ]
    made = replace(ARTIFACTS["fig1"], read=lambda files, options: found)
    for folder in ("one", "two"):
        write_artifact(made, {}, Options(), tmp_path / folder / "fig1.svg", miniature=True)
    for end in ("svg", "pdf", "png", "csv", "md", "tex"):
        one, two = ((tmp_path / folder / f"fig1.{end}").read_bytes() for folder in ("one", "two"))
        assert one == two
        assert one
    assert "60.0 [50.0, 70.0]" in (tmp_path / "one/fig1.md").read_text(encoding="utf-8")
    assert "Figure 5 \\| [E]" in (tmp_path / "one/fig1.md").read_text(encoding="utf-8")
    assert "a\\_b" in (tmp_path / "one/fig1.tex").read_text(encoding="utf-8")


def test_a_long_text_is_cut_in_the_picture_alone(tmp_path: Path) -> None:
    text = "word " * 2000
    found = [Passage(label="prompt 1", ours=text, paper="Example outputs.", place="Figure 4 [Q]")]
    made = replace(ARTIFACTS["fig4"], read=lambda files, options: found)
    write_artifact(made, {}, Options(), tmp_path / "fig4.svg", miniature=False)
    assert CUT in (tmp_path / "fig4.svg").read_text(encoding="utf-8")
    assert text in (tmp_path / "fig4.csv").read_text(encoding="utf-8")


def test_levels_of_the_scale_stand_beside_the_papers() -> None:
    *levels, reply = read_levels({"instrument": [LIKERT]}, Options())
    assert [level.label for level in levels] == [f"level {number}" for number in range(1, 7)]
    assert levels[5].ours.startswith(
        "Highly helpful: it answers in detail and with insight, and is"
    )
    assert levels[5].paper.startswith("Highly helpful: insightful")
    assert "last line" in reply.ours


def test_the_whole_paper_names_what_could_not_be_made(tmp_path: Path) -> None:
    found = [Line(panel="share", label="win", ours=Interval(60, 50, 70), paper=exact(53))]
    made = replace(ARTIFACTS["fig1"], read=lambda files, options: found)
    write_artifact(made, {}, Options(), tmp_path / "fig1.svg", miniature=False)
    said = write_whole(
        [tmp_path / "fig1.csv"], ["fig7=dialogue.arms: none"], tmp_path / "paper.csv"
    )
    assert said == ["not made: fig7: dialogue.arms: none"]
    with (tmp_path / "paper.csv").open(encoding="utf-8") as file:
        rows = [(row["artifact"], row["quantity"]) for row in csv.DictReader(file)]
    assert rows == [("fig1", "share"), ("fig7", "not made: dialogue.arms: none")]
