"""Fetch what benchmark tasks need of a network, and see that they then work without one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.data_sets import Read
from limaflow.lm_evaluation.tasks import loaded

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
ITEMS = 3
"""Of each task, put together and scored without a network."""


def fetch(tasks: Sequence[str], include: Path | None, **options: Any) -> tuple[Read, ...]:
    """Load the tasks, which brings their data, metrics and nltk's files below HF_HOME.

    Args:
        options: `data_root` and `copies` of `tasks.loaded`.

    Returns:
        The data sets of the hub, with where they were read.

    Raises:
        InputError: something is missing; names it for every task.
    """
    try:
        return loaded(tasks, include, unsafe_code=True, **options).data
    except InputError as first:
        missing = [*_missing(tasks, include, **options)] or [str(first)]
    raise InputError(
        "\n  ".join([f"benchmark tasks that cannot be run here ({len(missing)}):", *missing]),
        fix="is there a network, HF_HUB_OFFLINE unset, and HF_TOKEN for gated data?",
    )


def _missing(tasks: Sequence[str], include: Path | None, **options: Any) -> list[str]:
    lines = []
    for task in tasks:
        try:
            loaded([task], include, unsafe_code=True, **options)
        except InputError as error:
            lines.append(str(error))
    return lines


def works_offline(options: Sequence[str]) -> None:
    """See that `limaflow benchmark check` with these options needs no network.

    Raises:
        InputError: it does; with what it said.
    """
    command = [sys.executable, "-c", "from limaflow.cli import main; main()", "benchmark", "check"]
    done = subprocess.run(
        [*command, *options, "--limit", str(ITEMS)],
        env=os.environ | OFFLINE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise InputError(f"the tasks do not work without a network yet: {''.join(said[-1:])}")
