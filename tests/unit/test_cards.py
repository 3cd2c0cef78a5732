"""Commands that compute on GPUs never share one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from limaflow import cards

TAKE = """
import sys
from limaflow.cards import take_cards
print(",".join(take_cards(int(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(wanted: int, visible: str) -> Iterator[str]:
    """A process with as many cards, which are yielded; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE, str(wanted)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": visible},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def names(count: int) -> str:
    """Cards of this test alone."""
    return ",".join(f"MIG-{os.getpid()}-{time.monotonic_ns()}/{n}/0" for n in range(count))


@pytest.fixture(autouse=True)
def _none_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cards, "PATIENCE", 0.05)
    held: list[socket.socket] = []
    monkeypatch.setattr(cards, "_HELD", held)
    yield
    for lock in held:
        lock.close()


def test_each_process_gets_cards_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    visible = names(4)
    with holder(2, visible) as first, holder(1, visible) as second:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        third = cards.take_cards(1)
    assert ",".join([first, second, *third]) == visible
    assert [*third] == [os.environ["CUDA_VISIBLE_DEVICES"]]


def test_a_card_is_waited_for_and_a_killed_process_gives_its_own_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visible = names(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with holder(1, visible):
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE, "2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr and process.stdout
        assert "waiting for 2 of the GPUs" in process.stderr.readline()
        # Who waits for two does not keep the one that is free.
        assert len(cards.take_cards(1)) == 1
        cards._HELD.pop().close()
    assert process.stdout.readline().strip() == visible
    process.communicate()


def test_a_program_that_the_process_becomes_keeps_its_cards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visible = names(1)
    become = TAKE.replace("sys.stdin.read()", "import os; os.execvp('cat', ['cat'])")
    monkeypatch.setattr(sys.modules[__name__], "TAKE", become)
    with holder(1, visible) as first:
        assert first == visible
        assert cards._free([visible], 1) == {}


def test_fewer_cards_than_asked_for_are_all_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible := names(2))
    assert ",".join(cards.take_cards(4)) == visible
    assert "4 GPUs are asked for, and 2 can be seen" in capsys.readouterr().err


def test_without_cards_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "visible_cards", lambda: [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert cards.take_cards(1) == []
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_none_is_the_cpu_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", names(1))
    assert cards.take_cards(0) == []
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_jobs_of_slurm_count_their_own_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    card = names(1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", card)
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", card)
        assert cards.take_cards(1) == [card]
