"""Texts compared as words, for deduplication and decontamination alike.

Words are compared in compatibility form (NFKD) without case, accents and characters that nobody
sees, so that one text in two encodings is the same words. Chinese, Japanese, Thai, Lao, Khmer and
Burmese put no space between words: there each character counts as one.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from zlib import crc32

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

CHARACTERS_A_WORD = 2
"""Characters of unspaced text that stand for a word where runs are counted in words: about what a
word has in Chinese."""
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Character class of the scripts without spaces between words."""


def _characters(low: int, high: int, category: str) -> Iterator[str]:
    return (c for c in map(chr, range(low, high)) if unicodedata.category(c).startswith(category))


def _is_accent(mark: str) -> bool:
    """Whether a mark can be left out: accents, and the points of Hebrew and Arabic.

    The vowel signs of Indian scripts and the voicing marks of kana are in other classes.
    """
    return unicodedata.combining(mark) >= 200 or 10 <= unicodedata.combining(mark) <= 35


MARKS = "".join(_characters(0, 0x10000, "M"))
INVISIBLE = re.compile(
    "[{}\ufe00-\ufe0f\U000e0000-\U000e01ef]".format("".join(_characters(0, 0x10000, "Cf")))
)
"""Soft hyphens, zero-width characters, marks of direction, variation selectors."""
DROPPED = re.compile(f"{INVISIBLE.pattern}|[{''.join(filter(_is_accent, MARKS))}]")
WORD = re.compile(rf"(?=\w)[{UNSPACED}][{MARKS}]*|[\w{MARKS}](?:(?![{UNSPACED}])[\w{MARKS}])*")
ASCII_WORD = re.compile(r"\w+")
UNSPACED_WORD = re.compile(f"[{UNSPACED}]")


def plain(text: str) -> str:
    """`text` with case, width, space and outer punctuation evened out, to compare whole texts.

    Punctuation inside stays: `3 + 4` and `3 - 4` are not the same question.
    """
    seen = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    even = " ".join(seen.casefold().split())
    return even.strip(" .?!,;:\"'") or even


def words(text: str) -> list[str]:
    """The words of `text`, lower case, without punctuation and accents."""
    return ASCII_WORD.findall(text.lower()) if text.isascii() else WORD.findall(_even(text))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each of `words(text)` stands in it."""
    if text.isascii():
        return [match.span() for match in ASCII_WORD.finditer(text)]
    even, places = "", []
    for start, end in _clusters(text):
        cluster = _even(text[start:end])
        even += cluster
        places += [(start, end)] * len(cluster)
    return [(places[m.start()][0], places[m.end() - 1][1]) for m in WORD.finditer(even)]


def _even(text: str) -> str:
    return DROPPED.sub("", unicodedata.normalize("NFKD", text)).casefold()


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Bounds of the pieces that can be made even alone: a character and what may move within."""
    starts = [place for place, char in enumerate(text) if not place or not _continues(char)]
    return zip(starts, [*starts[1:], len(text)], strict=True)


def _continues(char: str) -> bool:
    """Whether normalisation may put `char` before the one that it follows, or drops it."""
    if char.isascii():
        return False
    first = unicodedata.normalize("NFKD", char)[0]
    return unicodedata.combining(first) > 0 or INVISIBLE.match(first) is not None


def is_unspaced(words: list[str]) -> bool:
    """Whether most of the words are single characters of scripts without spaces."""
    return 2 * sum(UNSPACED_WORD.match(word) is not None for word in words) > len(words)


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
