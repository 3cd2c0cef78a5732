"""The examples most like one another, for a reader to see repetition that deduplication let stay.

The measure is deduplication's: Jaccard similarity of runs of words over the whole conversation.
Prompts are compared too, by their longer words, as two answers to one question may share no run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.curation.filters.title_asks_nothing import OPENERS
from limaflow.curation.wording import words
from limaflow.records import Example

Hashes = NDArray[np.int64]
RUN_WORDS = 3
"""Shorter than deduplication's runs, so that what is less alike is found as well."""
MIN_SIMILARITY = 0.1
MIN_PROMPT_SIMILARITY = 0.5
TOPIC_CHARS = 4
"""Words of a prompt from this length on, question words aside, are what it is about."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """An example that is like another."""

    id: str
    similarity: float
    """Jaccard similarity from 0 to 1."""
    shared: str
    """What is compared: `text` or `prompt`."""


class Neighbours:
    """All examples, to be asked for what is near one of them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._ids = [example.id for example in examples]
        self._place = {id: place for place, id in enumerate(self._ids)}
        self._texts = _Index(_runs(example) for example in examples)
        self._prompts = _Index(_topics(example) for example in examples)

    def of(self, id: str, most: int = 5) -> list[Neighbour]:
        """The most similar others, best first; at most `most`."""
        place = self._place[id]
        found: dict[str, Neighbour] = {}
        for index, shared, least in (
            (self._prompts, "prompt", MIN_PROMPT_SIMILARITY),
            (self._texts, "text", MIN_SIMILARITY),
        ):
            alike = index.similarities(place)
            alike[place] = 0.0
            for other in np.flatnonzero(alike >= least):
                name, value = self._ids[other], round(float(alike[other]), 3)
                if name not in found or found[name].similarity < value:
                    found[name] = Neighbour(id=name, similarity=value, shared=shared)
        return sorted(found.values(), key=lambda n: (-n.similarity, n.id))[:most]


class _Index:
    """Sets of hashes, all sorted by hash, so that one search finds every set that shares it."""

    def __init__(self, sets: Iterable[Hashes]) -> None:
        self._sets = list(sets)
        self._sizes = np.array([len(hashes) for hashes in self._sets])
        every = np.concatenate([*self._sets, np.empty(0, dtype=np.int64)])
        order = np.argsort(every, kind="stable")
        self._sorted = every[order]
        self._owners = np.repeat(np.arange(len(self._sets)), self._sizes)[order]

    def similarities(self, place: int) -> NDArray[np.float64]:
        """Jaccard similarity of the set at `place` with each set."""
        mine = self._sets[place]
        starts, ends = (np.searchsorted(self._sorted, mine, side) for side in ("left", "right"))
        parts = [self._owners[start:end] for start, end in zip(starts, ends, strict=True)]
        owners = np.concatenate([*parts, np.empty(0, dtype=np.intp)])
        shared = np.bincount(owners, minlength=len(self._sets))
        return shared / np.maximum(len(mine) + self._sizes - shared, 1)


def _runs(example: Example) -> Hashes:
    spoken = [word for message in example.messages for word in words(message.content)]
    return _hashes(
        {tuple(spoken[at : at + RUN_WORDS]) for at in range(len(spoken) - RUN_WORDS + 1)}
    )


def _topics(example: Example) -> Hashes:
    return _hashes({w for w in words(example.prompt) if len(w) >= TOPIC_CHARS and w not in OPENERS})


def _hashes(features: Iterable[object]) -> Hashes:
    """Python's own hashes: good within one process, which is all they are for."""
    return np.array([hash(feature) for feature in features], dtype=np.int64)
