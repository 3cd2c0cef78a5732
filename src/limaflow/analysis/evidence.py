"""Everything measured that a claim may rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limaflow.analysis.epochs import AfterLowest
from limaflow.measures.summaries import Agreement, GradeSummary, Preference, TaskTax
from limaflow.records import Grade


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Summaries, the grades of test responses, and who plays which part."""

    lima: str
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Role → arms."""
    preferences: Sequence[Preference] = ()
    agreements: Sequence[Agreement] = ()
    graded: Sequence[GradeSummary] = ()
    grades: Sequence[Grade] = ()
    tax: Sequence[TaskTax] = ()
    after_lowest: AfterLowest | None = None
    rounds: int = 2000
    """Of the bootstrap, as the two that follow."""
    confidence: float = 0.95
    seed: int = 0
