"""Errors of a cluster's job that another attempt would meet again.

Snakemake tries a failed job again whatever it failed of, and on a cluster each attempt waits for
its GPUs. So a command that ends in a bad input leaves a note under the number of its SLURM job, and
what submits jobs (tools/cluster/submitting.py) refuses the next attempt.
"""

import contextlib
import os
from pathlib import Path

from limaflow.errors import InputError

FOLDER = Path(".snakemake/limaflow")
"""Where Snakemake works, which all nodes share."""


def note(error: InputError) -> None:
    """Leave a note of an error that lasts, where this is a job of SLURM's."""
    job = os.environ.get("SLURM_JOB_ID", "")
    if job.isdigit() and not error.may_pass:
        with contextlib.suppress(OSError):
            FOLDER.mkdir(parents=True, exist_ok=True)
            note_of(job).write_text(f"{error}\n", encoding="utf-8")


def note_of(job: str) -> Path:
    """The file of a job's note, there or not."""
    return FOLDER / f"{job}.error"
