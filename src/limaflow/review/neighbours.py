"""The examples most like one another, for a reader to see repetition that deduplication let stay.

The measure is deduplication's: Jaccard similarity of runs of words over the whole conversation.
Prompts are compared too, by their longer words, as two answers to one question may share no run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limaflow.curation.rules import OPENERS
from limaflow.curation.wording import words
from limaflow.records import Example

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
        self._texts = _Index([_runs(example) for example in examples])
        self._prompts = _Index([_topics(example) for example in examples])

    def of(self, id: str, most: int = 5) -> list[Neighbour]:
        """The most similar others, best first; at most `most`."""
        place = self._place[id]
        found: dict[str, Neighbour] = {}
        for index, shared, least in (
            (self._prompts, "prompt", MIN_PROMPT_SIMILARITY),
            (self._texts, "text", MIN_SIMILARITY),
        ):
            alike = index.similarities(place)
            for other in np.flatnonzero(alike >= least):
                if other != place:
                    name, value = self._ids[other], round(float(alike[other]), 3)
                    if name not in found or found[name].similarity < value:
                        found[name] = Neighbour(id=name, similarity=value, shared=shared)
        return sorted(found.values(), key=lambda n: (-n.similarity, n.id))[:most]


class _Index:
    """Sets of features, sorted by feature, so that one search finds all who share it."""

    def __init__(self, sets: list[set[object]]) -> None:
        numbers: dict[object, int] = {}
        self._sets: list[NDArray[np.int64]] = [
            np.array([numbers.setdefault(f, len(numbers)) for f in features], dtype=np.int64)
            for features in sets
        ]
        self._sizes = np.array([len(features) for features in sets])
        features = np.concatenate([*self._sets, np.empty(0, dtype=np.int64)])
        order = np.argsort(features, kind="stable")
        self._owners = np.repeat(np.arange(len(sets)), self._sizes)[order]
        self._starts = np.searchsorted(features[order], np.arange(len(numbers) + 1))

    def similarities(self, place: int) -> NDArray[np.float64]:
        """Jaccard similarity of the set at `place` with each set."""
        mine = self._sets[place]
        parts = [self._owners[self._starts[f] : self._starts[f + 1]] for f in mine]
        owners = np.concatenate([*parts, np.empty(0, dtype=np.intp)])
        shared = np.bincount(owners, minlength=len(self._sets))
        return shared / np.maximum(len(mine) + self._sizes - shared, 1)


def _runs(example: Example) -> set[object]:
    said = [word for message in example.messages for word in words(message.content)]
    return {tuple(said[at : at + RUN_WORDS]) for at in range(max(1, len(said) - RUN_WORDS + 1))}


def _topics(example: Example) -> set[object]:
    return {w for w in words(example.prompt) if len(w) >= TOPIC_CHARS and w not in OPENERS}
