"""The tax is stated without the items that training data hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.analysis.contaminated_items import Contaminated, read_contaminated
from limaflow.analysis.tax import alignment_tax
from limaflow.analysis.tax_means import means_of
from limaflow.errors import InputError
from limaflow.jsonl import write_records
from limaflow.measures.summaries import TaskTax
from limaflow.records import BenchmarkItem, Match

ITEMS = 200
SEEN = 60
"""Of the first task, from the first item on: the tuned model is right about all of them."""


def written(folder: Path) -> tuple[Path, Path]:
    """A base that is right about every other item, and a tuned model that forgot 20 items of those
    that it had not seen, in two tasks of which only the first is contaminated."""
    items = [
        BenchmarkItem(
            task=task, item_id=f"{number:04d}", model="base", metric="acc", value=number % 2
        )
        for task in ("seen", "fresh")
        for number in range(ITEMS)
    ]
    tuned = [
        replace(
            item,
            model="lima",
            value=1.0
            if item.task == "seen" and int(item.item_id) < SEEN
            else item.value * (int(item.item_id) < ITEMS - 40),
        )
        for item in items
    ]
    write_records(folder / "base.jsonl", items)
    write_records(folder / "lima.jsonl", tuned)
    return folder / "base.jsonl", folder / "lima.jsonl"


def taxes(folder: Path, contaminated: Contaminated) -> dict[str, TaskTax]:
    base, tuned = written(folder)
    rows = alignment_tax(
        base, [tuned], rounds=300, confidence=0.95, seed=1, contaminated=contaminated
    )
    return {row.task: row for row in rows}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "seen.csv"
    path.write_text("task,item\n" + "".join(f"seen,{n:04d}\n" for n in range(SEEN)))
    return path


def test_the_planted_tax_comes_back_without_contaminated_items(
    tmp_path: Path, listed: Path
) -> None:
    found = taxes(tmp_path, read_contaminated([listed], {}, ()))
    seen, fresh = found["seen"], found["fresh"]
    assert seen.difference and seen.difference.estimate == pytest.approx((30 - 20) / ITEMS)
    assert seen.contaminated == SEEN
    assert seen.clean and seen.clean.estimate == pytest.approx(-20 / (ITEMS - SEEN))
    assert fresh.contaminated is None and fresh.clean is None


def test_the_mean_is_stated_with_and_without_them(tmp_path: Path, listed: Path) -> None:
    found = taxes(tmp_path, read_contaminated([listed], {}, ["lima"]))
    assert found["fresh"].contaminated == 0
    (mean,) = means_of(list(found.values()))
    assert mean.difference.interval.estimate == pytest.approx((10 - 20) / 2 / ITEMS)
    assert mean.clean and mean.clean.tasks == 2
    assert mean.clean.interval.estimate == pytest.approx((-20 / (ITEMS - SEEN) - 0.1) / 2)
    assert mean.contaminated == SEEN


def test_a_task_that_is_contaminated_as_a_whole_has_no_clean_tax(tmp_path: Path) -> None:
    every = {("seen", f"{n:04d}") for n in range(ITEMS)}
    found = taxes(tmp_path, Contaminated({"": frozenset(every)}))
    assert found["seen"].contaminated == ITEMS and found["seen"].clean is None
    (mean,) = means_of(list(found.values()))
    assert mean.clean and mean.clean.tasks == 1


def test_matches_of_the_training_data_count_for_that_arm_alone(tmp_path: Path) -> None:
    match = Match(
        id="e1",
        source="lima",
        where="user",
        against="part",
        item_id="0001",
        words=13,
        matched="x",
        turn="x",
        text="x",
    )
    write_records(tmp_path / "m.jsonl", [match])
    known = read_contaminated([], {"lima": [tmp_path / "m.jsonl"]}, ())
    # An item of a group is called by its part.
    assert known.among("lima", "group", ["part/0001", "part/0002"]) == ["part/0001"]
    assert known.among("other", "group", ["part/0001"]) is None


def test_a_list_without_items_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("task,question\nseen,what?\n")
    with pytest.raises(InputError, match=r"list\.csv.*2.*names no task and item"):
        read_contaminated([path], {}, ())
