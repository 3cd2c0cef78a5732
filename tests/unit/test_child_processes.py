"""What is started for the occasion does not outlive the one that started it."""

import subprocess
import sys
import time

import psutil
import pytest

from limaflow.child_processes import guarded

STUBBORN = 'trap "" TERM; sleep 1000 & echo started; wait; sleep 1000'
STARTING = """
import os, subprocess, sys
from limaflow.child_processes import end_with, guarded
this = os.getpid()
subprocess.run(
    guarded(["sh", "-c", sys.argv[1]], 0.5), start_new_session=True,
    preexec_fn=lambda: end_with(this),
)
"""


def test_a_server_that_heeds_no_signal_ends_with_the_killed_command_and_so_do_its_children() -> (
    None
):
    run = subprocess.Popen([sys.executable, "-c", STARTING, STUBBORN], stdout=subprocess.PIPE)
    assert run.stdout is not None and run.stdout.readline() == b"started\n"
    started = psutil.Process(run.pid).children(recursive=True)
    assert len(started) == 3, "the guard, the server and its child"
    run.kill()
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 10
    while left := [process for process in started if process.is_running()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("exit 0", 0), ("kill -9 $$", 1)])
def test_the_guard_ends_as_what_it_guards(script: str, code: int) -> None:
    assert subprocess.run(guarded(["sh", "-c", script], 5), check=False).returncode == code
