"""The end of a training that SLURM, a user or, when a process has died, torchrun asks for.

The step under way is finished and saved. Where it cannot be, since another process is gone or
hangs, this one waits in a collective, during which Python runs no handler of a signal: a thread
ends the process then, which otherwise would wait out the collective's time-out.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

from limaflow.training.processes import rank, said_once

PULSE = 0.5
"""Seconds between two looks at the clock."""


class StopRequest:
    """Whether this process was asked to end (SIGTERM or SIGINT); and its end, where it hangs."""

    def __init__(self, patience: float) -> None:
        """Args:
        patience: seconds that a step may last longer than the longest one before it, once asked.
        """
        self.asked = False
        self._patience = patience
        self._longest = 0.0
        self._began: float | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        # Written by the system's own handler, whatever the main thread is doing.
        noted, notes = os.pipe()
        os.set_blocking(notes, False)
        signal.set_wakeup_fd(notes, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(noted,), daemon=True).start()

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Around each step.

        All else, such as a save, may last; a process waits in it up to a collective's time-out.
        """
        self._began = time.monotonic()
        yield
        self._longest = max(self._longest, time.monotonic() - self._began)
        self._began = None

    def _note(self, _number: int, _frame: object) -> None:
        self.asked = True

    def _watch(self, noted: int) -> None:
        os.read(noted, 1)
        asked = time.monotonic()
        while True:
            began, now = self._began, time.monotonic()
            allowed = self._patience + self._longest
            if began is not None and now - max(began, asked) > allowed:
                self._end(now - began)
            time.sleep(PULSE)

    def _end(self, waited: float) -> None:
        said_once(
            f"error: process {rank()} was asked to end and hangs in a step since {waited:.0f} s: "
            "another process is gone or hangs; the last checkpoint stays, run it again to go on"
        )
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
