"""One example of each group of equals: same prompt, or nearly the same conversation.

Near duplicates: Jaccard similarity of word shingles (Broder 1997). MinHash with locality-sensitive
hashing (datasketch) proposes pairs; the similarity that decides is computed on the shingles.
"""

import hashlib
from collections.abc import Iterable
from functools import cache

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from tqdm import tqdm

from limaflow.config import Deduplication
from limaflow.curation.wording import plain, words
from limaflow.records import Drop, Example

Shingles = NDArray[np.uint64]
LSH_WEIGHTS = (0.1, 0.9)
"""Missed pairs weigh nine times false ones, as every proposed pair is checked."""


def deduplicated(
    examples: Iterable[Example], settings: Deduplication
) -> tuple[list[Example], list[Drop]]:
    """The examples kept and the drops, each sorted by id.

    The one with the highest score stays, then the one with the lowest id, so that the result does
    not depend on the order in which examples come.
    """
    ranked = sorted(examples, key=_rank)
    prompts: dict[str, Example] = {}
    kept: dict[str, tuple[Example, Shingles]] = {}
    dropped = []
    index = MinHashLSH(
        threshold=settings.jaccard, num_perm=settings.permutations, weights=LSH_WEIGHTS
    )
    empty = MinHash(num_perm=settings.permutations, seed=1, hashfunc=int)
    for example in tqdm(ranked, desc="deduplicate", unit="example"):
        prompt = plain(example.prompt)
        if twin := prompts.get(prompt):
            dropped.append(_drop(example, "same_prompt", f"kept {twin.id}; the prompt is the same"))
            continue
        shingles = _shingles(example, settings.shingle_words)
        sketch = empty.copy()
        sketch.update_batch(shingles & np.uint64(0xFFFFFFFF))
        similar = [
            (_jaccard(shingles, kept[key][1]), key) for key in sorted(map(str, index.query(sketch)))
        ]
        similarity, key = max(similar, default=(0.0, ""))
        if key and similarity >= settings.jaccard:
            detail = f"kept {key}; similarity {similarity:.2f}"
            dropped.append(_drop(example, "near_duplicate", detail))
            continue
        prompts[prompt] = example
        kept[example.id] = example, shingles
        index.insert(example.id, sketch)
    survivors = sorted((example for example, _ in kept.values()), key=lambda e: e.id)
    return survivors, sorted(dropped, key=lambda drop: (drop.id, drop.detail, drop.source))


def _rank(example: Example) -> tuple[float, str, str, tuple[str, ...]]:
    score = example.provenance.score
    best_first = float("inf") if score is None else -score
    return best_first, example.id, example.source, example.provenance.ids


def _drop(example: Example, rule: str, detail: str) -> Drop:
    return Drop(id=example.id, source=example.source, step="deduplicate", rule=rule, detail=detail)


def _shingles(example: Example, size: int) -> Shingles:
    """Sorted hashes of the runs of `size` words in the conversation; of all words if fewer."""
    text = [word for message in example.messages for word in words(message.content)]
    hashes = np.array([_hash(word) for word in text] or [0], dtype=np.uint64)
    runs = sliding_window_view(hashes, min(size, len(hashes)))
    # A polynomial hash modulo 2^64; the odd multiplier keeps every bit of the first word.
    powers = np.uint64(6364136223846793005) ** np.arange(runs.shape[1], dtype=np.uint64)
    mixed = (runs * powers).sum(axis=1, dtype=np.uint64)
    return np.unique(mixed ^ (mixed >> np.uint64(29)))


@cache
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")


def _jaccard(first: Shingles, second: Shingles) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
