"""What every curation rule says of an example's text as it stands, edits included.

The rules were written for raw posts; here the prompt stands for the title and the response is
Markdown already. A rule that the configuration switched off, or set to pass over quotations and
code, is applied in its strictest form too; the page shows what it would have found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from limaflow.curation.filters import RULES
from limaflow.curation.filters.rule import Reading
from limaflow.curation.settings import Filters
from limaflow.records import Candidate, Example, Message

TITLE_RULES = ("title_not_self_contained", "title_asks_nothing")
OF_ITS_KIND = ("require_question_title",)
"""What no other block lends: a story's prompt has no need to ask."""
TITLE_CHARS = 150
"""Longer than any Stack Exchange title: such a prompt is a body, whose title is not known here."""


@dataclass(frozen=True, kw_only=True)
class RuleView:
    """One rule on one example."""

    rule: str
    verdict: Literal["content", "strict", "objects"]
    """`strict`: it objects only when switched on as for another kind of source, or when quotations
    and code count."""
    detail: str = ""
    """What it objects to."""


def rule_views(
    example: Example,
    filters: Mapping[str, Filters],
    messages: tuple[Message, ...] | None = None,
) -> list[RuleView]:
    """Every rule's view of `messages`, else of the example's own conversation.

    `filters` are the configuration's, by kind of source; a kind without any has no rules.
    """
    own = filters.get(example.kind)
    if own is None:
        return []
    if messages:
        example = replace(example, messages=messages)
    candidate = Candidate(
        id=example.id,
        source=example.source,
        shard="",
        kind=example.kind,
        title=example.prompt,
        response=example.response,
        markup="markdown",
        prompt_score=example.provenance.prompt_score,
        response_score=example.provenance.score,
    )
    strictest = _strictest(own, filters.values())
    found = []
    for name, rule in RULES.items():
        if name in TITLE_RULES and _is_body(example.prompt):
            continue
        objection = rule.objection(Reading(candidate, own.quotes_and_code_count), own)
        strict = rule.objection(Reading(candidate, True), strictest)
        found.append(
            RuleView(
                rule=name,
                verdict="objects" if objection else "strict" if strict else "content",
                detail=objection or strict or "",
            )
        )
    return found


def _is_body(prompt: str) -> bool:
    return "\n" in prompt or len(prompt) > TITLE_CHARS


def _strictest(own: Filters, blocks: Iterable[Filters]) -> Filters:
    """`own` with each rule that is off set as the first other block that has it on."""
    others = list(blocks)
    borrowed = {
        name: next((value for b in others if (value := getattr(b, name))), None)
        for name in Filters.model_fields
        if not getattr(own, name) and name not in OF_ITS_KIND
    }
    known = {name: value for name, value in borrowed.items() if value is not None}
    return own.model_copy(update={**known, "quotes_and_code_count": True})
