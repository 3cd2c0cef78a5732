"""The title alone must say what is asked: the paper's "self-contained in the title"."""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

MIN_TITLE_WORDS = 4
OPENERS = frozenset(
    """
    what which who whom whose when where why how is are do does did can could should
    would will shall may might must isn't aren't don't doesn't didn't can't
    difference differences explain describe ways
    """.split()  # noqa: SIM905 - a list of words reads better without forty quotes
)
LEANING = re.compile(
    r"\b(?:this|these|the (?:following|above|below|attached|one below|one above)|as follows"
    r"|any(?:one|body)|you guys|on here)\b|\[(?:closed|duplicate|on hold|migrated)\]",
    re.IGNORECASE,
)


def title_not_self_contained(reading: Reading, _: bool) -> str | None:
    """Object to a title that cannot stand alone.

    Our reading of it: at least four words, nothing that points outside the title, and, where titles
    are free text (Stack Exchange), the form of a question.
    """
    title = reading.candidate.title
    words = re.findall(r"[\w'’-]+", title.lower())
    if len(words) < MIN_TITLE_WORDS:
        return title
    if leaning := LEANING.search(title):
        return around(title, leaning)
    asks = title.rstrip().endswith("?") or OPENERS & set(words[:3])
    return None if asks or not reading.policy.titles_must_ask else title


RULE = Rule(
    check=title_not_self_contained,
    threshold=Threshold(
        key="require_self_contained_title",
        type=bool,
        paper=True,
        off=False,
        meaning="whether the title must say by itself what is asked",
    ),
    reads="title",
)
