"""One Snakemake at a time in a folder: `make demo` beside a plain `snakemake`.

`make demo` holds the kernel's lock on a file, which ends with its holder, and tells Snakemake to do
without a lock of its own, which a kill leaves behind. So a plain Snakemake holds that file as well.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TextIO

from limaflow.errors import InputError

FILE = ".snakemake.lock"
HELD = "LIMAFLOW_LOCKED"
"""Set by the Makefile for the Snakemake that it starts."""


def hold(folder: Path) -> TextIO | None:
    """The lock's file, to be kept open; None where the Makefile holds it, or none can be had.

    Raises:
        InputError: another run holds it.
    """
    if HELD in os.environ:
        return None
    with contextlib.suppress(PermissionError):
        file = (folder / FILE).open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise InputError(
                "another run works in this folder (`make demo`, or Snakemake)",
                path=folder.resolve(),
                fix="wait for its end, or work elsewhere with --directory",
            ) from None
        except OSError:
            # Some cluster file systems know no locks; Snakemake's own holds there.
            return file
        return file
    return None
