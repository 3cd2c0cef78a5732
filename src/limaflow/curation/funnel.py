"""The funnel: for each step and source, how many records came, left by which rule, and stayed.

Counts that do not add up mean that a file is stale or broken, and end the run.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records
from limaflow.records import Extracted


@dataclass(frozen=True, kw_only=True)
class CountedRecord:
    """The fields of an example or a drop that are counted."""

    source: str
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Replacements:
    """The field of a review's summary that is counted."""

    replacements: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of one source; `came` = `stayed` + the sum of `dropped`."""

    dataset: str
    """Data set that the step belongs to; "" for the steps before one is drawn."""
    pool: str = ""
    """Pool that the step belongs to, where the run has several."""
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


def funnel(results: Path, shards: dict[str, list[str]], datasets: dict[str, str | None]) -> Funnel:
    """Count every step of the run.

    Args:
        results: folder of the experiment, which may hold more than belongs to the run.
        shards: of each source.
        datasets: data set → the pool that it is drawn from, None where it was brought whole.

    Raises:
        InputError: the records that came are not those that stayed and were dropped.
    """
    curation = results / "curation"
    prompts = {
        split: _counted(curation / "prompts" / f"{split}.jsonl") for split in ("dev", "test")
    }
    source_steps, filtered = _source_steps(curation, shards)
    pools = list(dict.fromkeys(pool for pool in datasets.values() if pool))
    pool_steps = [
        replace(step, pool=pool if len(pools) > 1 else "")
        for pool in pools
        for step in _pool_steps(curation, pool, filtered)
    ]
    trained = {step.source for step in pool_steps}
    asked = Counter({source: n for source, n in filtered.items() if source not in trained})
    steps = [*source_steps, *_held_out(asked, _sum(prompts.values())), *pool_steps]
    for name, drawn_from in datasets.items():
        folder = results / "datasets" / name
        if drawn_from is None:
            steps += _brought_steps(name, folder)
        else:
            steps += _drawn_steps(name, curation / "pool" / f"{drawn_from}.jsonl", folder)
    held_out = {split: dict(sorted(counts.items())) for split, counts in prompts.items()}
    return Funnel(steps=tuple(steps), prompts=held_out)


def _source_steps(curation: Path, shards: dict[str, list[str]]) -> tuple[list[Step], Counter[str]]:
    """The steps that every source takes alone, and how many of each are left."""

    def of_shards(folder: str, suffix: str = "jsonl") -> list[Path]:
        root = curation / folder
        return [root / s / f"{shard}.{suffix}" for s in shards for shard in shards[s]]

    candidates = _sum(map(_counted, of_shards("candidates")))
    extracted = [read_json(path, Extracted) for path in of_shards("extracted", "json")]
    filtered = _sum(map(_counted, of_shards("filtered")))
    steps = _extraction(extracted, candidates)
    return [
        *steps,
        *_steps("", "filter", candidates, filtered, of_shards("dropped/filter")),
    ], filtered


def _pool_steps(curation: Path, pool: str, filtered: Counter[str]) -> list[Step]:
    """What is done to all sources of a pool together."""
    unique, kept = (_counted(curation / step / f"{pool}.jsonl") for step in ("unique", "pool"))
    duplicates = curation / "dropped/deduplicate" / f"{pool}.jsonl"
    contaminated = curation / "dropped/decontaminate" / f"{pool}.jsonl"
    sources = {*unique, *_counted(duplicates)}
    came = Counter({source: filtered[source] for source in sources})
    return [
        *_steps("", "deduplicate", came, unique, [duplicates]),
        *_steps("", "decontaminate", unique, kept, [contaminated]),
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
    """Sources that give dev and test prompts only: the others of their examples are not used."""
    drawn = Counter({source: prompts[source] for source in asked})
    rest = {source: Counter(not_drawn=asked[source] - drawn[source]) for source in asked}
    if any(counts["not_drawn"] < 0 for counts in rest.values()):
        raise InputError("more prompts were drawn than there are examples of their source")
    return _balanced("", "hold_out", asked, drawn, rest)


def _reviewed(folder: Path) -> Counter[str]:
    """Examples of each source that were to be frozen.

    Raises:
        InputError: others were frozen.
    """
    reviewed = _counted(folder / "reviewed.jsonl")
    frozen = folder / "frozen" / "train.jsonl"
    if frozen.is_file() and _counted(frozen) != reviewed:
        raise InputError("holds other counts than the reviewed examples", path=frozen)
    return reviewed


def _brought_steps(name: str, folder: Path) -> list[Step]:
    return [
        Step(dataset=name, step="adopt", source=source, came=count, stayed=count)
        for source, count in sorted(_reviewed(folder).items())
    ]


def _drawn_steps(name: str, pool: Path, folder: Path) -> list[Step]:
    reviewed = _reviewed(folder)
    sampled = _counted(folder / "sampled.jsonl")
    offered = Counter({s: n for s, n in _counted(pool).items() if sampled[s]})
    steps = _steps(name, "sample", offered, sampled, [folder / "undrawn.jsonl"])
    replacements = Counter(read_json(folder / "review.json", Replacements).replacements)
    came = sampled + replacements
    return steps + _steps(name, "review", came, reviewed, [folder / "dropped.jsonl"])


def _steps(
    dataset: str, step: str, came: Counter[str], stayed: Counter[str], drops: Iterable[Path]
) -> list[Step]:
    """One step of every source, checked; `drops` are the files of what left."""
    dropped: dict[str, Counter[str]] = {}
    for path in drops:
        for drop in read_records(path, CountedRecord):
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
        InputError: the records that came are not those that stayed and were dropped.
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
    return Counter(record.source for record in read_records(path, CountedRecord))


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total += count
    return total
