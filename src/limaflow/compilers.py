"""The C compiler that PyTorch's Triton needs while a program runs: no wheel brings one."""

import os
import shutil
import sysconfig
from pathlib import Path

from limaflow.errors import InputError


def require_compiler(why: str, path: str | None = None) -> None:
    """Make sure of a C compiler on `path`, as Triton looks for it (triton/runtime/build.py).

    Args:
        why: what needs it, as the message begins.
        path: folders in place of PATH, those of another environment.

    Raises:
        InputError: there is none.
    """
    named = os.environ.get("CC")
    if not any(shutil.which(tool, path=path) for tool in ([named] if named else ["clang", "gcc"])):
        raise InputError(
            f"{why}, and {named or 'gcc or clang'} cannot be found on PATH",
            fix="apt install gcc, `module load gcc`, or conda install -c conda-forge gcc gxx",
            may_pass=True,
        )


def require_headers(why: str) -> None:
    """Make sure of this Python's C headers, against which Triton compiles.

    Raises:
        InputError: they are not there.
    """
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.is_file():
        raise InputError(
            f"{why}, and {header} is not there", fix="apt install python3-dev", may_pass=True
        )
