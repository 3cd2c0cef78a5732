"""Which processes that have reserved something are at work, on whatever node they run.

Each holds the kernel's shared lock on a file beside the store, which ends with it, also by a kill.
Whoever gets the exclusive lock knows that nobody is there. A batch has such a file too, held by
those who wait for it.
"""

import contextlib
import fcntl
import os
import uuid
from pathlib import Path
from typing import IO


class Holders:
    """The locks of one open store, and a look at those of others."""

    def __init__(self, store: Path) -> None:
        self._folder = store.with_name(f".{store.name}.holders")
        self._name = uuid.uuid4().hex
        self._held: dict[str, IO[bytes]] = {}

    def own(self) -> str:
        """The name under which this process reserves."""
        self.hold(self._name)
        return self._name

    def hold(self, name: str) -> None:
        """Be one of those who hold `name`, until `close`."""
        path = self._folder / name
        while name not in self._held:
            # Others remove what nobody holds, which may be this file before it is locked.
            with contextlib.suppress(FileNotFoundError):
                self._folder.mkdir(exist_ok=True)
                file = path.open("a+b")
                fcntl.flock(file, fcntl.LOCK_SH)
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    self._held[name] = file

    def alive(self, name: str) -> bool:
        """Whether a process holds `name`; of an older version's reservations none is known."""
        return name in self._held or (name != "" and not self._removed(name))

    def forget_dead(self) -> None:
        """Remove the files that nobody holds."""
        for file in self._folder.glob("*"):
            self._removed(file.name)

    def _removed(self, name: str) -> bool:
        """Remove the file of `name`, unless somebody holds it or another user may."""
        try:
            with (self._folder / name).open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (self._folder / name).unlink(missing_ok=True)
        except (BlockingIOError, PermissionError):
            return False
        except FileNotFoundError:
            pass
        return True

    def close(self) -> None:
        """Hold nothing any more."""
        for file in self._held.values():
            file.close()
        for name in self._held:
            self._removed(name)
        self._held.clear()
        with contextlib.suppress(OSError):
            self._folder.rmdir()
