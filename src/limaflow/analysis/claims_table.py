"""The claims as a table for other documents: CSV, Markdown or LaTeX, by the name of the file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from limaflow.analysis.claims import Claim, Measured
from limaflow.analysis.recorded import Recorded
from limaflow.analysis.table_formats import write_as

Row = Mapping[str, str]
LATEX_COLUMNS = ("claim", "verdict", "measured", "literature", "published values")


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
    write_as(path, rows(claims), latex=_of_a_page)


def _of_a_page(row: Row) -> Row:
    """The columns that fit a page."""
    cells = {**row, "measured": row["measured"] or row["reason"]}
    return {name: cells[name] for name in LATEX_COLUMNS}
