"""The plane: each arm's gain and tax with a region that holds both truths as often as it says."""

import csv
import random
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_summaries import preference, tax

from limaflow.analysis.exhibit import Options, write_figure
from limaflow.analysis.exhibits import plane
from limaflow.analysis.exhibits.plane import Place, outline, spread
from limaflow.intervals import Interval
from limaflow.jsonl import write_json
from limaflow.measures.summaries import Preference, Sureness, TaskTax

OPTIONS = Options(base="base", described={"pref": "DPO from lima"}, confidence=0.95)


def files_of(
    folder: Path, preferences: list[Preference], rows: list[TaskTax]
) -> dict[str, list[Path]]:
    write_json(folder / "preferences.json", [asdict(one) for one in preferences])
    write_json(folder / "tax.json", [asdict(row) for row in rows])
    return {"preferences": [folder / "preferences.json"], "tax": [folder / "tax.json"]}


def placed(folder: Path, *given: Any, options: Options = OPTIONS) -> dict[str, Place]:
    return {place.arm: place for place in plane.read(files_of(folder, *given), options)}


def two(low: float, high: float, arm: str) -> list[TaskTax]:
    return [tax(low, high, arm=arm, task=task) for task in ("t", "u")]


def test_an_arm_stands_at_its_gain_over_the_base_and_its_mean_difference(tmp_path: Path) -> None:
    written_either_way = [preference("lima", "base", 0.6), preference("base", "pref", 0.2)]
    found = placed(
        tmp_path, written_either_way, [*two(-0.04, -0.02, "lima"), *two(0, 0.02, "pref")]
    )
    lima, pref = found["lima"], found["pref"]
    assert lima.gain == Interval(0.7, pytest.approx(0.65), pytest.approx(0.75))
    assert pref.gain and pref.gain.estimate == pytest.approx(0.7)
    assert lima.score and lima.score.estimate == pytest.approx(-3)
    assert lima.score.low == pytest.approx(-3 - 1 / 2**0.5)
    assert (lima.tasks, lima.items, lima.prompts, lima.region) == (2, 2000, 100, "ellipse")
    assert (lima.label, pref.label) == ("lima", "pref (DPO from lima)")


def test_calibration_is_read_beside_it(tmp_path: Path) -> None:
    worse = Sureness(
        right_probability=Interval(0, -0.01, 0.01),
        base_error=0.02,
        tuned_error=0.05,
        error_difference=Interval(0.03, 0.02, 0.04),
    )
    rows = [replace(row, sureness=worse) for row in two(-0.04, -0.02, "lima")]
    found = placed(tmp_path, [preference("lima", "base", 0.6)], rows)["lima"]
    assert found.calibration and found.calibration.estimate == pytest.approx(3)


def test_what_has_no_place_says_why(tmp_path: Path) -> None:
    rows = [*two(-0.04, -0.02, "lima"), replace(tax(0, 0, arm="odd"), difference=None)]
    found = placed(
        tmp_path, [preference("odd", "base", 0.6), preference("shots", "lima", 0.6)], rows
    )
    assert found["lima"].missing == "not compared with base"
    assert found["odd"].missing == "no paired benchmark results"
    assert found["lima"].region == "" and "shots" not in found


def test_over_the_same_seeds_the_region_is_a_product(tmp_path: Path) -> None:
    rows = [replace(row, over_seeds=True) for row in two(-0.04, -0.02, "lima")]
    found = placed(tmp_path, [preference("lima", "base", 0.6)], rows)["lima"]
    assert found.region == "product" and len(outline(found)) == 4
    assert found.gain_joint and found.gain_joint.high == pytest.approx(
        0.7 + 0.05 * 2.2414 / 1.96, abs=1e-4
    )


def test_a_region_holds_both_truths_in_95_of_100_studies() -> None:
    from matplotlib.path import Path as Polygon

    draw = random.Random(1)
    scale = plane._joint_scale(0.95, independent=True)
    held = 0
    for _ in range(2000):
        gain, score = draw.gauss(0.6, 0.02), draw.gauss(-3, 1.0)
        intervals = (
            Interval(gain, gain - 1.96 * 0.02, gain + 1.96 * 0.02),
            Interval(score, score - 1.96, score + 1.96),
        )
        joint = [plane._stretched(one, scale, -100, 100) for one in intervals]
        place = Place(
            judge="j",
            arm="a",
            words="",
            prompts=100,
            gain=intervals[0],
            tasks=2,
            items=2000,
            score=intervals[1],
            calibration=None,
            region="ellipse",
            gain_joint=joint[0],
            score_joint=joint[1],
        )
        held += Polygon(outline(place)).contains_point((-3, 0.6))
    assert 0.935 < held / 2000 < 0.965


@given(st.lists(st.floats(-0.5, 1.5), max_size=40), st.floats(0.001, 0.3))
def test_labels_keep_their_order_and_do_not_overlap(wanted: list[float], gap: float) -> None:
    found = spread(sorted(wanted), gap)
    least = min(gap, 1 / max(1, len(wanted) - 1))
    assert all(-1e-9 <= height <= 1 + 1e-9 for height in found)
    assert all(b - a >= least - 1e-9 for a, b in pairwise(found))


def test_figure_names_each_arm_and_says_who_is_absent(tmp_path: Path) -> None:
    rows = [row for arm in ("lima", "pref", "few") for row in two(-0.04, -0.02, arm)]
    preferences = [preference("lima", "base", 0.6), preference("pref", "base", 0.6)]
    files = files_of(tmp_path, preferences, rows)
    write_figure(plane.FIGURE, files, OPTIONS, tmp_path / "plane.svg", miniature=False)
    drawn = "".join(ElementTree.parse(tmp_path / "plane.svg").getroot().itertext())
    for text in ("lima", "pref (DPO from lima)", "few: not compared with base"):
        assert text in drawn
    with (tmp_path / "plane.csv").open(encoding="utf-8", newline="") as file:
        assert [row["arm"] for row in csv.DictReader(file)] == ["lima", "pref", "few"]


def test_without_any_comparison_with_the_base_the_figure_says_so(tmp_path: Path) -> None:
    files = files_of(tmp_path, [], two(-0.04, -0.02, "lima"))
    write_figure(plane.FIGURE, files, OPTIONS, tmp_path / "plane.svg", miniature=False)
    drawn = "".join(ElementTree.parse(tmp_path / "plane.svg").getroot().itertext())
    assert "no arm is both compared with the base and measured" in drawn
