"""The funnel: what came into each step from each source, what left and why, what went on.

Counts that do not add up mean that a file is stale or broken, and end the run.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """As much of a record, example or drop, as counting needs."""

    source: str
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """As much of an extraction's counts as counting needs."""

    source: str
    candidates: int
    passed_over: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """As much of a review's summary as counting needs."""

    replacements: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of one source; `came` = `stayed` + the sum of `dropped`."""

    dataset: str
    """Data set that the step belongs to; "" for the steps before one is drawn."""
    step: str
    source: str
    came: int
    stayed: int
    dropped: dict[str, int] = field(default_factory=dict)
    """Number of records by the rule that dropped them."""


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """All steps in order, and the prompts held out, by split and source."""

    steps: tuple[Step, ...]
    prompts: dict[str, dict[str, int]]


def funnel(
    curation: Path,
    datasets: Path,
    shards: dict[str, list[str]] | None = None,
    names: list[str] | None = None,
) -> Funnel:
    """Count every step of the run.

    `shards` (of each source) and `names` (of data sets) say what belongs to the run; without them
    everything found counts, also what an older configuration left behind.

    Raises:
        InputError: more or fewer records went on than came and were not dropped.
    """
    steps = _shared_steps(curation, shards)
    found = sorted(path.name for path in datasets.iterdir()) if datasets.is_dir() else []
    for name in found if names is None else names:
        steps += _dataset_steps(name, curation / "pool.jsonl", datasets / name)
    prompts = {
        split: dict(sorted(_counted(curation / "prompts" / f"{split}.jsonl").items()))
        for split in ("dev", "test")
    }
    return Funnel(steps=tuple(steps), prompts=prompts)


def _shared_steps(curation: Path, shards: dict[str, list[str]] | None) -> list[Step]:
    def of_shards(folder: str, suffix: str = "jsonl") -> list[Path]:
        root = curation / folder
        if shards is None:
            return sorted(root.glob(f"*/*.{suffix}"))
        return [root / s / f"{shard}.{suffix}" for s in shards for shard in shards[s]]

    candidates = _sum(map(_counted, of_shards("candidates")))
    extracted = [read_json(path, Extracted) for path in of_shards("extracted", "json")]
    filtered = _sum(map(_counted, of_shards("filtered")))
    steps = _extraction(extracted, candidates)
    steps += _steps("", "filter", candidates, filtered, of_shards("dropped/filter"))
    if not (curation / "pool.jsonl").is_file():
        return steps
    unique, pool = _counted(curation / "unique.jsonl"), _counted(curation / "pool.jsonl")
    duplicates = curation / "dropped" / "deduplicate.jsonl"
    # Sources of prompts alone give dev and test, and are no part of what follows.
    trained = {*unique, *_counted(duplicates)}
    filtered = Counter({source: filtered[source] for source in trained})
    return [
        *steps,
        *_steps("", "deduplicate", filtered, unique, [duplicates]),
        *_steps("", "decontaminate", unique, pool, [curation / "dropped" / "decontaminate.jsonl"]),
    ]


def _extraction(extracted: Iterable[Extracted], candidates: Counter[str]) -> list[Step]:
    """The rows of each source's raw files, of which some are candidates."""
    read: Counter[str] = Counter()
    passed_over: dict[str, Counter[str]] = {}
    for shard in extracted:
        read[shard.source] += shard.candidates
        passed_over.setdefault(shard.source, Counter()).update(shard.passed_over)
    return _balanced("", "extract", read + _totals(passed_over), candidates, passed_over)


def _dataset_steps(name: str, pool: Path, folder: Path) -> list[Step]:
    reviewed = _counted(folder / "reviewed.jsonl")
    frozen = folder / "frozen" / "train.jsonl"
    if frozen.is_file() and _counted(frozen) != reviewed:
        raise InputError("holds other counts than the reviewed examples", path=frozen)
    if not (folder / "sampled.jsonl").is_file():
        return [
            Step(dataset=name, step="adopt", source=source, came=count, stayed=count)
            for source, count in sorted(reviewed.items())
        ]
    sampled, reserve = _counted(folder / "sampled.jsonl"), _counted(folder / "reserve.jsonl")
    offered = {source: count for source, count in _counted(pool).items() if sampled[source]}
    steps = []
    for source, count in sorted(offered.items()):
        rest = count - sampled[source] - reserve[source]
        if rest < 0:
            raise InputError(f"source '{source}': more drawn than its pool of {count}", path=folder)
        steps.append(
            Step(
                dataset=name,
                step="sample",
                source=source,
                came=count,
                stayed=sampled[source],
                dropped={"in_reserve": reserve[source], "not_drawn": rest},
            )
        )
    replacements = Counter(read_json(folder / "review.json", Replaced).replacements)
    came = sampled + replacements
    return steps + _steps(name, "review", came, reviewed, [folder / "dropped.jsonl"])


def _steps(
    dataset: str, step: str, came: Counter[str], stayed: Counter[str], drops: Iterable[Path]
) -> list[Step]:
    """One step of every source, checked; `drops` are the files of what left."""
    dropped: dict[str, Counter[str]] = {}
    for path in drops:
        for drop in read_records(path, Leaving):
            dropped.setdefault(drop.source, Counter())[drop.rule] += 1
    return _balanced(dataset, step, came, stayed, dropped)


def _balanced(
    dataset: str,
    step: str,
    came: Counter[str],
    stayed: Counter[str],
    dropped: dict[str, Counter[str]],
) -> list[Step]:
    """One step of every source.

    Raises:
        InputError: more or fewer stayed than came and were not dropped.
    """
    steps = []
    for source in sorted({*came, *stayed, *dropped}):
        rules = dropped.get(source, Counter())
        if came[source] != stayed[source] + rules.total():
            raise InputError(
                f"{step}, source '{source}': {came[source]} came, {stayed[source]} went on and "
                f"{rules.total()} were dropped",
                path=dataset or None,
                fix="a file is older than the step before it; run the workflow again",
            )
        steps.append(
            Step(
                dataset=dataset,
                step=step,
                source=source,
                came=came[source],
                stayed=stayed[source],
                dropped=dict(sorted(rules.items())),
            )
        )
    return steps


def _totals(dropped: dict[str, Counter[str]]) -> Counter[str]:
    return Counter({source: rules.total() for source, rules in dropped.items()})


def _counted(path: Path) -> Counter[str]:
    """Number of records of each source."""
    return Counter(record.source for record in read_records(path, Leaving))


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total += count
    return total
