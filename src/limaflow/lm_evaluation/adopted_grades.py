"""What people said of replies to benchmark items, from tables of whatever columns.

A row is one reply of one model: item, task, arm, and whether it is right. Rows are held against the
items that were measured, so that none is lost in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.errors import InputError, listed, shortened
from limaflow.foreign_rows import Row, at, read_rows
from limaflow.lm_evaluation.settings import GradeColumn, GradeLayout
from limaflow.mistakes import nearest
from limaflow.records import AnswerGrade, BenchmarkItem

RIGHT, WRONG, NO_ANSWER, UNSURE = "right", "wrong", "no answer", "unsure"
WORDS: Mapping[str, str] = {
    **dict.fromkeys(("right", "correct", "true", "yes", "1", "1.0"), RIGHT),
    **dict.fromkeys(("wrong", "incorrect", "false", "no", "0", "0.0"), WRONG),
    **dict.fromkeys(("no answer", "no_answer", "not attempted"), NO_ANSWER),
    **dict.fromkeys(("unsure", "unclear", "maybe", "?", "", "nan", "none"), UNSURE),
}
"""What a file may say, in lower case."""
ALSO: Mapping[GradeColumn, str] = {"item": "item_id", "arm": "model"}
"""What our own files of items call a column."""

Asked = tuple[str, str, str]
"""Model, format and task."""


def adopted_grades(
    files: Sequence[tuple[Path, GradeLayout]], measured: Iterable[BenchmarkItem]
) -> list[AnswerGrade]:
    """The grades of all files, in the order of their rows.

    Args:
        files: each with how it is laid out.
        measured: the items of every arm.

    Raises:
        InputError: a row lacks a value, says neither right nor wrong, is of an item that was not
            measured or of another reply, or stands twice; names file and line.
    """
    by_asked: dict[Asked, dict[str, BenchmarkItem]] = {}
    for item in measured:
        by_asked.setdefault((item.model, item.format, item.task), {})[item.item_id] = item
    found: dict[tuple[str, Asked, str], AnswerGrade] = {}
    for path, layout in files:
        for line, row in read_rows(path):
            grade = _grade(_Cells(row, layout, path, line), by_asked)
            key = grade.annotator, (grade.model, grade.format, grade.task), grade.prompt_id
            if key in found:
                raise InputError(
                    f"{grade.annotator} graded item {grade.prompt_id} of '{grade.model}' before",
                    path=path,
                    line=line,
                )
            found[key] = grade
    if not found:
        raise InputError("holds no grades", path=files[0][0])
    return list(found.values())


def _grade(cells: "_Cells", by_asked: Mapping[Asked, Mapping[str, BenchmarkItem]]) -> AnswerGrade:
    arm, task = cells.needed("arm"), cells.needed("task")
    arms = sorted({model for model, _, _ in by_asked})
    if arm not in arms:
        raise cells.error(f"no arm '{arm}' was measured{nearest(arm, arms)}")
    tasks = sorted({known for model, _, known in by_asked if model == arm})
    if task not in tasks:
        raise cells.error(f"'{arm}' was not measured on '{task}'{nearest(task, tasks)}")
    formats = [name for model, name, known in by_asked if (model, known) == (arm, task)]
    format = cells.text("format")
    if not format and len(formats) > 1:
        raise cells.error(
            f"'{arm}' was asked in several formats ({listed(formats)}); which is it?",
            fix="give a column format, or format: of the whole file",
        )
    asked = (arm, format or formats[0], task)
    name = cells.needed("item")
    item = by_asked.get(asked, {}).get(name)
    if item is None:
        raise cells.error(f"task '{task}' of '{arm}' has no item '{shortened(name)}'")
    reply = cells.text("reply")
    if reply and item.reply is not None and reply.split() != item.reply.split():
        raise cells.error(
            f"item '{shortened(name)}': another reply was graded than '{arm}' gave: "
            f"'{shortened(reply)}'"
        )
    said = cells.said()
    return AnswerGrade(
        prompt_id=name,
        sample=0,
        annotator=cells.text("reader") or "people",
        annotator_kind="person",
        task=task,
        model=arm,
        format=asked[1],
        right=None if said == UNSURE else said == RIGHT,
        no_answer=said == NO_ANSWER,
        response_id=item.response_id,
    )


@dataclass(frozen=True)
class _Cells:
    """One row, by our names of its columns."""

    row: Row
    layout: GradeLayout
    path: Path
    line: int

    def text(self, name: GradeColumn) -> str:
        """The cell, else what the layout says of the whole file, else ""."""
        value = self._cell(name)
        given = "" if value is None else str(value).strip()
        return given or str(getattr(self.layout, name, ""))

    def needed(self, name: GradeColumn) -> str:
        if found := self.text(name):
            return found
        raise self.error(f"has no {name}; it has {listed(self.row)}", fix=f"columns: {{{name}: …}}")

    def said(self) -> str:
        """Right, wrong, no answer or unsure."""
        value = self._cell("right")
        if value is None and self.layout.columns.get("right", "right") not in self.row:
            self.needed("right")
        given = "" if value is None else str(value).strip()
        meant = self.layout.words.get(given, WORDS.get(given.lower()))
        if meant is None:
            raise self.error(
                f"'{shortened(given)}' says neither right nor wrong",
                fix=f"words: {{{shortened(given, 20)}: right}}",
            )
        return meant

    def error(self, message: str, fix: str = "") -> InputError:
        return InputError(message, path=self.path, line=self.line, fix=fix)

    def _cell(self, name: GradeColumn) -> Any:
        """None where the file has no such column; a column that was named has to be there."""
        theirs = self.layout.columns.get(name)
        if theirs is None:
            return self.row.get(name, self.row.get(ALSO.get(name, name)))
        try:
            return at(self.row, theirs)
        except KeyError:
            raise self.error(f"has no column '{theirs}'{nearest(theirs, list(self.row))}") from None
