"""The alignment tax is paired by item and refuses what cannot be paired."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from limaflow.analysis.tax import alignment_tax
from limaflow.errors import InputError
from limaflow.jsonl import write_records
from limaflow.measures.summaries import TaskTax
from limaflow.records import BenchmarkItem

Write = Callable[[str, Mapping[str, float]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def items(model: str, scores: Mapping[str, float]) -> Path:
        path = tmp_path / f"{model}.jsonl"
        write_records(
            path,
            (
                BenchmarkItem(task="t", item_id=i, model=model, metric="acc,none", value=v)
                for i, v in scores.items()
            ),
        )
        return path

    return items


def tax_of(base: Path, *tuned: Path) -> list[TaskTax]:
    return alignment_tax(base, list(tuned), rounds=400, confidence=0.95, seed=3)


def test_pairing_makes_the_interval_narrower_than_independent_scores(write: Write) -> None:
    base = {f"{i:03d}": float(i % 2) for i in range(200)}
    tuned = base | {"001": 0.0, "003": 0.0}
    (row,) = tax_of(write("base", base), write("lima", tuned))
    assert row.difference.estimate == pytest.approx(-0.01)
    assert row.difference.high - row.difference.low < 0.05 < row.base.high - row.base.low
    assert row.base.high - row.base.low > 0.1


def test_the_order_of_the_items_does_not_count(write: Write) -> None:
    scores = {f"{i}": float(i % 3 == 0) for i in range(50)}
    backwards = dict(reversed(scores.items()))
    assert tax_of(write("base", scores), write("a", scores)) == tax_of(
        write("base", backwards), write("a", backwards)
    )


def test_every_tuned_arm_has_its_row(write: Write) -> None:
    scores = {"1": 1.0, "2": 0.0}
    rows = tax_of(write("base", scores), write("lima", scores), write("few", scores))
    assert [row.arm for row in rows] == ["few", "lima"]
    assert all(row.difference.estimate == 0 for row in rows)


@pytest.mark.parametrize(("count", "width"), [(3, 0.7076), (300, 0.0122)])
def test_items_that_did_not_change_are_no_certainty(write: Write, count: int, width: float) -> None:
    scores = {f"{i:03d}": 1.0 for i in range(count)}
    (row,) = tax_of(write("base", scores), write("lima", scores))
    difference = row.difference
    assert (difference.low, difference.high) == pytest.approx((-width, width), abs=5e-5)


def test_other_items_are_an_error_and_not_a_difference(write: Write) -> None:
    base, tuned = write("base", {"1": 1.0, "2": 0.0}), write("lima", {"1": 1.0, "3": 0.0})
    with pytest.raises(InputError, match="task 't': not the same items"):
        tax_of(base, tuned)


def test_a_file_of_two_models_is_an_error(write: Write, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    parts = [write(name, {"1": 1.0}).read_text() for name in ("a", "b")]
    mixed.write_text("".join(parts))
    with pytest.raises(InputError, match="2 models instead of one"):
        tax_of(write("base", {"1": 1.0}), mixed)


def test_where_less_is_better_a_rise_is_a_loss(tmp_path: Path) -> None:
    def items(model: str, value: float) -> Path:
        path = tmp_path / f"{model}.jsonl"
        item = BenchmarkItem(
            task="t", item_id="1", model=model, metric="ppl", value=value, higher_is_better=False
        )
        write_records(path, [item])
        return path

    (row,) = tax_of(items("base", 10.0), items("lima", 12.5))
    assert (row.base.estimate, row.tuned.estimate) == (10.0, 12.5)
    assert (row.difference.estimate, row.higher_is_better) == (-2.5, False)
