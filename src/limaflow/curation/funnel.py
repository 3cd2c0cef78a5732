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
    prompts = {
        split: _counted(curation / "prompts" / f"{split}.jsonl") for split in ("dev", "test")
    }
    steps = _shared_steps(curation, shards, _sum(prompts.values()))
    found = sorted(path.name for path in datasets.iterdir()) if datasets.is_dir() else []
    for name in found if names is None else names:
        steps += _dataset_steps(name, curation / "pool.jsonl", datasets / name)
    held_out = {split: dict(sorted(counts.items())) for split, counts in prompts.items()}
    return Funnel(steps=tuple(steps), prompts=held_out)


def _shared_steps(
    curation: Path, shards: dict[str, list[str]] | None, prompts: Counter[str]
) -> list[Step]:
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
        return [*steps, *_held_out(filtered, prompts)]
    unique, pool = _counted(curation / "unique.jsonl"), _counted(curation / "pool.jsonl")
    duplicates = curation / "dropped" / "deduplicate.jsonl"
    # Sources of prompts alone give dev and test, and are no part of what follows.
    trained = {*unique, *_counted(duplicates)}
    asked = Counter({s: n for s, n in filtered.items() if s not in trained})
    filtered = Counter({source: filtered[source] for source in trained})
    return [
        *steps,
        *_held_out(asked, prompts),
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


def _held_out(asked: Counter[str], prompts: Counter[str]) -> list[Step]:
    """Sources of prompts alone: what is not drawn for dev or test goes nowhere."""
    drawn = Counter({source: prompts[source] for source in asked})
    rest = {source: Counter(not_drawn=asked[source] - drawn[source]) for source in asked}
    if any(counts["not_drawn"] < 0 for counts in rest.values()):
        raise InputError("more prompts were drawn than there are examples of their source")
    return _balanced("", "hold_out", asked, drawn, rest)


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
    sampled = _counted(folder / "sampled.jsonl")
    offered = Counter({s: n for s, n in _counted(pool).items() if sampled[s]})
    steps = _steps(name, "sample", offered, sampled, [folder / "undrawn.jsonl"])
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
                dropped={rule: count for rule, count in sorted(rules.items()) if count},
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
