"""Which files this process reads and writes, by Python's own audit events (PEP 578).

The events name every file that Python opens, renames or removes, so that no command has to say what
it reads and writes, and none can forget a file. What libraries open in C or Rust (weights, SQLite)
is not seen: weights are named by the checksums of their manifest.
"""

# A path is taken as it was given: links in it are not followed.
# ruff: noqa: PTH100

import contextlib
import os
import sys
from typing import Any

from limaflow.recording.record import FOLDER, record_of

WRITING = os.O_WRONLY | os.O_RDWR
WHOLE = os.O_TRUNC | os.O_EXCL
"""Opened so, a file holds what this process writes and nothing older."""


class Watch:
    """The files that were opened since it began, as absolute paths; some are gone by now."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        """From their first byte to their last."""

    @classmethod
    def begun(cls) -> "Watch":
        """A watch over the rest of this process; a hook cannot be taken away."""
        watch = cls()
        sys.addaudithook(watch.note)
        return watch

    def note(self, event: str, details: tuple[Any, ...]) -> None:
        """Take in one audit event; an error here would break what is watched."""
        if event == "open":
            with contextlib.suppress(OSError, ValueError, TypeError):
                self._opened(details[0], details[2] or 0)
        elif event in ("os.rename", "os.link", "os.symlink"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                self._moved(_absolute(details[0]), _absolute(details[1]))
        elif event == "os.remove":
            with contextlib.suppress(OSError, ValueError, TypeError):
                _forget(_absolute(details[0]))

    def _opened(self, path: Any, flags: int) -> None:
        if isinstance(path, int):
            return
        if not flags & WRITING:
            self.read.add(os.fsdecode(path))
            return
        place = _absolute(path)
        if flags & WHOLE:
            self.written.add(place)
        _forget(place)

    def _moved(self, source: str, target: str) -> None:
        """A file written under another name, or a folder of such files."""
        inside = {path for path in self.written if path.startswith(f"{source}/")}
        self.written |= {target + path.removeprefix(source) for path in inside}
        self.written.add(target)
        _forget(target)


def _absolute(path: Any) -> str:
    return os.path.abspath(os.fsdecode(path))


def _forget(path: str) -> None:
    """A record of what stood there before must not describe what stands there now."""
    folder, name = os.path.split(path)
    # The removal is an event too, of which nothing more follows.
    if not name.startswith(".") and not folder.endswith(FOLDER):
        record = record_of(path)
        if record.exists():
            record.unlink()
