"""The claims as a table for other documents: CSV, Markdown or LaTeX, by the name of the file."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from limaflow.analysis.claims import Claim, Measured
from limaflow.analysis.recorded import Recorded
from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.mistakes import nearest
from limaflow.plot_style import write_csv

Row = Mapping[str, str]


def rows(claims: Sequence[Claim]) -> list[Row]:
    """One row a claim, every cell as text."""
    return [
        {
            "id": claim.id,
            "origin": claim.origin,
            "claim": claim.statement,
            "verdict": claim.summary,
            "measured": "; ".join(_measured(one) for one in claim.measured),
            "reason": "; ".join([*([claim.reason] if claim.reason else []), *claim.set_aside]),
            "supported if": claim.supported,
            "contradicted if": claim.contradicted,
            "correction": claim.correction,
            "literature": f"{claim.paper} ({claim.source})" if claim.source else claim.paper,
            "published values": "; ".join(map(_published, claim.recorded)),
        }
        for claim in claims
    ]


def _published(row: Recorded) -> str:
    values = ", ".join(f"{value.label}: {value.number}" for value in row.values)
    basis = "; ".join(dict.fromkeys(value.basis for value in row.values))
    return f"{row.study}: {values} ({basis}; {row.source})"


def _measured(one: Measured) -> str:
    found = one.interval
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}] {one.label}"


def write_claims(claims: Sequence[Claim], path: Path) -> None:
    """Write the table in the format that the name ends with.

    Raises:
        InputError: no such format.
    """
    if path.suffix not in FORMATS:
        raise InputError(
            f"no table is written as '{path.suffix}'{nearest(path.suffix, list(FORMATS))}",
            path=path,
        )
    FORMATS[path.suffix](path, rows(claims))


def _markdown(path: Path, table: Sequence[Row]) -> None:
    lines = [_pipes(table[0]), "|" + "---|" * len(table[0])] if table else []
    lines += [_pipes(row.values()) for row in table]
    _write(path, lines)


def _pipes(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


LATEX_COLUMNS = ("claim", "verdict", "measured", "literature", "published values")


def _latex(path: Path, table: Sequence[Row]) -> None:
    """A longtable of the columns that fit a page; needs the package `longtable`."""
    width = f"{0.9 / len(LATEX_COLUMNS):.2f}\\textwidth"
    lines = [
        "% \\usepackage{longtable}",
        f"\\begin{{longtable}}{{{f'p{{{width}}}' * len(LATEX_COLUMNS)}}}",
        " & ".join(LATEX_COLUMNS) + " \\\\ \\hline \\endhead",
    ]
    for row in table:
        cells = {**row, "measured": row["measured"] or row["reason"]}
        lines.append(
            " & ".join(_latex_text(cells[name]) for name in LATEX_COLUMNS) + " \\\\ \\hline"
        )
    _write(path, [*lines, "\\end{longtable}"])


LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
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


FORMATS: Mapping[str, Callable[[Path, Sequence[Row]], None]] = {
    ".csv": write_csv,
    ".md": _markdown,
    ".tex": _latex,
}
