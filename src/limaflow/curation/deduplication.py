"""One example of each group of equals: same prompt, or nearly the same conversation.

Near duplicates: Jaccard similarity of word shingles (Broder 1997). MinHash with locality-sensitive
hashing (datasketch) proposes pairs; the similarity that decides is computed on the shingles.
"""

from collections.abc import Iterable

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray
from tqdm import tqdm

from limaflow.curation.settings import Deduplication
from limaflow.curation.wording import plain, run_hashes, word_hashes, words
from limaflow.records import Drop, Example

Hashes = NDArray[np.uint32]
LSH_WEIGHTS = (0.02, 0.98)
"""A missed pair weighs 49 times a false one, as proposed pairs are checked. At 0.8 and 128
permutations, 98 of 100 pairs of just that similarity are proposed, and 999 of 1,000 of 0.85."""
HIGHEST_THRESHOLD = 0.95
"""Above it, LSH proposes what it does here: with few permutations it cannot be set any higher."""
MOST_CHECKED = 32
"""Shingles are compared for so many proposed examples at most, those of the most similar sketches:
thousands that fill in one template would take a time that grows with the square of their number."""


class Kept:
    """The examples kept so far, to be asked for a near duplicate of another."""

    def __init__(self, settings: Deduplication, room: int) -> None:
        self._settings = settings
        self._index = MinHashLSH(
            threshold=min(settings.jaccard, HIGHEST_THRESHOLD),
            num_perm=settings.permutations,
            weights=LSH_WEIGHTS,
        )
        self._empty = MinHash(num_perm=settings.permutations, seed=1, hashfunc=int)
        self._sketches = np.empty((room, settings.permutations), dtype=np.uint32)
        self._shingles: list[Hashes] = []
        self.examples: list[Example] = []

    def twin_or_add(self, example: Example) -> tuple[float, Example] | None:
        """The most similar example, if similar enough, and how similar; else add this one."""
        shingles = _shingles(example, self._settings.shingle_words)
        sketch = self._empty.copy()
        sketch.update_batch(shingles.tolist())
        proposed = np.array(sorted(self._index.query(sketch)), dtype=np.intp)
        alike = (self._sketches[proposed] == sketch.hashvalues).sum(axis=1)
        checked = proposed[np.argsort(-alike, kind="stable")][:MOST_CHECKED]
        best = max(
            ((_jaccard(shingles, self._shingles[place]), -place) for place in checked.tolist()),
            default=(0.0, 0),
        )
        if len(checked) and best[0] >= self._settings.jaccard:
            return best[0], self.examples[-best[1]]
        place = len(self.examples)
        self._index.insert(place, sketch)
        self._sketches[place] = sketch.hashvalues
        self._shingles.append(shingles)
        self.examples.append(example)
        return None


def deduplicated(
    examples: Iterable[Example], settings: Deduplication
) -> tuple[list[Example], list[Drop]]:
    """The examples kept and the drops, each sorted by id.

    The one with the highest score stays, then the one with the lowest id, so that the result does
    not depend on the order in which examples come.
    """
    ranked = sorted(examples, key=_rank)
    prompts: dict[str, Example] = {}
    kept = Kept(settings, room=len(ranked))
    dropped = []
    for example in tqdm(ranked, desc="deduplicate", unit="example"):
        prompt = plain(example.prompt)
        if twin := prompts.get(prompt):
            dropped.append(_drop(example, "same_prompt", f"kept {twin.id}; the prompt is the same"))
        elif found := kept.twin_or_add(example):
            similarity, twin = found
            detail = f"kept {twin.id}; similarity {similarity:.2f}"
            dropped.append(_drop(example, "near_duplicate", detail))
        else:
            prompts[prompt] = example
    survivors = sorted(kept.examples, key=lambda e: e.id)
    return survivors, sorted(dropped, key=lambda drop: (drop.id, drop.detail, drop.source))


def _rank(example: Example) -> tuple[float, str, str, tuple[str, ...]]:
    score = example.provenance.score
    best_first = float("inf") if score is None else -score
    return best_first, example.id, example.source, example.provenance.ids


def _drop(example: Example, rule: str, detail: str) -> Drop:
    return Drop(id=example.id, source=example.source, step="deduplicate", rule=rule, detail=detail)


def _shingles(example: Example, size: int) -> Hashes:
    """Sorted hashes of the runs of `size` words in the conversation; of all words if fewer.

    Turns stand for words in a conversation without any, such as one of emoji.
    """
    text = [word for message in example.messages for word in words(message.content)]
    hashes = word_hashes(text or [plain(message.content) for message in example.messages])
    runs = run_hashes(hashes, min(size, len(hashes)))
    return np.unique((runs >> np.uint64(32)).astype(np.uint32))


def _jaccard(first: Hashes, second: Hashes) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
