"""The one error that a user is meant to read."""

import errno
from collections.abc import Iterable
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a file no longer fits."""


class InputError(Exception):
    """Bad input: one line that names the file, the line and the mend, then a non-zero exit."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        fix: str = "",
        may_pass: bool = False,
    ) -> None:
        """Args:
        fix: what mends it.
        may_pass: whether another attempt may succeed with nothing changed.
        """
        self.may_pass = may_pass
        place = "" if path is None else f"{path}:" if line is None else f"{path}:{line}:"
        super().__init__(" ".join(part for part in (place, message, fix and f"({fix})") if part))


def shortened(text: object, most: int = 60) -> str:
    """A text of a user's file on one line, as a message shows it."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(names: Iterable[object], most: int = 12) -> str:
    """The names of a user's file as a message lists them: the first ones, and how many follow."""
    shown = [shortened(name, 30) for name in names]
    more = [f"… and {len(shown) - most} more"] if len(shown) > most else []
    return ", ".join([*shown[:most], *more])


def refuse(error: InputError) -> None:
    """What becomes of a bad row where none is allowed."""
    raise error
