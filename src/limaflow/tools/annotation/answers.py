"""What comes back: the file that a page saves, and the file that a local server adds to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from limaflow.judging.rounds import HASH_DIGITS
from limaflow.seeds import digest

HASTY_MS = 2000
"""A choice made sooner is hasty: nobody reads a question and its answers in less."""


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
    shown_ms: int | None = None
    """How long the item had been on the screen, in ms; None where that was not recorded."""
    unseen: tuple[int, ...] | None = None
    """Numbers of the answers, from 1, whose end had not been in view; None likewise."""
    turns: tuple[tuple[str, ...], ...] | None = None
    """The grade of each of the assistant's turns, of each dialogue; None where there are none."""

    @property
    def hasty(self) -> bool:
        """Whether it was made sooner than the answers could be read, as far as was recorded."""
        return self.too_soon or bool(self.unseen)

    @property
    def too_soon(self) -> bool:
        """Whether the item had been on the screen for less than `HASTY_MS`."""
        return self.shown_ms is not None and self.shown_ms < HASTY_MS


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The file that a page saves; `hash` covers all the rest.

    Pages made by version 1 recorded neither `shown_ms` nor `unseen`.
    """

    format: Literal["limaflow answers 1", "limaflow answers 2", "limaflow answers 3"]
    """3: with grades of turns."""
    annotator: str
    packet: str
    """The packet's hash, of what was on the screen."""
    answers: tuple[Answer, ...]
    hash: str

    @property
    def whole(self) -> bool:
        """Whether this is what the page wrote."""
        return self.hash == answers_hash(
            self.annotator, self.packet, self.answers, recorded=self.format != "limaflow answers 1"
        )


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
    shown_ms: int | None = None
    unseen: tuple[int, ...] | None = None
    turns: tuple[tuple[str, ...], ...] | None = None


def turns_problem(answer: Answer, turns: Sequence[int], words: Collection[str]) -> str:
    """What is wrong with the grades of the turns of an answer; "" if nothing is.

    Args:
        turns: how many turns each dialogue has; empty where answers are no dialogues.
        words: how a turn can be graded.
    """
    given = answer.turns or ()
    if len(given) > len(turns):
        return "grades more dialogues than are shown"
    for dialogue, wanted in enumerate(turns, start=1):
        grades = given[dialogue - 1] if len(given) >= dialogue else ()
        where = f"dialogue {dialogue}"
        if len(grades) < wanted:
            return f"turn {len(grades) + 1} of {where} has no grade"
        if len(grades) > wanted:
            return f"{where} has {wanted} turns and {len(grades)} grades"
        for turn, grade in enumerate(grades, start=1):
            if grade not in words:
                missing = f"'{grade}' is no grade" if grade else "there is no grade"
                return f"turn {turn} of {where}: {missing}"
    return ""


def answers_hash(
    annotator: str, packet: str, answers: Sequence[Answer], *, recorded: bool = True
) -> str:
    """The page computes the same; `recorded`: with what the page knows of how each was made."""
    rows = [
        [
            *(a.item, a.hash, a.choice, a.time),
            *([a.shown_ms, a.unseen] if recorded else []),
            *([a.turns] if a.turns is not None else []),
        ]
        for a in answers
    ]
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
                Answer(
                    item=entry.item,
                    hash=entry.hash,
                    choice=entry.choice,
                    time=entry.time,
                    shown_ms=entry.shown_ms,
                    unseen=entry.unseen,
                    turns=entry.turns,
                )
            )
    return made
