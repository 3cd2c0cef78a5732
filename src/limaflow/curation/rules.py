"""The paper's selection rules (LIMA §2.1), one function each.

A rule reads one candidate and answers with a short quotation of what it objects to, or None. The
order of `RULES` is the order in which they look; the first that objects names the drop.
docs/curation.md says which text each rule reads.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from limaflow.curation.rendering import prose, rendered
from limaflow.curation.settings import Filters
from limaflow.records import Candidate

PROMPTS_ALONE = ("reddit", "authored", "messages")
"""Kinds of source that may hold prompts without a response, for dev and test."""


@dataclass(frozen=True)
class Reading:
    """A candidate as the rules read it; texts are rendered when a rule first asks."""

    candidate: Candidate
    quotes_and_code_count: bool

    @cached_property
    def response(self) -> str:
        """The response as Markdown."""
        return rendered(self.candidate.response, self.candidate.markup)

    @cached_property
    def own_words(self) -> str:
        """The response, without quotations and code unless they count."""
        if self.quotes_and_code_count:
            return self.response
        return prose(self.candidate.response, self.candidate.markup)


Rule = Callable[[Reading, Filters], str | None]


def unanswered(reading: Reading, _: Filters) -> str | None:
    """A question without an answer teaches nothing; of prompts alone, the pool disposes."""
    empty = not reading.candidate.response.strip()
    return "no response" if empty and reading.candidate.kind not in PROMPTS_ALONE else None


def response_score(reading: Reading, filters: Filters) -> str | None:
    """The top answer needs a score of at least 10."""
    score, least = reading.candidate.response_score, filters.min_response_score
    if least is None or not reading.candidate.response:
        return None
    return None if score is not None and score >= least else f"score {score} < {least}"


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


def title_not_self_contained(reading: Reading, filters: Filters) -> str | None:
    """The title alone must say what is asked: the paper's "self-contained in the title".

    Our reading of it: at least four words, nothing that points outside the title, and, where titles
    are free text (Stack Exchange), the form of a question.
    """
    if not filters.require_self_contained_title:
        return None
    title = reading.candidate.title
    words = re.findall(r"[\w'’-]+", title.lower())
    if len(words) < MIN_TITLE_WORDS:
        return title
    if leaning := LEANING.search(title):
        return around(title, leaning)
    asks = title.rstrip().endswith("?") or OPENERS & set(words[:3])
    return None if asks or reading.candidate.kind != "stackexchange" else title


def response_too_short(reading: Reading, filters: Filters) -> str | None:
    """Answers under 1,200 characters go."""
    least, chars = filters.min_response_chars, len(reading.response)
    return f"{chars} characters < {least}" if least is not None and chars < least else None


def response_too_long(reading: Reading, filters: Filters) -> str | None:
    """Answers over 4,096 characters go."""
    most, chars = filters.max_response_chars, len(reading.response)
    return f"{chars} characters > {most}" if most is not None and chars > most else None


# A capital I that counts something (World War I, Type I) or names something (I/O, I-95) is none.
PRONOUN = re.compile(
    r"(?<!\bWar )(?<!\b[Tt]ype )(?<!\b[Pp]art )(?<!\b[Cc]lass )(?<!\b[Pp]hase )(?<!\b[Vv]olume )"
    r"(?<![\w.&/-])I(?![\w/&-]|\.\w)"
    r"|(?<![\w.])i(?:['’](?:m|ve|d|ll)\b| (?:am|was|think|have|had|would|know|believe|guess)\b)"
    r"|\b(?:[Mm]y|[Mm]ine|[Mm]yself|[Mm]e|MY|ME)\b(?![.-]?\w*\.(?:com|org))"
)


def first_person(reading: Reading, filters: Filters) -> str | None:
    """Answers in the first person ("I", "my") go."""
    found = PRONOUN.search(reading.own_words) if filters.drop_first_person else None
    return around(reading.own_words, found) if found else None


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


def cross_reference(reading: Reading, filters: Filters) -> str | None:
    """Answers that point at other answers, at the site, or at what is not in the text go."""
    found = ELSEWHERE.search(reading.own_words) if filters.drop_cross_references else None
    return around(reading.own_words, found) if found else None


RULES: tuple[Rule, ...] = (
    unanswered,
    response_score,
    title_not_self_contained,
    response_too_short,
    response_too_long,
    first_person,
    cross_reference,
)


def objection(reading: Reading, filters: Filters) -> tuple[str, str] | None:
    """Name of the first rule that objects, and what it quotes; None if all are content."""
    for rule in RULES:
        if (detail := rule(reading, filters)) is not None:
            return rule.__name__, detail
    return None


def around(text: str, found: re.Match[str], chars: int = 30) -> str:
    """The match with some text on either side, on one line."""
    start, end = max(0, found.start() - chars), min(len(text), found.end() + chars)
    cut = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"
