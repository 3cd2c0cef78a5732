"""Benchmark items that were measured elsewhere: lm-eval's `samples_*.jsonl`, or a table.

A table has a row an item and says, in columns of whatever name, either the score or the right
answer and the one that was read; an empty answer is one that could not be read, which is wrong.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from limaflow.errors import InputError, listed
from limaflow.foreign_rows import Row, at, read_rows
from limaflow.lm_evaluation.lenient_reading import gives, plain
from limaflow.lm_evaluation.metrics import metric_of, preference, scale_of
from limaflow.lm_evaluation.readings import Reading, reading_of
from limaflow.lm_evaluation.scores import mean
from limaflow.lm_evaluation.settings import Column, ItemLayout
from limaflow.lm_evaluation.tasks import item_id
from limaflow.manifests import sha256_of
from limaflow.mistakes import nearest
from limaflow.records import BenchmarkItem

SAMPLES = re.compile(r"samples_(?P<task>.+?)_\d{4}-\d\d-\d\dT[\d.:-]+$")
"""lm-eval's name of a file of samples, without its ending."""
TRUTH = {"true": 1.0, "false": 0.0}


def adopted(
    files: Sequence[tuple[Path, ItemLayout]], name: str
) -> tuple[dict[str, Any], list[BenchmarkItem]]:
    """The content of results.json, and the items of the model that is called `name`.

    Args:
        files: each with how it is laid out.

    Raises:
        InputError: a file is missing or not of a known form, an item stands twice, or a task has
            several metrics; names file and line.
    """
    items: dict[tuple[str, str], BenchmarkItem] = {}
    for path, layout in files:
        for line, item in _read(path, name, layout):
            if (item.task, item.item_id) in items:
                raise InputError(
                    f"task '{item.task}': item {item.item_id} stands twice", path=path, line=line
                )
            items[item.task, item.item_id] = item
    if not items:
        raise InputError("holds no items", path=files[0][0])
    by_task: dict[str, list[BenchmarkItem]] = defaultdict(list)
    for item in items.values():
        by_task[item.task].append(item)
    results = {
        "model": name,
        "scores": {task: _score(found) for task, found in sorted(by_task.items())},
        "tasks": {},
        "also": {},
        "run": {"adopted_from": {path.name: sha256_of(path) for path, _ in files}},
    }
    return results, [item for _, found in sorted(by_task.items()) for item in found]


def _score(items: Sequence[BenchmarkItem]) -> dict[str, Any]:
    """What results.json says of one task."""
    first = items[0]
    return {
        "metric": first.metric,
        "higher_is_better": first.higher_is_better,
        "scale": first.scale,
        "value": mean([(item.value, item.weight) for item in items]),
        "items": len(items),
        "unread_items": sum(item.unread for item in items),
        "unpaired": "",
        "other_metrics": [],
    }


def _read(path: Path, name: str, layout: ItemLayout) -> Iterator[tuple[int, BenchmarkItem]]:
    rows = list(read_rows(path))
    if rows and "filtered_resps" in rows[0][1] and "doc_id" in rows[0][1]:
        yield from _samples(path, rows, name, layout)
    else:
        yield from _table(path, rows, name, layout)


def _samples(
    path: Path, rows: Sequence[tuple[int, Row]], name: str, layout: ItemLayout
) -> Iterator[tuple[int, BenchmarkItem]]:
    """The items of a file of lm-eval's, by the metric that would stand for the task."""
    named = SAMPLES.match(path.stem)
    task = layout.task or (named["task"] if named else "")
    if not task:
        raise InputError("its name does not say the task", path=path, fix="give --task")
    keys = sorted(
        {f"{metric},{row['filter']}" for _, row in rows for metric in row.get("metrics", [])},
        key=preference,
    )
    wanted = [key for key in keys if layout.metric in ("", key, key.partition(",")[0])]
    if not wanted:
        raise InputError(
            f"reports no '{layout.metric}'{nearest(layout.metric, keys)}",
            path=path,
            fix=f"it reports {listed(keys)}",
        )
    key = wanted[0]
    metric, _, answer_filter = key.partition(",")
    kind = metric_of(key)
    found = []
    for line, row in rows:
        if row["filter"] != answer_filter:
            continue
        read = kind.read(row.get(metric))
        if read is None or not isfinite(read[0]):
            raise InputError(f"no number is its {metric}", path=path, line=line)
        found.append((line, row, read))
    scale = scale_of(kind, [value for _, _, (value, _) in found])
    for line, row, (value, weight) in found:
        yield (
            line,
            BenchmarkItem(
                task=task,
                item_id=item_id(int(row["doc_id"]), str(row.get("doc_hash", ""))),
                model=name,
                metric=key,
                value=value,
                higher_is_better=kind.higher_is_better,
                scale=scale,
                weight=weight,
                prompt=str(row.get("prompt_hash", "")),
                **asdict(reading_of(row)),
            ),
        )


