"""What was measured of one model on benchmarks, and whether two models can be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.lm_evaluation.metrics import Scale, metric_of
from limaflow.lm_evaluation.scores import mean
from limaflow.measures.summaries import Conditions
from limaflow.records import BenchmarkItem

MEASURE_AGAIN = "delete both and ask Snakemake for them: kept answers are not asked for again"


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What results.json says of one task."""

    metric: str
    value: float | None
    items: int
    higher_is_better: bool
    scale: Scale | None = None
    unpaired: str = ""
    few_shot: str = ""
    version: str = ""
    definition: str = ""


@dataclass(frozen=True, kw_only=True)
class FormatResults:
    """The tasks in one format."""

    scores: dict[str, TaskResult]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """How the tasks were put to a model."""

    limit: int | None = None
    format: str = ""
    precision: str = ""
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is read of one model's results.json."""

    model: str
    scores: dict[str, TaskResult]
    run: RunFacts = field(default_factory=RunFacts)
    also: dict[str, FormatResults] = field(default_factory=dict)
    """The same tasks put to the model in further formats."""

    def in_format(self, name: str) -> "Results":
        """What holds for one format."""
        if name == self.run.format or name not in self.also:
            return self
        return replace(self, scores=self.also[name].scores, run=replace(self.run, format=name))


@dataclass(frozen=True)
class Scored:
    """The items of one task by one model."""

    metric: str
    higher_is_better: bool
    scale: Scale | None
    items: Mapping[str, BenchmarkItem]


@dataclass(frozen=True)
class Measured:
    """One model in one format: its file of items, scores, and its results where they were given."""

    path: Path
    arm: str
    format: str
    tasks: Mapping[str, Scored]
    results: Results | None


def measured(path: Path, known: Mapping[str, Results]) -> list[Measured]:
    """The one model of a file, in each format in which it was asked; the main one is first.

    Raises:
        InputError: several models, several metrics of a task, an item twice, or no number; the
            items of a task do not average to its result; several formats without a result that
            says which is the main one.
    """
    items = list(read_records(path, BenchmarkItem))
    models = {item.model for item in items}
    if not models:
        # All of its tasks may be of a kind that is not paired.
        models = {found.model for found in known.values() if found.model == path.parent.name}
    if len(models) != 1:
        raise InputError(f"holds the items of {len(models)} models instead of one", path=path)
    arm = models.pop()
    results = known.get(arm)
    formats = list(dict.fromkeys(item.format for item in items))
    if results:
        own = [results.run.format, *results.also]
        formats = own if set(formats) <= {*own, ""} else formats
    elif len(formats) > 1:
        raise InputError(
            f"model '{arm}' was asked in several formats ({', '.join(map(repr, formats))}), and "
            "nothing says which is its main one",
            path=path,
            fix="give its results.json by --results",
        )
    by_format: dict[str, dict[str, list[BenchmarkItem]]] = {name: {} for name in formats or [""]}
    for item in items:
        name = item.format if item.format in by_format else next(iter(by_format))
        by_format[name].setdefault(item.task, []).append(item)
    found = [
        Measured(
            path,
            arm,
            name,
            {task: _scored(task, found, path) for task, found in by_task.items()},
            results and results.in_format(name),
        )
        for name, by_task in by_format.items()
    ]
    for one in found:
        if one.results:
            _check_means(path, one.tasks, one.results)
    return found


def _scored(task: str, items: Sequence[BenchmarkItem], path: Path) -> Scored:
    facts = {(item.metric, item.higher_is_better, item.scale) for item in items}
    if len(facts) > 1:
        raise InputError(f"task '{task}' has items of several metrics or scales", path=path)
    metric, direction, scale = facts.pop()
    by_id: dict[str, BenchmarkItem] = {}
    for item in items:
        if item.item_id in by_id:
            raise InputError(f"task '{task}': item {item.item_id} stands twice", path=path)
        if not math.isfinite(item.value):
            raise InputError(f"task '{task}': item {item.item_id} has no number", path=path)
        by_id[item.item_id] = item
    usual = metric_of(metric)
    return Scored(
        metric,
        usual.higher_is_better if direction is None else direction,
        usual.scale if scale is None else scale,
        by_id,
    )


