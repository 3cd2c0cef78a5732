"""What each arm took: examples, pairs, hours of people and machines, and money."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from limaflow.analysis.paper import paper
from limaflow.analysis.table_formats import write_as
from limaflow.arms.preference import PreferenceArm
from limaflow.config.experiment import Config
from limaflow.curation.ledger import files_of, read
from limaflow.errors import InputError
from limaflow.recording.record import FOLDER, JobRecord, file_of, read_record
from limaflow.records import ModelManifest
from limaflow.report.existing import optional
from limaflow.results import Results
from limaflow.training.manifest import TrainingManifest

PAUSE = 600.0
"""Seconds between two decisions from which on the reviewer was doing something else."""
COLUMNS = ("arm", "examples", "pairs", "people_hours", "machine_hours", "gpu_hours", "money")
Row = dict[str, str]


def effort(results: Results, config: Config) -> list[Row]:
    """One row an arm, one for the whole, and the numbers of the note that started this project.

    Machine hours are those of the jobs on record that made an arm's model; GPU hours the same
    times the GPUs that they saw. Money is what the jobs of an arm's files spent on endpoints; a
    comparison counts for the arm that it names first. An empty cell was not recorded.
    """
    jobs = list(_jobs(results.root))
    rows = []
    for arm in config.arms:
        run = optional(results.training(arm.name), TrainingManifest)
        model = optional(results.chosen_model(arm.name), ModelManifest)
        pairs = model.notes.get("pairs") if model and isinstance(arm, PreferenceArm) else None
        trained = [job for path, job in jobs if path.parts[:2] == ("models", arm.name)]
        rows.append(
            _row(
                arm.name,
                examples=f"{run.examples}" if run else "",
                pairs=f"{pairs}" if pairs is not None else "",
                machine_hours=_hours(trained),
                gpu_hours=_hours(trained, gpus=True),
                money=_money(job for path, job in jobs if _is_of(path, arm.name)),
            )
        )
    people = review_hours(Path(config.curation.ledger)) if config.curation.ledger else None
    everything = [job for _, job in jobs]
    values = paper().values
    published = sum(row.examples for row in paper().sources.rows if row.split == "train")
    return [
        *rows,
        _row(
            "the whole study",
            people_hours=f"{people:.2f}" if people is not None else "",
            machine_hours=_hours(everything),
            gpu_hours=_hours(everything, gpus=True),
            money=_money(everything),
        ),
        _row("LIMA, as published", examples=f"{published}"),
        _row(
            f"for comparison: {values['note-examples'].place}",
            examples=f"{values['note-examples']:.0f}",
            pairs=f"{values['note-comparisons']:.0f}",
        ),
    ]


def _row(arm: str, **given: str) -> Row:
    return {**dict.fromkeys(COLUMNS, ""), "arm": arm, **given}


def write_effort(rows: Sequence[Row], path: Path) -> None:
    """As CSV, and beside it as Markdown and LaTeX."""
    for suffix in (".csv", ".md", ".tex"):
        write_as(path.with_suffix(suffix), rows)


def _jobs(root: Path) -> Iterator[tuple[Path, JobRecord]]:
    """Every file on record that is there, with the job that made it."""
    for place in sorted(root.rglob(f"{FOLDER}/*.json")):
        file = file_of(place)
        try:
            record = read_record(file)
        except InputError:
            continue
        if record is not None and file.is_file():
            yield file.relative_to(root), record


def _is_of(path: Path, arm: str) -> bool:
    """Whether a file is an arm's: its model, responses, grades, or verdicts that name it first."""
    first = path.stem.partition("-vs-")[0] if path.parts[0] == "verdicts" else path.stem
    return first == arm or arm in path.parts[:-1]


def _once(jobs: Iterable[JobRecord]) -> list[JobRecord]:
    return list({job.job: job for job in jobs}.values())


def _hours(jobs: Iterable[JobRecord], *, gpus: bool = False) -> str:
    found = [job.seconds * (len(job.machine.gpus) if gpus else 1) for job in _once(jobs)]
    return f"{sum(found) / 3600:.3f}" if found else ""


def _money(jobs: Iterable[JobRecord]) -> str:
    costs = [job.cost for job in _once(jobs) if job.cost is not None]
    return f"{sum(costs):.2f}" if costs else ""


def review_hours(ledger: Path) -> float | None:
    """Hours between the decisions of each reviewer, without pauses; None without times."""
    times: dict[str, list[datetime]] = {}
    for decision in read(files_of(ledger)).decisions:
        if decision.time:
            at = datetime.fromisoformat(decision.time)
            times.setdefault(decision.reviewer, []).append(at)
    gaps = [
        (later - earlier).total_seconds()
        for of_one in times.values()
        for earlier, later in pairwise(sorted(of_one))
    ]
    return sum(gap for gap in gaps if gap <= PAUSE) / 3600 if times else None
