"""Candidates to examples: rules first, then the prompt is chosen and both texts are cleaned."""

import re
from collections.abc import Iterable

from limaflow.curation.filters import objection
from limaflow.curation.filters.cross_reference import ELSEWHERE
from limaflow.curation.filters.leans_on_removed import left_hanging
from limaflow.curation.filters.rule import Reading
from limaflow.curation.html_to_markdown import TooDeep
from limaflow.curation.removal import tidied
from limaflow.curation.rendering import has_image, marked, rendered
from limaflow.curation.settings import Filters
from limaflow.records import Candidate, Drop, Example, Message, example_id
from limaflow.seeds import generator_for
from limaflow.sources.kinds import policy_of

MIN_BODY_CHARS = 60
# A body that reads on from its title, or shows what is no longer there, is no prompt by itself.
LEANS_ON_TITLE = re.compile(
    r"\btitle\b|\b(?:see|as) above\b|\b(?<!my )(?:questions?|comments?|answers?|posts?|threads?)\b"
    r"|\b(?:this|the|your) (?:sub)?(?:site|forum|community|reddit)\b"
    r"|\b(?:picture|image|photo|screenshot)s?\b|^(?:if so|and|or|but|so|because|also)\b"
    r"|^(?:\w+ )?(?:this|these|that|it|they)\b",
    re.IGNORECASE,
)
MIN_SHARED_WORDS = 0.5
"""Share of the title's longer words that a body must take up, to be about what the title is."""


def filtered(
    candidates: Iterable[Candidate], filters: Filters | None, seed: int
) -> tuple[list[Example], list[Drop]]:
    """The examples that pass and the drops, each sorted by id.

    Without `filters` no rule looks, and titles are the prompts.
    """
    kept, dropped = [], []
    for candidate in candidates:
        try:
            outcome = _outcome(candidate, filters, seed)
        except TooDeep as error:
            outcome = _drop(candidate, "nested_too_deep", str(error))
        if isinstance(outcome, Drop):
            dropped.append(outcome)
        else:
            kept.append(outcome)
    # Two candidates of one content have one id: provenance settles their order.
    kept.sort(key=lambda example: (example.id, example.provenance.ids))
    return kept, sorted(dropped, key=lambda drop: drop.id)


def _outcome(candidate: Candidate, filters: Filters | None, seed: int) -> Example | Drop:
    reading = Reading(candidate, filters is None or filters.quotes_and_code_count)
    if filters and (found := objection(reading, filters)):
        return _drop(candidate, *found)
    example = _example(reading, filters.title_prompt_share if filters else 1, seed)
    return example or _drop(candidate, "empty_text", "nothing left after links and images")


def _drop(candidate: Candidate, rule: str, detail: str) -> Drop:
    return Drop(id=candidate.id, source=candidate.source, step="filter", rule=rule, detail=detail)


def _example(reading: Reading, title_prompt_share: float, seed: int) -> Example | None:
    candidate = reading.candidate
    messages = candidate.messages
    if not messages:
        prompt = prompt_of(candidate, title_prompt_share, seed)
        response = reading.policy.repaired_response(reading.response)
        if not prompt or (candidate.response and not response):
            return None
        turns = [Message(role="user", content=prompt)]
        turns += [Message(role="assistant", content=response)] if response else []
        messages = tuple(turns)
    return Example(
        id=example_id(messages, candidate.tags),
        messages=messages,
        source=candidate.source,
        split="train",
        kind=candidate.kind,
        stratum=candidate.stratum,
        provenance=candidate.provenance,
        tags=candidate.tags,
    )


def prompt_of(candidate: Candidate, title_share: float, seed: int) -> str:
    """The title for a share of the candidates, else the body, if it can stand alone.

    The paper takes "either the title or the body" at random (LIMA §2.1).
    """
    title = policy_of(candidate.kind).repaired_title(rendered(candidate.title, "text"))
    marked_body = marked(candidate.body, candidate.markup)
    body = tidied(marked_body)
    if not title:
        return body
    draw = generator_for(seed, "title or body", candidate.id).random()
    pictured = has_image(candidate.body, candidate.markup)
    if draw < title_share or pictured or left_hanging(marked_body, had_image=False):
        return title
    return body if stands_alone(body, title) else title


def stands_alone(body: str, title: str) -> bool:
    """Whether a reader without the title, the site or its pictures knows what `body` asks."""
    topics = {word[:5] for word in re.findall(r"\w{4,}", title.casefold())}
    taken_up = {word[:5] for word in re.findall(r"\w{4,}", body.casefold())}
    return (
        len(body) >= MIN_BODY_CHARS
        and "?" in body
        and len(topics & taken_up) >= MIN_SHARED_WORDS * len(topics)
        and not LEANS_ON_TITLE.search(body)
        and not ELSEWHERE.search(body)
    )
