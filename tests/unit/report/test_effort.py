"""What each arm took, from records and the review ledger."""

from pathlib import Path

import pytest

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.ledger import Decision
from limaflow.jsonl import write_records
from limaflow.report.effort import effort, review_hours, write_effort
from limaflow.results import Results

PROJECT = Path(__file__).parents[3]


def test_the_notes_numbers_stand_beside_what_each_arm_took(
    experiment: Path, tmp_path: Path
) -> None:
    config = parse(merged([PROJECT / "config.yaml", experiment / "overlay.yaml"]))
    rows = effort(Results(experiment / "results"), config)
    by_arm = {row["arm"]: row for row in rows}
    assert by_arm["lima"]["examples"] == "40"
    assert by_arm["base"]["examples"] == by_arm["base"]["gpu_hours"] == ""
    assert by_arm["LIMA, as published"]["examples"] == "1000"
    (note,) = (row for name, row in by_arm.items() if name.startswith("for comparison"))
    assert (note["examples"], note["pairs"]) == ("40000", "300000")
    write_effort(rows, tmp_path / "effort.csv")
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".md", ".tex"}


def test_hours_of_people_leave_out_pauses(tmp_path: Path) -> None:
    def decided(reviewer: str, time: str) -> Decision:
        return Decision(id="a", decision="keep", reviewer=reviewer, time=time)

    write_records(
        tmp_path / "ledger.jsonl",
        [
            decided("ada", "2026-01-01T10:00:00+00:00"),
            decided("bob", "2026-01-01T10:01:00+00:00"),
            decided("ada", "2026-01-01T10:03:00+00:00"),
            decided("ada", "2026-01-01T12:00:00+00:00"),
            decided("bob", "2026-01-01T10:04:00+00:00"),
        ],
    )
    assert review_hours(tmp_path / "ledger.jsonl") == pytest.approx(0.1)
    assert review_hours(tmp_path / "none.jsonl") is None
