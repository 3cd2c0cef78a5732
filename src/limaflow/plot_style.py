"""How every figure of ours looks, and how it is written: the same numbers give the same bytes.

Colours after Okabe and Ito (2008) and Tol (2021), told apart with any colour vision and in grey.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limaflow.intervals import Interval
from limaflow.jsonl import replacing

BLUE, ORANGE, GREY, LIGHT = "#0072B2", "#D55E00", "#6B6B6B", "#D9D9D9"
SERIES = (BLUE, ORANGE, "#009E73", "#AA4499", "#56B4E9", "#E69F00", "#332288", GREY)
MINIATURE = "miniature world: says nothing about real models"

STYLE: dict[Any, object] = {
    "svg.hashsalt": "limaflow",
    "svg.fonttype": "none",
    # Text that one can search, and no Type 3 font, which publishers refuse.
    "pdf.fonttype": 42,
    # A dollar sign in a name is a dollar sign.
    "text.parse_math": False,
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
}


PRINTED = (".pdf", ".png")
"""Further formats of a figure that is to be printed or pasted."""


@contextmanager
def drawing(
    path: Path, *, width: float, height: float, miniature: bool, also: Sequence[str] = ()
) -> Iterator[Any]:
    """A matplotlib figure (inches) that is written to `path` as SVG when the block ends.

    Args:
        also: of `PRINTED`, the formats in which it is written beside that.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        if miniature:
            figure.supxlabel(MINIATURE, fontsize=8, color=ORANGE, x=0.995, ha="right")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "limaflow"})
        for suffix in also:
            _save(figure, path.with_suffix(suffix))
    with replacing(path) as file:
        file.write(text.getvalue())


def _save(figure: Any, path: Path) -> None:
    """Write a PDF or PNG that holds no time and no version."""
    unsaid = {".pdf": {"CreationDate": None, "Producer": None}, ".png": {"Software": None}}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format=path.suffix[1:], dpi=200, metadata=unsaid[path.suffix])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def arm_colours(arms: Iterable[str]) -> dict[str, str]:
    """Arm → its colour, given by name: an arm has one colour in all figures of the same arms.

    Grey is left for what is no arm; from the eighth arm on colours repeat.
    """
    return {arm: SERIES[n % (len(SERIES) - 1)] for n, arm in enumerate(sorted(set(arms)))}


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows with the same keys as CSV; an empty sequence gives an empty file."""
    with replacing(path) as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({k: _rounded(v) for k, v in row.items()} for row in rows)


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def columns(name: str, interval: Interval | None) -> dict[str, float | None]:
    """An interval as three columns of a table."""
    return {
        name: None if interval is None else interval.estimate,
        f"{name}_low": None if interval is None else interval.low,
        f"{name}_high": None if interval is None else interval.high,
    }


def error_bars(intervals: Sequence[Interval]) -> list[list[float]]:
    """Lengths below and above the estimates, as matplotlib wants them."""
    return [
        [max(0.0, i.estimate - i.low) for i in intervals],
        [max(0.0, i.high - i.estimate) for i in intervals],
    ]


def empty(axes: Any, message: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, message, ha="center", va="center", color=GREY, transform=axes.transAxes)
    axes.set_axis_off()
