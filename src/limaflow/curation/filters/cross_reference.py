"""Answers that point at other answers, at the site, or at what is not in the text go."""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

ELSEWHERE = re.compile(
    r"\bstack ?(?:exchange|overflow)\b|\bsuper ?user\b|\bserver ?fault\b"
    r"|\bas (?:already |previously |was |has been |others? (?:have )?|(?-i:[A-Z]\w+) (?:has )?)?"
    r"(?:mentioned|noted|said|stated|pointed out|suggested|commented)\b"
    r"|\b(?:other|another|previous|earlier|existing|accepted|top|upvoted|linked) answers?\b"
    r"|['’]s answer\b|\b(?:both|all|these|the) answers (?:above|below|here|so far|are|have)\b"
    r"|\banswers? (?:above|below|here|already|given|posted)\b"
    r"|\b(?:in|from|to) (?:the|your|his|her|their|a) comments?\b|\bcomments? (?:above|below)\b"
    r"|\b(?:this|original|linked|other) (?:question|post|poster|thread)\b|\byour post\b"
    r"|\b(?-i:OP)(?:['’]s)?\b|\bthe asker\b|\b(?:up|down)-?vot(?:e|ed|es|ing)\b"
    r"|(?<![\w.])@[A-Za-z]\w+|\bduplicate of\b"
    r"|^\W*(?:edit|update|addendum|p\.?s\.?)\s*\d*\W{0,3}[:—]|\((?:edit|update)\b"
    r"|\b(?:image|picture|photo|diagram|chart|screenshot)s? (?:above|below)\b"
    r"|\b(?:above|below|following|attached) (?:image|picture|photo|diagram|chart|screenshot)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""Words that point out of a text; `limaflow.curation.filtering` looks for them in prompts too."""


def cross_reference(reading: Reading, _: bool) -> str | None:
    """Object to the author's own words that point elsewhere."""
    found = ELSEWHERE.search(reading.own_words)
    return around(reading.own_words, found) if found else None


RULE = Rule(
    check=cross_reference,
    threshold=Threshold(
        key="drop_cross_references",
        type=bool,
        paper=True,
        off=False,
        meaning='whether "as mentioned", "stack exchange" and the like drop an answer',
    ),
    reads="own words of the response",
)
