"""Answers that lean on an image or a link that cleaning removed go.

The paper removes links and images and says nothing of texts that need them.
"""

import re

from limaflow.curation.code_in_markdown import without_code
from limaflow.curation.filters.rule import Reading, Rule, Threshold, around
from limaflow.curation.removal import REMOVED
from limaflow.curation.rendering import has_image

GAP = rf"{REMOVED}[ \t{REMOVED}]*"
HANGING = re.compile(
    # A colon, and the list, image or address that it announced is gone.
    rf":[*_]{{0,3}}[ \t]*(?:\n[\s>]*)?{GAP}(?=\n[ \t>]*\n|\n?\Z|(?-i:[A-Z]))|:[*_]{{0,3}}\s*\Z"
    # A word that needs another after it.
    r"|\b(?:at|from|on|in|to|of|by|via|with|see|visit|is|are|was|called)(?::[ ]?|[ ])"
    rf"{GAP}(?=[.,;!?)]|\n|\Z)",
    re.IGNORECASE,
)
SPEAKS_OF_IMAGE = re.compile(
    r"\b(?:images?|pictures?|pics?|photos?|photographs?|diagrams?|charts?|screenshots?|graphs?"
    r"|plots?|figures?|drawings?|illustrations?|sketch(?:es)?)\b"
    r"|\b(?:shown|seen|depicted|illustrated|pictured) (?:here|below|above)\b"
    r"|\b(?:as|is|are) (?:shown|depicted|illustrated|pictured)\b|\blooks? like this\b",
    re.IGNORECASE,
)


def left_hanging(marked: str, had_image: bool) -> str | None:
    """What leans on a gap in a marked text or on an image that it had, quoted in short, or None."""
    text = without_code(marked, "`")
    found = HANGING.search(text) or (SPEAKS_OF_IMAGE.search(text) if had_image else None)
    return around(text, found).replace(REMOVED, "") if found else None


def leans_on_removed(reading: Reading, _: bool) -> str | None:
    """Object to a sentence that ends in a gap, or that speaks of an image that is gone."""
    candidate = reading.candidate
    return left_hanging(reading.marked, has_image(candidate.response, candidate.markup))


RULE = Rule(
    check=leans_on_removed,
    threshold=Threshold(
        key="drop_leaning_on_removed",
        type=bool,
        off=False,
        meaning="whether an answer goes that leans on an image or a link which cleaning removed",
    ),
    reads="response, with the places of what was removed",
)
