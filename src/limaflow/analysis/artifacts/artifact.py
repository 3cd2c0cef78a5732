"""What an artifact is: something that the paper prints, made again, with the paper's own beside it.

A module of this folder declares some; `catalogue.py` names them by the target that makes them. Each
is drawn (SVG, PDF, PNG) and written (CSV; Markdown and LaTeX as one would print it).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.analysis.exhibit import Data, Draw, Files, Options, Table, read
from limaflow.analysis.study import Study
from limaflow.analysis.table_formats import write_as
from limaflow.intervals import Interval
from limaflow.plot_style import write_csv


@dataclass(frozen=True, kw_only=True)
class Artifact(Table[Data]):
    """A figure, table or appendix of the paper."""

    title: str
    draw: Draw[Data]
    printed: Callable[[Data], Sequence[Mapping[str, str]]]
    """The rows as texts, for Markdown and LaTeX."""
    missing: Callable[[Study], str] = lambda study: ""
    """What a study lacks for it, with the key of the configuration; "" if nothing."""
    beside_paper: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    """A number of ours and the paper's; one of them may be missing.

    What has no interval is given as one without width.
    """

    panel: str
    """What is counted, with its unit."""
    label: str
    ours: Interval | None = None
    basis: str = ""
    """Who or what measured ours, and on how much."""
    paper: Interval | None = None
    place: str = ""
    """Of the paper's."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text of ours beside what the paper is reported to show."""

    label: str
    ours: str
    paper: str
    place: str


def exact(value: float) -> Interval:
    """A number without an interval."""
    return Interval(value, value, value)


def scaled(interval: Interval, factor: float) -> Interval:
    """The same number in another unit."""
    return Interval(*(factor * end for end in (interval.estimate, interval.low, interval.high)))


def write_artifact(
    artifact: Artifact[Data], files: Files, options: Options, path: Path, *, miniature: bool
) -> None:
    """Write an artifact to `path`, an SVG file, and beside it as PDF, PNG, CSV, Markdown and LaTeX.

    Raises:
        InputError: an input is not given, missing, or not what it should be.
    """
    data = read(artifact, files, options)
    write_csv(path.with_suffix(".csv"), artifact.rows(data))
    printed = artifact.printed(data)
    for suffix in (".md", ".tex"):
        write_as(path.with_suffix(suffix), printed)
    artifact.draw(data, path, miniature=miniature)
