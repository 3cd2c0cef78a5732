"""What the text of a link says once its address is gone: a name, nothing, or only "here"."""

import re

ADDRESS = re.compile(
    r"(?:https?://|ftp://|www\.)[^\s<>()\[\]]*(?:\([^\s<>()]*\)[^\s<>()\[\]]*)*(?<![.,;:!?])"
)
ADDRESS_START = re.compile(
    r"\W{0,9}(?:https?:|www\.|\w[\w-]*(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io)\b)"
)
FOOTNOTE = re.compile(r"[\W_]*|[¹²³⁴⁵⁶⁷⁸⁹⁰]+|\W{0,4}[\[(]\d{1,2}[\])]\W{0,4}")
# Link texts that say nothing once the link is gone.
POINTER = re.compile(
    r"(?:[\w\s]{0,60}\bhere"
    r"|this(?:\s+(?:one|link|page|site|website|article|post|answer|question|video))?"
    r"|(?:this\s+|the\s+)?links?|source|ref(?:erence)?|via|url"
    r"|web ?site|read more|more(?: info(?:rmation)?)?"
    r"|(?:image|photo|picture)\s+(?:source|credit))",
    re.IGNORECASE,
)
CITATION = re.compile(
    r"(?:(?:image|photo|picture)\s+)?(?:sources?|references?|refs?|credits?|via|from|read more)",
    re.IGNORECASE,
)
"""What a paragraph says before links that are evidence alone, and go with their names."""
LABEL = re.compile(
    rf"{CITATION.pattern}|links?|see|see also|further reading"
    r"|more (?:info|information|reading)|edit",
    re.IGNORECASE,
)
"""What a paragraph says before links whose names are worth keeping; without them, nothing."""
NOT_WORDS = re.compile(r"^[\W_]+|(?<![\W_])[\W_]+$")


def bare(text: str) -> str:
    """A text without what surrounds its words."""
    return NOT_WORDS.sub("", text.strip())


def is_label(text: str) -> bool:
    """Whether a text only announces links."""
    return bool(LABEL.fullmatch(bare(text)))


def is_address(text: str) -> bool:
    """Whether the text of a link is an address."""
    start = ADDRESS_START.match(text)
    return start is not None and not re.search(r"\s", text[start.end() :].rstrip())


def is_pointer(text: str) -> bool:
    """Whether the text of a link only points at it."""
    return bool(POINTER.fullmatch(bare(text)))


def is_footnote(text: str) -> bool:
    """Whether the text of a link is the mark of a note, or no word at all."""
    return bool(FOOTNOTE.fullmatch(text))


def says_nothing(text: str) -> bool:
    """Whether nothing is lost with the text of a link."""
    text = text.strip()
    return is_address(text) or is_footnote(text) or is_pointer(text)
