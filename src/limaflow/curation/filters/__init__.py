"""The selection rules, one module each. A new rule is a module here and its line in RULES.

RULES has the order in which they look; the first that objects gives its name to the drop.
"""

from limaflow.curation.filters import (
    cross_reference,
    first_person,
    leans_on_removed,
    no_prompt_of_text,
    response_score,
    response_too_long,
    response_too_short,
    title_asks_nothing,
    title_not_self_contained,
    unanswered,
)
from limaflow.curation.filters.rule import Reading, Rule
from limaflow.settings import Settings

RULES: dict[str, Rule] = {
    "unanswered": unanswered.RULE,
    "no_prompt_of_text": no_prompt_of_text.RULE,
    "response_score": response_score.RULE,
    "title_not_self_contained": title_not_self_contained.RULE,
    "title_asks_nothing": title_asks_nothing.RULE,
    "response_too_short": response_too_short.RULE,
    "response_too_long": response_too_long.RULE,
    "first_person": first_person.RULE,
    "cross_reference": cross_reference.RULE,
    "leans_on_removed": leans_on_removed.RULE,
}


def objection(reading: Reading, filters: Settings) -> tuple[str, str] | None:
    """Name of the first rule that objects, and what it quotes; None if none does."""
    for name, rule in RULES.items():
        if (detail := rule.objection(reading, filters)) is not None:
            return name, detail
    return None


def rules_table() -> str:
    """The rules in Markdown, as docs/curation.md has them."""
    lines = [
        "| drop | key of `curation.filters.<kind>` | paper | off | reads |",
        "|---|---|---|---|---|",
    ]
    for name, rule in RULES.items():
        threshold = rule.threshold
        key, paper, off = "always on", "–", "–"
        if threshold is not None:
            key = f"`{threshold.key}`: {threshold.meaning}"
            paper = "–" if threshold.paper is None else _yaml(threshold.paper)
            off = _yaml(threshold.off)
        lines.append(f"| `{name}` | {key} | {paper} | {off} | {rule.reads} |")
    return "\n".join(lines)


def _yaml(value: float | bool | None) -> str:
    return "null" if value is None else str(value).lower()
