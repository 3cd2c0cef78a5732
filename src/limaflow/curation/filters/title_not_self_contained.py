"""The title alone must say what is asked: the paper's "self-contained in the title"."""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

MIN_TITLE_WORDS = 4
LEANING = re.compile(
    r"\b(?:this|these|the (?:following|above|below|attached|one below|one above)|as follows"
    r"|you guys|on here|redditors?)\b|\[(?:closed|duplicate|on hold|migrated)\]|^reddit\b"
    # "Why would anyone …" asks about people; "Does anyone know …" asks those who read it.
    r"|^\W*(?:does|did|do|has|have|had) any(?:one|body)\b|\bany(?:one|body)\?\s*$"
    r"|\bany(?:one|body) (?:else|here|out there|please|able to|explain|help|know|recommend"
    r"|identify|tell|suggest|point|name|confirm|share|familiar|tried|seen|heard)\b",
    re.IGNORECASE,
)


def title_not_self_contained(reading: Reading, _: bool) -> str | None:
    """Object to a title that cannot stand alone.

    Our reading of it: at least four words, and nothing that points outside the title.
    """
    title = reading.candidate.title
    if len(re.findall(r"[\w'’-]+", title)) < MIN_TITLE_WORDS:
        return title
    leaning = LEANING.search(title)
    return around(title, leaning) if leaning else None


RULE = Rule(
    check=title_not_self_contained,
    threshold=Threshold(
        key="require_self_contained_title",
        type=bool,
        paper=True,
        off=False,
        meaning="whether the title must be understood without its body",
    ),
    reads="title",
)
