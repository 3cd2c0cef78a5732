"""GPUs of a command's own: as many as it asks for, that no other command of ours computes on.

SLURM gives each job its GPUs. Elsewhere nothing does, and whoever does not choose computes on the
first. A card is taken by a name among Linux's abstract sockets, which all users of a machine share
and which the kernel lets go of when the process ends, however it ends.
"""

import contextlib
import os
import random
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from limaflow.cuda import visible_cards

PATIENCE = 1.0
"""Seconds between two attempts."""
_HELD: list[socket.socket] = []


def take_cards(wanted: int) -> list[str]:
    """Take that many of the visible cards, wait where others have them, and make no other visible.

    To be called before CUDA is used: `CUDA_VISIBLE_DEVICES` says which cards these are, also to the
    processes that this one starts or becomes. Where fewer are visible than wanted, all of them are
    taken, which is said.

    Args:
        wanted: 0 computes on the CPU.

    Returns:
        The cards' names; none where none is visible.
    """
    visible = visible_cards()
    count = min(wanted, len(visible))
    if count < wanted and visible:
        _say(f"{wanted} GPUs are asked for, and {count} can be seen: {', '.join(visible)}")
    told = False
    while len(taken := _free(visible, count)) < count:
        for lock in taken.values():
            lock.close()
        if not told:
            _say(f"waiting for {count} of the GPUs {', '.join(visible)}: other jobs have them")
            told = True
        # Two that wait for several must not take turns for ever.
        time.sleep(random.uniform(0.5, 1.5) * PATIENCE)
    _HELD.extend(taken.values())
    if visible or not wanted:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    return list(taken)


def _free(cards: Sequence[str], count: int) -> dict[str, socket.socket]:
    """Up to `count` cards that nobody holds, each with what holds it from now on."""
    taken: dict[str, socket.socket] = {}
    for card in cards:
        if len(taken) == count:
            break
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # What this process becomes (torchrun) goes on holding it.
        lock.set_inheritable(True)
        try:
            lock.bind(_name_of(card))
        except OSError:
            lock.close()
        else:
            taken[card] = lock
    return taken


def _name_of(card: str) -> str:
    """Jobs of SLURM's and containers count their GPUs from 0, each its own."""
    inside = 0
    with contextlib.suppress(OSError):
        inside = Path("/proc/self/ns/pid").stat().st_ino
    return f"\0limaflow/{os.environ.get('SLURM_JOB_ID', '')}/{inside}/{card}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
