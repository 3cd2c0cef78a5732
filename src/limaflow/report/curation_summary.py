"""What curation kept and dropped, with examples that a reader can judge."""

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.jsonl import read_records
from limaflow.records import Drop, Example, Match
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


@dataclass(frozen=True, kw_only=True)
class Contamination:
    """Texts shared with dev, test and benchmarks, in one file of matches."""

    file: str
    brought: bool
    """Whether they still stand in a data set brought whole; from a pool they were removed."""
    matches: int
    examples: int
    against: dict[str, int]
    """Training examples by what they share text with."""
    longest: list[Match]


def lima_dataset(config: Config) -> str:
    """Name of the data set that the LIMA arm is tuned on, or of the first one."""
    dataset = config.arm(config.analysis.lima_arm).training_dataset
    return dataset or config.datasets[0].name


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


def contamination(results: Path, config: Config, shown: int) -> list[Contamination]:
    """What was removed from the pool and what brought data sets hold, the `shown` longest of each.

    Of each training example the longest match is shown.
    """
    files = [(path, False) for path in sorted(results.glob("curation/contamination/*.jsonl"))] + [
        (results / f"datasets/{dataset.name}/contamination.jsonl", True)
        for dataset in config.datasets
        if dataset.path is not None
    ]
    return [
        _contamination(path, str(path.relative_to(results)), brought, shown)
        for path, brought in files
        if path.is_file()
    ]


def _contamination(path: Path, name: str, brought: bool, shown: int) -> Contamination:
    count = 0
    longest: dict[str, Match] = {}
    pairs: set[tuple[str, str]] = set()
    for match in read_records(path, Match):
        count += 1
        pairs.add((match.id, match.against))
        if match.id not in longest or match.words > longest[match.id].words:
            longest[match.id] = match
    return Contamination(
        file=name,
        brought=brought,
        matches=count,
        examples=len(longest),
        against=dict(sorted(Counter(against for _, against in pairs).items())),
        longest=heapq.nsmallest(
            shown, longest.values(), key=lambda match: (-match.words, match.id)
        ),
    )


def kept_examples(train: Path, seed: int, count: int) -> list[Example]:
    """`count` training examples drawn by the seed; none if there is no such file."""
    if not train.is_file():
        return []
    examples = sorted(read_records(train, Example), key=lambda example: example.id)
    drawn = generator_for(seed, "report kept examples")
    return drawn.sample(examples, min(count, len(examples)))
