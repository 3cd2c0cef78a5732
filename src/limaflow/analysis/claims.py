"""What a claim is, and what it may rest on.

A claim states its rule, so that a reader can check the verdict from the interval alone; the
rules are those of `decisions`. Which arm plays which part is told by the caller (`Roles`). The
claims themselves stand in `paper_claims`, `absolute_quality`, `objections` and `untested`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from limaflow.analysis.decision_rules import Decision, above, every
from limaflow.analysis.epochs import AfterLowest
from limaflow.analysis.paper import Paper, Value
from limaflow.measures.intervals import Interval
from limaflow.measures.summaries import Agreement, Preference, TaskTax


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The arms by the part that they play."""

    lima: str
    base: tuple[str, ...] = ()
    in_context: tuple[str, ...] = ()
    ablation: tuple[str, ...] = ()
    """Tuned on another number of examples of the same kind (Figure 6)."""
    unfiltered: tuple[str, ...] = ()
    """Tuned on unfiltered examples (Figure 5)."""


@dataclass(frozen=True, kw_only=True)
class GradeGap:
    """Mean grade of the LIMA arm minus that of another arm, paired by prompt."""

    judge: str
    arm: str
    difference: Interval
    prompts: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything measured that a claim may rest on."""

    roles: Roles
    preferences: Sequence[Preference] = ()
    agreements: Sequence[Agreement] = ()
    gaps: Sequence[GradeGap] = ()
    tax: Sequence[TaskTax] = ()
    after_lowest: AfterLowest | None = None
    tax_margin: float = 0.02


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of ours; shares and accuracies from 0 to 1."""

    label: str
    interval: Interval
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement, what the literature says, what we found, and the verdict by the rule."""

    id: str
    origin: str
    statement: str
    paper: str
    source: str
    rule: str
    verdict: Decision
    reason: str
    measured: list[Measured] = field(default_factory=list)


def cited(value: Value) -> str:
    """Where a value stands, as one writes it in a table."""
    source = f"arXiv {value.arxiv}" if value.arxiv else "later work"
    return f"{source}, {value.place} [{value.mark}]"


def of_the_paper(paper: Paper, place: str, mark: str) -> str:
    """Where a value of the LIMA paper stands."""
    return f"arXiv {paper.arxiv}, {place} [{mark}]"


def judged(measured: list[Measured], *, missing: str, **claim: str) -> Claim:
    """The claim with its verdict; `missing` is the reason if nothing was measured."""
    verdict = every([m.decision for m in measured])
    return Claim(
        **claim,
        measured=measured,
        verdict=verdict,
        reason=missing if verdict == "not tested here" else "",
    )


def comparisons_with(evidence: Evidence, others: Sequence[str]) -> list[Preference]:
    """Comparisons of the LIMA arm with one of `others`, from its own view."""
    lima = evidence.roles.lima
    return [
        preference.seen_from(lima)
        for preference in evidence.preferences
        for other in others
        if {preference.first, preference.second} == {lima, other}
    ]


def wins_over(evidence: Evidence, others: Sequence[str]) -> list[Measured]:
    """Wins + ½ ties over each of `others`, held against one half."""
    return [
        Measured(
            label=f"wins + ½ ties against {p.second}, judge {p.judge}, {p.prompts} prompts",
            interval=p.adjusted_win,
            decision=above(p.adjusted_win, 0.5),
        )
        for p in comparisons_with(evidence, others)
    ]


WINS_RULE = "supported if the whole interval of wins + ½ ties lies above 0.5"
