"""Texts compared as words: what two stages that look for equal text have in common."""

import re
import unicodedata

WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """`text` with case, width, space and outer punctuation evened out, to compare whole texts.

    Punctuation inside stays: `3 + 4` and `3 - 4` are not the same question.
    """
    even = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return even.strip(" .?!,;:\"'") or even


def words(text: str) -> list[str]:
    """The words of `text`, lower case, without punctuation."""
    return WORD.findall(text.casefold())


def word_spans(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The words of `text` and where each stands in it."""
    found = list(WORD.finditer(text))
    return [match.group().casefold() for match in found], [match.span() for match in found]
