"""A person's decisions, applied again on every run: keep, reject, or edit an example.

The ledger is append-only JSON lines, kept in git beside the experiment; of several decisions on one
example the last one holds. Rejected examples are replaced by the next ones of the reserve, of the
same stratum if it has any, so that the set stays at its size.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from limaflow.curation.sampling import place_in_stratum
from limaflow.errors import InputError
from limaflow.records import Drop, Example, Message, Review, example_id


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One line of the ledger; `messages` is the conversation after an edit."""

    id: str
    decision: Literal["keep", "reject", "edit"]
    reviewer: str
    reason: str = ""
    messages: tuple[Message, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the ledger did; counts of examples."""

    sampled: int
    kept: int
    rejected: int
    edited: int
    unreviewed: int
    """Kept without any decision; all of them where there is no ledger."""
    replacements: dict[str, int] = field(default_factory=dict)
    """Examples taken from the reserve, by source."""
    unmet: tuple[str, ...] = ()
    """Ids that the ledger decides on and that are neither in the sample nor in the reserve."""
    ledger: str | None = None


def reviewed(
    sample: Iterable[Example],
    reserve: Iterable[Example],
    ledger: Iterable[Decision],
    seed: int,
    ledger_name: str | None = None,
) -> tuple[list[Example], list[Drop], Summary]:
    """The examples that stand after review and the drops, each sorted by id, and a summary.

    Raises:
        InputError: an edit without messages, or too small a reserve to replace what was rejected.
    """
    decisions = {decision.id: decision for decision in ledger}
    chosen = sorted(sample, key=lambda e: e.id)
    spare = sorted(reserve, key=lambda e: place_in_stratum(e, seed))
    known = {example.id for example in [*chosen, *spare]}
    dropped = []
    kept = []
    replaced: Counter[str] = Counter()
    for example in chosen:
        standing = example
        while _rejected(standing, decisions):
            dropped.append(_drop(standing, decisions[standing.id]))
            standing = _next(standing, spare)
            replaced[standing.source] += 1
        kept.append(_after(standing, decisions.get(standing.id)))
    edited = sum(e.review is not None and e.review.decision == "edit" for e in kept)
    summary = Summary(
        sampled=len(chosen),
        kept=len(kept),
        rejected=len(dropped),
        edited=edited,
        unreviewed=sum(example.review is None for example in kept),
        replacements=dict(sorted(replaced.items())),
        unmet=tuple(sorted(decisions.keys() - known)),
        ledger=ledger_name,
    )
    return (
        sorted(kept, key=lambda e: e.id),
        sorted(dropped, key=lambda drop: drop.id),
        summary,
    )


def _rejected(example: Example, decisions: dict[str, Decision]) -> bool:
    return example.id in decisions and decisions[example.id].decision == "reject"


def _next(rejected: Example, spare: list[Example]) -> Example:
    """Take the next spare example of the same stratum, else of the same source."""
    same_source = [example for example in spare if example.source == rejected.source]
    same_stratum = [example for example in same_source if example.stratum == rejected.stratum]
    found = next(iter(same_stratum or same_source), None)
    if found is None:
        raise InputError(
            f"the reserve of source '{rejected.source}' is used up: nothing replaces {rejected.id}",
            fix="raise curation.reserve_share",
        )
    spare.remove(found)
    return found


def _after(example: Example, decision: Decision | None) -> Example:
    if decision is None:
        return example
    review = Review(decision=decision.decision, reviewer=decision.reviewer, reason=decision.reason)
    if decision.decision != "edit":
        return replace(example, review=review)
    if not decision.messages or decision.messages[-1].role != "assistant":
        raise InputError(
            f"the edit of {example.id} by {decision.reviewer} has no messages, or no response"
        )
    return replace(
        example, id=example_id(decision.messages), messages=decision.messages, review=review
    )


def _drop(example: Example, decision: Decision) -> Drop:
    detail = f"{decision.reviewer}: {decision.reason}" if decision.reason else decision.reviewer
    return Drop(id=example.id, source=example.source, step="review", rule="rejected", detail=detail)
