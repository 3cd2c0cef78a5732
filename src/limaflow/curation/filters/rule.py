"""A selection rule: a function and its threshold, and the candidate as the function reads it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from limaflow.curation.removal import tidied
from limaflow.curation.rendering import marked, prose
from limaflow.records import Candidate
from limaflow.settings import Settings
from limaflow.sources.kind import Policy
from limaflow.sources.kinds import policy_of


@dataclass(frozen=True)
class Reading:
    """A candidate as the rules read it; texts are rendered when a rule first asks."""

    candidate: Candidate
    quotes_and_code_count: bool

    @cached_property
    def marked(self) -> str:
        """The response as Markdown, with a mark (`removal.REMOVED`) wherever something went."""
        return marked(self.candidate.response, self.candidate.markup)

    @cached_property
    def response(self) -> str:
        """The response as Markdown."""
        return tidied(self.marked)

    @cached_property
    def own_words(self) -> str:
        """The response, without quotations and code unless they count."""
        if self.quotes_and_code_count:
            return self.response
        return prose(self.candidate.response, self.candidate.markup)

    @property
    def policy(self) -> Policy:
        """What the kind of the candidate's source declares."""
        return policy_of(self.candidate.kind)


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A key of the blocks of `curation.filters`, which sets one rule."""

    key: str
    type: Any
    """A type, perhaps annotated with bounds, as pydantic reads it."""
    meaning: str
    """For the JSON schema and for docs/curation.md."""
    off: bool | None
    """The value with which the rule drops nothing: the default of every block."""
    paper: float | bool | None = None
    """The paper's value for Stack Exchange, which config.yaml has; None if the paper has no such
    rule."""
    at_most: str = ""
    """Key of a threshold that this one may not exceed."""


Check = Callable[[Reading, Any], str | None]
"""Reading and threshold → what the rule objects to, quoted in short, or None."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One selection rule (LIMA §2.1)."""

    check: Check
    threshold: Threshold | None = None
    """None where the rule is always on; its check then receives None."""
    reads: str
    """Which text the rule looks at, for docs/curation.md."""

    def objection(self, reading: Reading, filters: Settings) -> str | None:
        """What the rule objects to under the thresholds of a block, or None."""
        if self.threshold is None:
            return self.check(reading, None)
        value = getattr(filters, self.threshold.key)
        return None if value == self.threshold.off else self.check(reading, value)


def around(text: str, found: re.Match[str], chars: int = 30) -> str:
    """The match with some text on either side, on one line."""
    start, end = max(0, found.start() - chars), min(len(text), found.end() + chars)
    cut = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"
