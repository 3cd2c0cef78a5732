"""Tables for other documents: CSV, Markdown or LaTeX, by the name of the file."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.mistakes import nearest
from limaflow.plot_style import write_csv

Row = Mapping[str, str]


def write_as(
    path: Path, table: Sequence[Row], *, latex: Callable[[Row], Row] = lambda row: row
) -> None:
    """Write rows with the same keys in the format that the name ends with.

    Args:
        latex: the cells of a row that fit a page.

    Raises:
        InputError: no such format.
    """
    if path.suffix == ".csv":
        write_csv(path, table)
    elif path.suffix == ".md":
        _markdown(path, table)
    elif path.suffix == ".tex":
        _latex(path, list(map(latex, table)))
    else:
        raise InputError(
            f"no table is written as '{path.suffix}'{nearest(path.suffix, list(FORMATS))}",
            path=path,
        )


FORMATS = (".csv", ".md", ".tex")


def _markdown(path: Path, table: Sequence[Row]) -> None:
    lines = [_pipes(table[0]), "|" + "---|" * len(table[0])] if table else []
    lines += [_pipes(row.values()) for row in table]
    _write(path, lines)


def _pipes(cells: Iterable[str]) -> str:
    # A line break would end the row.
    texts = (cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells)
    return "| " + " | ".join(texts) + " |"


def _latex(path: Path, table: Sequence[Row]) -> None:
    """A longtable as wide as a page; needs the package `longtable`."""
    names = list(table[0]) if table else []
    width = f"{0.9 / max(1, len(names)):.2f}\\textwidth"
    lines = [
        "% \\usepackage{longtable}",
        f"\\begin{{longtable}}{{{f'p{{{width}}}' * len(names)}}}",
        " & ".join(map(_latex_text, names)) + " \\\\ \\hline \\endhead",
    ]
    lines += [" & ".join(map(_latex_text, row.values())) + " \\\\ \\hline" for row in table]
    _write(path, [*lines, "\\end{longtable}"])


LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\n": "\\newline ",
    "−": "$-$",
    "±": "$\\pm$",
    "½": "$\\frac12$",
    "κ": "$\\kappa$",
    "→": "$\\to$",
    "≥": "$\\ge$",
}


def _latex_text(text: str) -> str:
    return re.sub("|".join(map(re.escape, LATEX)), lambda found: LATEX[found[0]], text)


def _write(path: Path, lines: Sequence[str]) -> None:
    with replacing(path) as file:
        file.write("\n".join(lines) + "\n")
