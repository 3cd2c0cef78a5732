"""What curation kept and dropped, with examples that a reader can judge."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from limaflow.config import Config, TunedArm
from limaflow.jsonl import read_records
from limaflow.records import Drop, Example
from limaflow.seeds import generator_for

ROWS_READ = 2000
"""Of each file of dropped records: enough to find an example of every rule."""


@dataclass(frozen=True, kw_only=True)
class DropExample:
    """One record that a rule dropped."""

    step: str
    rule: str
    source: str
    id: str
    detail: str


def lima_dataset(config: Config) -> str:
    """Name of the data set that the LIMA arm is tuned on, or of the first one."""
    arm = config.arm(config.analysis.lima_arm)
    return arm.dataset if isinstance(arm, TunedArm) else config.datasets[0].name


def drop_examples(results: Path) -> list[DropExample]:
    """One dropped record for each step and rule, the first by file and line."""
    found: dict[tuple[str, str], DropExample] = {}
    files = [
        *sorted((results / "curation/dropped").rglob("*.jsonl")),
        *sorted((results / "datasets").glob("*/dropped.jsonl")),
    ]
    for path in files:
        for drop in itertools.islice(read_records(path, Drop), ROWS_READ):
            found.setdefault(
                (drop.step, drop.rule),
                DropExample(
                    step=drop.step,
                    rule=drop.rule,
                    source=drop.source,
                    id=drop.id,
                    detail=drop.detail,
                ),
            )
    return [found[key] for key in sorted(found)]


def kept_examples(train: Path, seed: int, count: int) -> list[Example]:
    """`count` training examples drawn by the seed; none if there is no such file."""
    if not train.is_file():
        return []
    examples = sorted(read_records(train, Example), key=lambda example: example.id)
    drawn = generator_for(seed, "report kept examples")
    return drawn.sample(examples, min(count, len(examples)))
