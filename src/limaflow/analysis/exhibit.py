"""What an exhibit is: a table, or a figure with the table of its numbers beside it.

A module of `exhibits/` declares one or both; `exhibits/catalogue.py` names them. Rules, command
line and report read the declarations and know no exhibit by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from limaflow.analysis.named_values import grouped
from limaflow.analysis.study import Study
from limaflow.errors import InputError
from limaflow.mistakes import nearest
from limaflow.plot_style import write_csv

Data = TypeVar("Data")
Drawn_contra = TypeVar("Drawn_contra", contravariant=True)
Row = Mapping[str, object]
Files = Mapping[str, list[Path]]
"""Input files by name."""
Use = Literal["lima", "stands_for", "base", "described", "roles", "bootstrap"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Values of the configuration that an exhibit may use; it names them in `uses`."""

    lima: str = ""
    """Of `lima`: the arm that the paper's claims are about."""
    stands_for: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of `stands_for`: baseline of the paper's → arms that the configuration says are it."""
    base: str = ""
    """Of `base`: the arm whose benchmark results stand before tuning."""
    described: Mapping[str, str] = field(default_factory=dict)
    """Of `described`: arm → what it is, where its name need not say it."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of `roles`: part that arms play in the study → arms."""
    rounds: int = 2000
    """Of `bootstrap`, as the two that follow."""
    confidence: float = 0.95
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Table(Generic[Data]):
    """A CSV file and how it is made."""

    inputs: Callable[[Study], Files]
    """The files that it is made from, by name."""
    read: Callable[[Files, Options], Data]
    rows: Callable[[Data], Sequence[Row]]
    applies: Callable[[Study], bool] = lambda study: True
    """Whether a study has it."""
    uses: tuple[Use, ...] = ()
    """A change of these values makes it anew."""
    beside_paper: bool = False
    """Whether the paper's values stand in it."""


class Draw(Protocol[Drawn_contra]):
    """Writes the figure of some data to `path` as SVG."""

    def __call__(self, data: Drawn_contra, path: Path, *, miniature: bool) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Figure(Table[Data]):
    """An SVG file, with its numbers as CSV beside it."""

    draw: Draw[Data]
    caption: str
    category: str
    """The section in which the reports show it; a figure of a new category is shown at the end."""


Exhibit = TypeVar("Exhibit", bound=Table[Any])


def named(exhibits: Mapping[str, Exhibit], name: str) -> Exhibit:
    """One exhibit of a catalogue.

    Raises:
        InputError: there is none of that name.
    """
    if name not in exhibits:
        raise InputError(f"no exhibit is named '{name}'{nearest(name, list(exhibits))}")
    return exhibits[name]


def files_of(inputs: Sequence[str]) -> dict[str, list[Path]]:
    """Input files from NAME=PATH words; raises as `grouped`."""
    return {
        name: [Path(path) for path in paths] for name, paths in grouped("--input", inputs).items()
    }


def write_table(table: Table[Data], files: Files, options: Options, path: Path) -> None:
    """Write the CSV file of a table.

    Raises:
        InputError: an input is not given, missing, or not what it should be.
    """
    write_csv(path, table.rows(read(table, files, options)))


def write_figure(
    figure: Figure[Data], files: Files, options: Options, path: Path, *, miniature: bool
) -> None:
    """Write a figure and its numbers beside it; raises as `write_table`."""
    data = read(figure, files, options)
    write_csv(path.with_suffix(".csv"), figure.rows(data))
    figure.draw(data, path, miniature=miniature)


def read(table: Table[Data], files: Files, options: Options) -> Data:
    """What a table is made of; raises as `write_table`."""
    try:
        return table.read(files, options)
    except KeyError as missing:
        raise InputError(
            f"needs --input {missing.args[0]}=PATH", fix="`snakemake -np` shows whole commands"
        ) from None
