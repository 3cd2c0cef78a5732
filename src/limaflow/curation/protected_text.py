"""Texts that training must not hold, indexed by their runs of words.

The index holds one hash and one number for each run, in sorted arrays: about 12 bytes, so that the
items of all usual benchmarks fit in memory. Where hashes match, the words are compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.curation.wording import (
    CHARACTERS_A_WORD,
    is_unspaced,
    run_hashes,
    word_hashes,
    word_spans,
    words,
)

SHORTEST_RUN = 4
"""A text of fewer words is not looked for inside turns: it must be a whole turn."""


@dataclass(frozen=True, kw_only=True)
class ProtectedText:
    """A prompt, or the text of one benchmark item as `limaflow benchmark texts` writes it."""

    task: str
    item_id: str
    text: str
    question: str = ""
    """The question of the item without its choices, if it has any."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The longest run of words that a turn shares with `text`; places are in characters."""

    text: ProtectedText
    words: int
    start: int
    """In the turn; `end` likewise."""
    end: int
    text_start: int


@dataclass(frozen=True)
class Runs:
    """Hashes of runs of one length, sorted, and beside each the number of its text."""

    hashes: NDArray[np.uint64]
    owners: NDArray[np.int32]

    def meeting(self, hashes: NDArray[np.uint64]) -> Iterator[tuple[int, set[int]]]:
        """Place in `hashes` and texts that have a run of that hash, by place."""
        first = np.searchsorted(self.hashes, hashes, side="left")
        found = self.hashes[np.minimum(first, len(self.hashes) - 1)] == hashes
        for place in np.flatnonzero(found).tolist():
            last = np.searchsorted(self.hashes, hashes[place], side="right")
            yield place, set(self.owners[first[place] : last].tolist())


class ProtectedTexts:
    """The index; texts of fewer than `ngram_words` words are looked for whole.

    A run of unspaced text has `CHARACTERS_A_WORD` times as many characters.
    """

    def __init__(self, texts: Iterable[ProtectedText], ngram_words: int) -> None:
        self._ngram = ngram_words
        self._texts: list[ProtectedText] = []
        self._whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
        runs: dict[int, list[tuple[NDArray[np.uint64], int]]] = defaultdict(list)
        for owner, text in enumerate(texts):
            self._texts.append(text)
            for part in filter(None, (text.text, text.question)):
                of_part = words(part)
                weight = CHARACTERS_A_WORD if is_unspaced(of_part) else 1
                size = min(len(of_part), weight * ngram_words)
                if size >= weight * min(SHORTEST_RUN, ngram_words):
                    runs[size].append((run_hashes(word_hashes(of_part), size), owner))
                elif of_part:
                    self._whole[tuple(of_part)].append(owner)
        self._runs = {size: _sorted(runs.pop(size)) for size in sorted(runs)}

    def shared(self, turn: str) -> list[Shared]:
        """Each protected text that `turn` shares, once, with the longest run of words."""
        of_turn = words(turn)
        hashes = word_hashes(of_turn)
        longest = {owner: (0, len(of_turn)) for owner in self._whole.get(tuple(of_turn), ())}
        for size, runs in self._runs.items():
            going: dict[int, int] = {}
            before = -1
            for place, owners in runs.meeting(run_hashes(hashes, size)):
                # A text's run goes on as long as the next run of words is one of its own too.
                going = {
                    owner: going.get(owner, place) if place == before + 1 else place
                    for owner in owners
                }
                before = place
                for owner, start in going.items():
                    known = longest.get(owner, (0, 0))
                    if place + size - start > known[1] - known[0]:
                        longest[owner] = start, place + size
        spans = word_spans(turn) if longest else []
        return [
            Shared(
                text=self._texts[owner],
                words=end - start,
                start=spans[start][0],
                end=spans[end - 1][1],
                text_start=at,
            )
            for owner, (start, end) in longest.items()
            if (at := _place(self._texts[owner], of_turn[start : min(end, start + self._ngram)]))
            is not None
        ]


def _place(text: ProtectedText, run: list[str]) -> int | None:
    """Where the run stands in the text, in characters; None if only the hashes match."""
    for part in (text.text, text.question):
        of_part = words(part)
        for start in range(len(of_part) - len(run) + 1):
            if of_part[start : start + len(run)] == run:
                return word_spans(part)[start][0]
    return None


def _sorted(pieces: list[tuple[NDArray[np.uint64], int]]) -> Runs:
    hashes = np.concatenate([piece for piece, _ in pieces])
    owners = np.repeat(
        np.array([owner for _, owner in pieces], dtype=np.int32),
        [len(piece) for piece, _ in pieces],
    )
    order = np.argsort(hashes, kind="stable")
    return Runs(hashes[order], owners[order])