def _check_means(path: Path, tasks: Mapping[str, Scored], results: Results) -> None:
    """See that the items of each task average to its result.

    Raises:
        InputError: they do not, or are more or fewer: one of the two files was changed.
    """
    for task, result in results.scores.items():
        if result.value is None or result.unpaired:
            continue
        items = list(tasks[task].items.values()) if task in tasks else []
        if len(items) != result.items:
            raise InputError(
                f"task '{task}': {len(items)} items, and results.json says {result.items}",
                path=path,
                fix=MEASURE_AGAIN,
            )
        average = mean([(item.value, item.weight) for item in items])
        if not math.isclose(average, result.value, rel_tol=1e-9, abs_tol=1e-9):
            raise InputError(
                f"task '{task}': its items average to {average:.6g}, and results.json says "
                f"{result.value:.6g}: one of the two was changed",
                path=path,
                fix=MEASURE_AGAIN,
            )


def check_alike(before: Measured, after: Measured) -> None:
    """See that two models were measured in one way.

    Raises:
        InputError: not with one precision, limit and definition of each task.
    """
    if not (before.results and after.results):
        return
    for name in ("precision", "limit"):
        one, other = getattr(before.results.run, name), getattr(after.results.run, name)
        if one != other:
            raise InputError(
                f"measured with {name} {other}, and '{before.arm}' with {one}",
                path=after.path,
                fix="measure both alike",
            )
    for task in before.results.scores.keys() & after.results.scores.keys():
        own, others = before.results.scores[task], after.results.scores[task]
        if own.definition != others.definition:
            raise InputError(
                f"task '{task}' was defined otherwise when '{before.arm}' was measured",
                path=after.path,
                fix="measure both again",
            )


def common_tasks(before: Measured, after: Measured) -> list[str]:
    """The tasks that are paired; one that has scores of one model alone must have both results.

    Raises:
        InputError: not the same tasks, items or prompts.
    """
    common = [
        task
        for task, scored in before.tasks.items()
        if task in after.tasks and after.tasks[task].metric == scored.metric
    ]
    known = (
        before.results.scores.keys() & after.results.scores.keys()
        if before.results and after.results
        else set()
    )
    different = {
        f"{task} ({scored.metric})"
        for model in (before, after)
        for task, scored in model.tasks.items()
        if task not in common and task not in known
    }
    if different:
        raise InputError(
            f"not the same tasks as {before.path}: {', '.join(sorted(different))}", path=after.path
        )
    for task in common:
        _check_items(task, before.tasks[task], after.tasks[task], before.path, after.path)
    return common


def _check_items(task: str, before: Scored, after: Scored, base: Path, tuned: Path) -> None:
    if before.items.keys() != after.items.keys():
        raise InputError(
            f"task '{task}': not the same items as {base}",
            path=tuned,
            fix="run both with the same --limit and task data",
        )
    if (before.higher_is_better, before.scale) != (after.higher_is_better, after.scale):
        raise InputError(f"task '{task}': not the same direction or scale as {base}", path=tuned)
    others = [i for i, item in before.items.items() if item.prompt != after.items[i].prompt]
    if others:
        raise InputError(
            f"task '{task}': {len(others)} items were asked otherwise than in {base}, "
            f"such as {others[0]}",
            path=tuned,
            fix="measure both again: the task, its data or its examples have changed",
        )


def conditions_of(before: Measured, after: Measured, task: str) -> Conditions | None:
    """How a task was put to the two models, where their results were given."""
    if not (before.results and after.results):
        return None
    own, base, tuned = after.results.scores[task], before.results.run, after.results.run
    return Conditions(
        few_shot=own.few_shot,
        version=own.version,
        limit=tuned.limit,
        precision=tuned.precision,
        base_format=base.format,
        format=tuned.format,
        base_revision=base.revision,
        revision=tuned.revision,
    )
