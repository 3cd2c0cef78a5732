"""The claims leave the project as CSV, Markdown and LaTeX, with flags and published values."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.analysis.claims import Claim, Measured, decided
from limaflow.analysis.claims_table import write_claims
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.flags import Flag
from limaflow.analysis.paper import paper
from limaflow.errors import InputError
from limaflow.intervals import Interval

CLAIMS = decided([], Evidence(lima="lima"), paper())


@pytest.fixture
def claims() -> list[Claim]:
    one = Measured(label="a|b, 50 % of x_1", interval=Interval(-0.1, -0.2, 0), decision="supported")
    first = replace(
        CLAIMS[0],
        verdict="supported",
        measured=[one],
        flags=[Flag(id="one-judge", text="j alone judged")],
    )
    return [first, *CLAIMS[1:]]


def test_csv_has_a_row_for_every_claim(claims: list[Claim], tmp_path: Path) -> None:
    write_claims(claims, tmp_path / "claims.csv")
    with (tmp_path / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [claim.id for claim in claims]
    assert rows[0]["verdict"] == "supported, flagged: one judge"
    assert rows[0]["measured"] == "-0.10 [-0.20, 0.00] a|b, 50 % of x_1"
    assert "MT-Bench: +0.69 grades" in rows[0]["published values"]


def test_markdown_keeps_a_claim_on_one_line_of_equal_cells(
    claims: list[Claim], tmp_path: Path
) -> None:
    write_claims(claims, tmp_path / "claims.md")
    lines = (tmp_path / "claims.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(claims) + 2
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_latex_escapes_what_has_a_meaning_there(claims: list[Claim], tmp_path: Path) -> None:
    write_claims(claims, tmp_path / "claims.tex")
    text = (tmp_path / "claims.tex").read_text(encoding="utf-8")
    assert "50 \\% of x\\_1" in text
    rows = [line for line in text.splitlines() if line.endswith("\\\\ \\hline")]
    assert len(rows) == len(claims)
    assert {line.replace("\\&", "").count("&") for line in rows} == {4}


def test_an_unknown_format_is_named(claims: list[Claim], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no table is written as '\.docx'"):
        write_claims(claims, tmp_path / "claims.docx")
