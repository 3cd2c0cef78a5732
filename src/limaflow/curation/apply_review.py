"""A person's decisions, applied again on every run: keep, reject, or edit an example.

Rejected examples are replaced by the next ones of the reserve, of the same stratum if it has any,
so that the set stays at its size. `limaflow.curation.review_decisions` makes
one decision per example out of a ledger.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from limaflow.curation.ledger import Decision, Ledger
from limaflow.curation.review_decisions import opinions
from limaflow.curation.sampling import place_in_stratum
from limaflow.errors import InputError
from limaflow.records import Drop, Example, Review, example_id


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
    undrawn: int = 0
    """Decisions on examples of the pool that are neither in the sample nor in the reserve."""
    unmet: tuple[str, ...] = ()
    """Ids that the ledger decides on and that no candidate has any more."""
    ledger: str | None = None


MOST_PRINTED = 20
"""Decisions on no candidate that are printed; the summary lists them all."""


@dataclass(frozen=True)
class Place:
    """One place of the sample: who was drawn for it, and who came instead, in order."""

    candidates: tuple[Example, ...]
    filled: bool
    """Whether the last of them stands; if not, the reserve of its source is used up."""


def reviewed(
    sample: Iterable[Example],
    reserve: Iterable[Example],
    ledger: Iterable[Decision],
    seed: int,
    *,
    ledger_name: str | None = None,
    pool: Collection[str] = (),
) -> tuple[list[Example], list[Drop], Summary]:
    """The examples that stand after review and the drops, each sorted by id, and a summary.

    `pool` has the ids of all candidates: a decision on one of them that was not drawn is counted
    apart from one on no candidate.

    Raises:
        InputError: an edit without messages or into another example, or too small a reserve.
    """
    decisions = opinions(ledger).merged()
    chosen, spare = list(sample), list(reserve)
    found = places(chosen, spare, decisions, seed)
    for place in found:
        if not place.filled:
            last = place.candidates[-1]
            raise InputError(
                f"the reserve of source '{last.source}' is used up: nothing replaces {last.id}",
                fix="raise curation.reserve_share",
            )
    out = [example for place in found for example in place.candidates[:-1]]
    kept = [after(place.candidates[-1], decisions.get(place.candidates[-1].id)) for place in found]
    _distinct(kept)
    replaced = Counter(e.source for place in found for e in place.candidates[1:])
    drawn = {example.id for example in [*chosen, *spare]}
    summary = Summary(
        sampled=len(chosen),
        kept=len(kept),
        rejected=len(out),
        edited=sum(e.review is not None and e.review.decision == "edit" for e in kept),
        unreviewed=sum(example.review is None for example in kept),
        replacements=dict(sorted(replaced.items())),
        undrawn=len((decisions.keys() - drawn) & set(pool)),
        unmet=tuple(sorted(decisions.keys() - drawn - set(pool))),
        ledger=ledger_name,
    )
    return (
        sorted(kept, key=lambda e: e.id),
        sorted((_drop(e, decisions[e.id]) for e in out), key=lambda drop: drop.id),
        summary,
    )


def report_lines(
    done: Summary, ledger: Ledger, summary: Path, configured: Path | None = None
) -> Iterator[str]:
    """What to print of a review, for a person.

    Args:
        summary: the file that has all of it.
        configured: where the ledger was looked for.
    """
    for warning in ledger.warnings:
        yield f"warning: {warning}"
    if done.ledger is None:
        where = f"no ledger at {configured} yet" if configured else "no ledger"
        yield f"{done.kept} kept: there is {where}, so no one has reviewed them"
        return
    yield (
        f"{done.kept} kept, {done.edited} of them edited; {done.rejected} rejected and "
        f"replaced; {done.unreviewed} without a decision"
    )
    if done.undrawn:
        yield f"{done.undrawn} decisions are on candidates that this sample did not draw"
    decisions = {decision.id: decision for decision in ledger.decisions}
    for id in done.unmet[:MOST_PRINTED]:
        decision = decisions[id]
        yield f"no candidate meets the decision on {id} ({decision.decision}): {decision.prompt}"
    if more := len(done.unmet[MOST_PRINTED:]):
        yield f"nor {more} more, which {summary} lists"


def places(
    sample: Iterable[Example],
    reserve: Iterable[Example],
    decisions: Mapping[str, Decision],
    seed: int,
) -> list[Place]:
    """The places of the sample, by the id of who was drawn for them."""
    strata: dict[tuple[str, str], deque[Example]] = defaultdict(deque)
    sources: dict[str, deque[Example]] = defaultdict(deque)
    for example in sorted(reserve, key=lambda e: place_in_stratum(e, seed)):
        strata[example.source, example.stratum].append(example)
        sources[example.source].append(example)
    taken: set[str] = set()
    found = []
    for drawn in sorted(sample, key=lambda e: e.id):
        candidates = [drawn]
        while _rejected(candidates[-1], decisions):
            last = candidates[-1]
            following = _next(strata[last.source, last.stratum], taken) or _next(
                sources[last.source], taken
            )
            if following is None:
                break
            taken.add(following.id)
            candidates.append(following)
        found.append(Place(tuple(candidates), not _rejected(candidates[-1], decisions)))
    return found


def after(example: Example, decision: Decision | None) -> Example:
    """The example as a decision to keep or edit leaves it.

    Raises:
        InputError: an edit without messages, or without a response at the end.
    """
    if decision is None or decision.decision not in ("keep", "edit"):
        return example
    if decision.decision == "keep":
        review = Review(decision="keep", reviewer=decision.reviewer, reason=decision.reason)
        return replace(example, review=review)
    if not decision.messages or decision.messages[-1].role != "assistant":
        raise InputError(
            f"the edit of {example.id} by {decision.reviewer} has no messages, or no response"
        )
    review = Review(decision="edit", reviewer=decision.reviewer, reason=decision.reason)
    changed = decision.messages
    return replace(example, id=example_id(changed, example.tags), messages=changed, review=review)


def _rejected(example: Example, decisions: Mapping[str, Decision]) -> bool:
    return example.id in decisions and decisions[example.id].decision == "reject"


def _next(queue: deque[Example], taken: set[str]) -> Example | None:
    """Take the first of a queue that has not been taken through another queue."""
    while queue:
        example = queue.popleft()
        if example.id not in taken:
            return example
    return None


def _distinct(examples: list[Example]) -> None:
    twice = [id for id, count in Counter(e.id for e in examples).items() if count > 1]
    if twice:
        raise InputError(
            f"two examples have the same text after review ({twice[0]})",
            fix="reject one of them, or edit it otherwise",
        )


def _drop(example: Example, decision: Decision) -> Drop:
    detail = f"{decision.reviewer}: {decision.reason}" if decision.reason else decision.reviewer
    return Drop(id=example.id, source=example.source, step="review", rule="rejected", detail=detail)
