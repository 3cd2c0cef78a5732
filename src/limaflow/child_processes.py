"""Processes that must not outlive the one that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

_PR_SET_PDEATHSIG = 1


def end_with(parent: int, by: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send `by` to this process when `parent`, its parent, ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:
            os.kill(os.getpid(), by)


def guard(command: list[str], patience: float) -> int:
    """Run `command` until it ends or SIGTERM comes, and leave nothing that it has started.

    SIGTERM goes on to all of its process group, and SIGKILL after `patience` seconds: a server may
    wait for ever for an engine that it was starting.

    Returns:
        Its exit code, 1 if a signal ended it.
    """
    received: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    child = subprocess.Popen(command, start_new_session=True)
    while child.poll() is None and not received:
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    return max(child.wait(), 0) or int(child.returncode < 0)


def guarded(command: list[str], patience: float) -> list[str]:
    """The command that guards `command`, as a process of its own; it needs no package."""
    return [sys.executable, "-I", __file__, str(patience), *command]


if __name__ == "__main__":
    sys.exit(guard(sys.argv[2:], float(sys.argv[1])))
