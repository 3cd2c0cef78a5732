"""One job at a time in a run's folder, on one machine and over a shared file system.

The kernel's lock goes with its holder, however that ends. Some cluster file systems do not pass it
between nodes, or know none; so the holder's SLURM job is written down too, and as long as that one
runs, no other job comes in.
"""

import contextlib
import errno
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from limaflow.errors import InputError

SECONDS_TO_WAIT = 120
"""A killed job may take SLURM's KillWait (30 s) to die, NFS 90 s to forget a lost node's lock."""
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
UNKNOWN_JOB = "Invalid job id"
ALIVE = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING")


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold the run's folder.

    Raises:
        InputError: another job has held it for longer than a killed one takes to die.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        said = False
        while holder := _other_holder(file):
            if time.monotonic() > deadline:
                raise InputError(
                    f"another job is training this model: {holder}",
                    path=folder,
                    fix="wait for its end, or end it, and run again",
                    may_pass=True,
                )
            if not said:
                print(f"waiting for the job that trains this model: {holder}", file=sys.stderr)
                said = True
            time.sleep(0.5)
        file.truncate(0)
        file.write(_self())
        file.flush()
        yield


def _self() -> str:
    place = f"process {os.getpid()} on {socket.gethostname()}"
    job = os.environ.get("SLURM_JOB_ID")
    return f"SLURM job {job}, {place}" if job else place


def _other_holder(file: TextIO) -> str | None:
    """Who holds the folder; None once this process has the lock and nobody else runs."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(file) or "an unnamed process"
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    holder = _written(file)
    job = holder.removeprefix("SLURM job ").split(",")[0]
    if job.isdigit() and job != os.environ.get("SLURM_JOB_ID") and _runs(job):
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
        return holder
    return None


def _written(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip()


def _runs(job: str) -> bool:
    """Whether SLURM still has the job at work.

    No where it does not know the number, or is not there; yes while it does not answer, since the
    job may well run on.
    """
    try:
        done = subprocess.run(
            ["squeue", "--noheader", f"--jobs={job}", "--format=%T"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return False
    if done.returncode:
        return UNKNOWN_JOB not in done.stderr
    return done.stdout.strip() in ALIVE
