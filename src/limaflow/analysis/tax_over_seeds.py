"""The alignment tax of an arm that was trained with many seeds: over items and seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from limaflow.analysis.measured_tasks import Measured, Results, check_alike, measured
from limaflow.intervals import Interval, Resampling
from limaflow.measures.summaries import TaskTax
from limaflow.measures.training_seeds import FEWEST_SEEDS, mean_over_seeds
from limaflow.seeds import seed_for


def over_seeds(
    rows: Iterable[TaskTax],
    base: Path,
    seeds: Mapping[str, Sequence[Path]],
    known: Mapping[str, Results],
    resampling: Resampling,
) -> list[TaskTax]:
    """Rows of first training seeds; from five seeds on with score and difference over all of them.

    A task whose items do not weigh alike, or have scores outside 0 to 1, keeps the interval of the
    first seed. The p-value stays that of the first seed.

    Args:
        base: items.jsonl of the base.
        seeds: arm → items.jsonl of all its seeds, the first among them.
        known: model → what its results.json says.

    Raises:
        InputError: as `alignment_tax`.
    """
    enough = {arm: paths for arm, paths in seeds.items() if len(paths) >= FEWEST_SEEDS}
    if not enough:
        return list(rows)
    before = measured(base, known)[0]
    read = {arm: [measured(path, known) for path in paths] for arm, paths in enough.items()}
    for seeds_of_arm in read.values():
        for formats in seeds_of_arm:
            for after in formats:
                check_alike(before, after)
    return [
        _over(row, before, _in_format(row, read[row.arm]), resampling) if row.arm in read else row
        for row in rows
    ]


def _in_format(row: TaskTax, seeds: Sequence[Sequence[Measured]]) -> list[Measured]:
    """Of each seed what was asked in the format of a row; the main one is the first."""
    return [
        after
        for formats in seeds
        for number, after in enumerate(formats)
        if (after.format if number else "") == row.further_format
    ]


def _over(
    row: TaskTax, before: Measured, seeds: Sequence[Measured], resampling: Resampling
) -> TaskTax:
    if len(seeds) < FEWEST_SEEDS or not all(row.task in seed.tasks for seed in seeds):
        return row
    if row.difference is None:
        return row
    base = before.tasks[row.task]
    old = {name: item.value for name, item in base.items.items()}
    scores = [
        {name: item.value for name, item in seed.tasks[row.task].items.items()} for seed in seeds
    ]
    in_shares = all(0 <= value <= 1 for of in (old, *scores) for value in of.values())
    if not in_shares or len({item.weight for item in base.items.values()}) > 1:
        return row
    sign = 1 if base.higher_is_better else -1
    drawn = replace(resampling, seed=seed_for(resampling.seed, "tax", row.task))

    def mean(values: Sequence[Mapping[str, float]], least: float) -> Interval:
        return mean_over_seeds(values, least, 1.0, drawn)

    return replace(
        row,
        over_seeds=True,
        tuned=mean(scores, 0.0),
        difference=mean([{n: sign * (of[n] - old[n]) for n in old} for of in scores], -1.0),
    )
