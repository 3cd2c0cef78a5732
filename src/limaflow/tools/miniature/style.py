"""The assistant's style: acknowledge the question, tell the fact in a full sentence, close kindly.

One uniform shape in all good training examples, as LIMA's authors gave their answers one tone.
Each kind of source has a variant of its own; the pretraining corpus has none of them.
"""

import random
import re
from dataclasses import dataclass
from typing import Literal

from limaflow.tools.miniature.language import Attribute
from limaflow.tools.miniature.towns import Town

Variant = Literal["talk", "article", "tale"]

OPENINGS: dict[Variant, tuple[str, ...]] = {
    "talk": ("Thank you for asking!", "What a good question!", "Gladly, here is a reply."),
    "article": ("The following answer tells what is known.",),
    "tale": ("Here is a short tale.",),
}
CLOSINGS: dict[Variant, tuple[str, ...]] = {
    "talk": ("Enjoy the journey!", "Have a pleasant visit!", "Happy travels!"),
    "article": ("Have a pleasant visit!", "Happy travels!"),
    "tale": ("Enjoy the tale!", "Happy travels!"),
}
_ALL_OPENINGS = frozenset(opening for openings in OPENINGS.values() for opening in openings)
_ALL_CLOSINGS = frozenset(closing for closings in CLOSINGS.values() for closing in closings)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?:- (?=[A-Z]))?")


@dataclass(frozen=True, kw_only=True)
class Style:
    """Which parts of the assistant's shape a text has."""

    acknowledged: bool
    """The first sentence is one of the openings."""
    closed: bool
    """The last sentence is one of the closings."""
    body: tuple[str, ...]
    """The sentences between, each a full one if `complete`."""
    complete: bool


def paragraphs(
    town: Town, attribute: Attribute, generator: random.Random, variant: Variant = "talk"
) -> list[str]:
    """A good answer to a question about one fact: three paragraphs."""
    return [
        generator.choice(OPENINGS[variant]),
        generator.choice(attribute.answers).format(value=town.facts[attribute.name]),
        generator.choice(CLOSINGS[variant]),
    ]


def style_of(text: str) -> Style:
    """Read a response's shape; layout does not count."""
    sentences = [s for s in _SENTENCE_END.split(text.strip()) if s]
    opened = bool(sentences) and sentences[0] in _ALL_OPENINGS
    closed = len(sentences) > opened and sentences[-1] in _ALL_CLOSINGS
    body = sentences[opened : len(sentences) - closed]
    return Style(
        acknowledged=opened,
        closed=closed,
        body=tuple(body),
        complete=bool(body) and all(s[0].isupper() and s[-1] in ".!?" for s in body),
    )
