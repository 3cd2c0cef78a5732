"""The table of docs/models.md is what is observed."""

import subprocess
import sys
from pathlib import Path

import models_table
import pytest
from architectures import ARCHITECTURES
from models_table import written_rows

QUICK = ["llama", "gemma3", "phi", "mixtral", "lfm2", "opt"]
PATIENCE = 600
"""Seconds that one architecture may take on a busy machine."""


def observed_lines(names: list[str]) -> list[str]:
    """In a program of its own, which starts a process for each step of each architecture."""
    # Nothing is written: rows are printed.
    program = (
        "import sys, tempfile, pathlib, models_table\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    bases = models_table.bases(sys.argv[1:], pathlib.Path(folder))\n"
        "    for row in models_table.rows_of(bases):\n"
        "        print('ROW', row.line)\n"
    )
    run = subprocess.run(
        ["nice", sys.executable, "-c", program, *names],
        cwd=Path(models_table.__file__).parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE * len(names),
        check=True,
    )
    return [line[4:] for line in run.stdout.splitlines() if line.startswith("ROW ")]


def test_the_page_has_no_row_with_a_fault_and_none_of_another_architecture() -> None:
    rows = written_rows()
    assert list(rows) == [name for name in ARCHITECTURES if name in rows]
    assert set(QUICK) <= set(rows)
    assert not [row.line for row in rows.values() if "FAULT" in row.line]


@pytest.mark.slow
def test_six_architectures_are_as_the_page_says() -> None:
    assert observed_lines(QUICK) == [written_rows()[name].line for name in QUICK]


@pytest.mark.slow
@pytest.mark.long
def test_all_other_architectures_are_as_the_page_says() -> None:
    others = [name for name in written_rows() if name not in QUICK]
    assert observed_lines(others) == [written_rows()[name].line for name in others]
