"""Answers in the first person ("I", "my") go."""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

# A capital I that counts something (World War I, Type I) or names something (I/O, I-95) is none.
PRONOUN = re.compile(
    r"(?<!\bWar )(?<!\b[Tt]ype )(?<!\b[Pp]art )(?<!\b[Cc]lass )(?<!\b[Pp]hase )(?<!\b[Vv]olume )"
    r"(?<![\w.&/-])I(?![\w/&-]|\.\w)"
    r"|(?<![\w.])i(?:['’](?:m|ve|d|ll)\b| (?:am|was|think|have|had|would|know|believe|guess)\b)"
    r"|\b(?:[Mm]y|[Mm]ine|[Mm]yself|[Mm]e|MY|ME)\b(?![.-]?\w*\.(?:com|org))"
)


def first_person(reading: Reading, _: bool) -> str | None:
    """Object to the author's own words in the first person."""
    found = PRONOUN.search(reading.own_words)
    return around(reading.own_words, found) if found else None


RULE = Rule(
    check=first_person,
    threshold=Threshold(
        key="drop_first_person",
        type=bool,
        paper=True,
        off=False,
        meaning='whether "I", "my" and their kin drop an answer',
    ),
    reads="own words of the response",
)