def _table(
    path: Path, rows: Sequence[tuple[int, Row]], name: str, layout: ItemLayout
) -> Iterator[tuple[int, BenchmarkItem]]:
    cells = [(line, _Cells(row, layout, path, line)) for line, row in rows]
    scored = bool(cells) and cells[0][1].has("score")
    if cells and not scored and not (cells[0][1].has("right") and cells[0][1].has("answer")):
        raise InputError(
            f"has neither a column score nor right and answer; it has {listed(rows[0][1])}",
            path=path,
            fix="name them: --column score=THEIRS",
        )
    values = [row.score() if scored else row.correctness() for _, row in cells]
    key = layout.metric or ("score" if scored else "exact_match")
    kind = metric_of(key)
    scale = scale_of(kind, values)
    for (line, row), value in zip(cells, values, strict=True):
        task = row.text("task") or layout.task
        if not task:
            raise InputError("of which task?", path=path, line=line, fix="give --task")
        yield (
            line,
            BenchmarkItem(
                task=task,
                item_id=row.needed("item"),
                model=name,
                metric=key,
                value=value,
                higher_is_better=kind.higher_is_better,
                scale=scale,
                prompt=row.text("prompt"),
                **asdict(row.reading()),
            ),
        )


@dataclass(frozen=True)
class _Cells:
    """One row of a table, by our names of its columns."""

    row: Row
    layout: ItemLayout
    path: Path
    line: int

    def has(self, name: Column) -> bool:
        return self._cell(name) is not None

    def text(self, name: Column) -> str:
        value = self._cell(name)
        return "" if value is None else str(value).strip()

    def needed(self, name: Column) -> str:
        if found := self.text(name):
            return found
        raise InputError(
            f"has no {name}", path=self.path, line=self.line, fix=f"--column {name}=THEIRS"
        )

    def score(self) -> float:
        given = self.needed("score")
        try:
            value = TRUTH.get(given.lower())
            value = float(given) if value is None else value
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise InputError(f"'{given}' is no score", path=self.path, line=self.line)
        return value

    def correctness(self) -> float:
        self.needed("right")
        form = plain if self.layout.normalize else str
        return float(form(self.text("answer")) in map(form, self.right_answers()))

    def right_answers(self) -> list[str]:
        """One, or all of a list, which in a table without lists is one of JSON."""
        given = self._cell("right")
        if isinstance(given, str) and self.layout.separator:
            given = given.split(self.layout.separator)
        elif isinstance(given, str) and given.startswith("["):
            try:
                given = json.loads(given)
            except ValueError:
                given = [given]
        answers = given if isinstance(given, list) else [given]
        return [str(one).strip() for one in answers if one is not None and str(one).strip()]

    def reading(self) -> Reading:
        answer, choices = self.text("answer"), self.text("choices")
        if choices and not (choices.isdecimal() and int(choices) > 0):
            raise InputError(f"'{choices}' is no number of choices", path=self.path, line=self.line)
        reply = self.text("reply") if self.has("reply") else None
        right = self.right_answers()
        return Reading(
            reply=reply,
            lenient=gives(reply, right) if reply is not None and right else None,
            question="" if reply is None else self.text("question"),
            right_answers=() if reply is None else tuple(right),
            answer=answer or None,
            unread=self.has("answer") and not answer,
            choices=int(choices) if choices else None,
        )

    def _cell(self, name: Column) -> Any:
        """None where the file has no such column; a column that was named has to be there."""
        theirs = self.layout.columns.get(name, name)
        try:
            return at(self.row, theirs)
        except KeyError:
            if name in self.layout.columns:
                raise InputError(
                    f"has no column '{theirs}'{nearest(theirs, list(self.row))}",
                    path=self.path,
                    line=self.line,
                ) from None
            return None
