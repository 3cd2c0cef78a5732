"""The answer as plain text that fits a terminal of 80 columns."""

import textwrap
from collections.abc import Sequence

from limaflow.intervals import Interval
from limaflow.report.answer import QUESTION, Answer, ArmRow, signed

WIDTH = 80
HEADS = ("arm", "grade", "right", "tax (points)", "chars")


def as_text(answer: Answer, *, miniature: bool) -> str:
    """Question, sentence and the table of all arms."""
    label = ["MINIATURE: an invented world; nothing here is about LLaMA.", ""] if miniature else []
    lines = [
        *label,
        QUESTION,
        *textwrap.wrap(f"{answer.verdict} {answer.sentence}", WIDTH),
        "",
        *_table(answer.arms),
    ]
    return "\n".join(lines)


def _table(arms: Sequence[ArmRow]) -> list[str]:
    rows = [HEADS, *(_cells(row) for row in arms)]
    # Columns that nothing fills are left out.
    kept = [n for n in range(len(HEADS)) if n == 0 or any(row[n] != "–" for row in rows[1:])]
    widths = {n: max(len(row[n]) for row in rows) for n in kept}
    spare = WIDTH - sum(widths[n] + 2 for n in kept if n)
    widths[0] = min(widths[0], spare)
    return [
        "  ".join(
            textwrap.shorten(row[n], widths[n], placeholder="…").ljust(widths[n])
            if n == 0
            else row[n].rjust(widths[n])
            for n in kept
        ).rstrip()
        for row in rows
    ]


def _cells(row: ArmRow) -> tuple[str, ...]:
    name = f"{row.arm} ({row.about})" if row.about else row.arm
    return (
        name,
        _estimate(row.grade, ".2f"),
        _estimate(row.right, ".0%"),
        signed(row.tax) if row.tax else "–",
        "–" if row.chars is None else f"{row.chars:.0f}",
    )


def _estimate(found: Interval | None, form: str) -> str:
    return "–" if found is None else format(found.estimate, form)
