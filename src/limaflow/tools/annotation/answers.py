"""What comes back: the file that a page saves, and the file that a local server adds to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from limaflow.seeds import digest
from limaflow.tools.annotation.packet import HASH_DIGITS


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A choice on one item."""

    item: int
    """Its number in the packet, from 1."""
    hash: str
    """Of the texts that were on the screen."""
    choice: str
    time: str = ""
    """UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The file that a page saves; `hash` covers all the rest."""

    format: Literal["limaflow answers 1"]
    annotator: str
    packet: str
    """The packet's hash, of what was on the screen."""
    answers: tuple[Answer, ...]
    hash: str

    @property
    def whole(self) -> bool:
        """Whether this is what the page wrote."""
        return self.hash == answers_hash(self.annotator, self.packet, self.answers)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a local server's file."""

    annotator: str
    packet: str
    item: int
    hash: str
    choice: str
    """`undo` takes back the last choice on the item that still stands."""
    time: str


def answers_hash(annotator: str, packet: str, answers: Sequence[Answer]) -> str:
    """The page computes the same."""
    rows = [[a.item, a.hash, a.choice, a.time] for a in answers]
    return digest(annotator, packet, rows, length=HASH_DIGITS)


def standing(entries: Iterable[Entry]) -> list[Answer]:
    """The choices that were not taken back, in the order in which they were made.

    An item may have several, of which the last one counts.
    """
    made: list[Answer] = []
    for entry in entries:
        if entry.choice == "undo":
            place = max((i for i, a in enumerate(made) if a.item == entry.item), default=None)
            if place is not None:
                del made[place]
        else:
            made.append(
                Answer(item=entry.item, hash=entry.hash, choice=entry.choice, time=entry.time)
            )
    return made
