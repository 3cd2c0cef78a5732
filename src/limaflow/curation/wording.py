"""Texts compared as words, for deduplication and decontamination alike."""

import re
import unicodedata
from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """`text` with case, width, space and outer punctuation evened out, to compare whole texts.

    Punctuation inside stays: `3 + 4` and `3 - 4` are not the same question.
    """
    even = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return even.strip(" .?!,;:\"'") or even


def words(text: str) -> list[str]:
    """The words of `text`, lower case, without punctuation."""
    # Some letters fall apart when their case is folded, so words are found before that.
    if text.isascii():
        return WORD.findall(text.lower())
    return [word.casefold() for word in WORD.findall(text)]


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each of `words(text)` stands in it."""
    return [match.span() for match in WORD.finditer(text)]


def word_hashes(words: Iterable[str]) -> NDArray[np.uint64]:
    """A hash of 32 bits of each word, the same on every machine."""
    return np.array([crc32(word.encode()) for word in words], dtype=np.uint64)


def run_hashes(hashes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """A hash of each run of `size` words, given the words' own; none if there are fewer words.

    A polynomial modulo 2^64; its upper half is the better mixed one.
    """
    if len(hashes) < size:
        return np.empty(0, dtype=np.uint64)
    powers = np.uint64(6364136223846793005) ** np.arange(1, size + 1, dtype=np.uint64)
    return sliding_window_view(hashes, size) @ powers
