"""What docs/debugging.md shows can be done: a job's command runs in Python, without Snakemake."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import Workspace

pytestmark = pytest.mark.slow
TARGET = "results/miniature/datasets/lima/frozen/train.jsonl"


def python_blocks(root: Path) -> list[str]:
    text = (root / "docs/debugging.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_command_of_a_dry_run_is_work_for_a_notebook(workspace: Workspace, root: Path) -> None:
    command = workspace.command(TARGET)
    printed = workspace.done([command[0], "-np", "-f", *command[1:]])
    block, part = python_blocks(root)
    line = "".join(re.findall(r'^    "(.*)"$', block, re.MULTILINE))
    assert f"Shell command: {line} 2>&1 | tee " in printed.stdout + printed.stderr

    frozen = workspace.folder / TARGET
    expected = frozen.read_bytes()
    frozen.unlink()
    subprocess.run(
        [sys.executable, "-c", block + part],
        cwd=workspace.folder,
        env=workspace.environment(),
        check=True,
        capture_output=True,
    )
    assert frozen.read_bytes() == expected
