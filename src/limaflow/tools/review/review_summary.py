"""How far a review has come, how far its reviewers agree, and what the ledger no longer meets."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from limaflow.curation.apply_review import places
from limaflow.curation.ledger import Decision
from limaflow.curation.review_decisions import opinions
from limaflow.tools.review.reviewed_sample import Material
from limaflow.tools.review.reviewer_agreement import Agreement, agreements


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of a review; counts of examples."""

    dataset: str
    listed: int
    """Examples drawn, and those that came for rejected ones."""
    places: int
    """Examples that the data set is to have."""
    standing: dict[str, int]
    """What stands in the places by decision of all reviewers together; `undecided` among them."""
    empty: dict[str, int]
    """Places that the reserve could not fill, by source."""
    by_reviewer: dict[str, dict[str, int]]
    """Decisions of each reviewer on listed examples."""
    agreements: list[Agreement]
    """On listed examples."""
    disputed: list[str]
    """Listed examples that one reviewer now rejects and another would have."""
    undrawn: int
    unmet: list[Decision]
    """Decisions that stand and meet no candidate any more."""


def progress_of(
    material: Material, ledger: Iterable[Decision], pool: Collection[str] = ()
) -> Progress:
    """The state of the review of `material`; `pool` has the ids of all candidates."""
    every = list(ledger)
    merged = opinions(every).merged()
    found = places(material.sample, material.reserve, merged, material.seed)
    listed = {example.id for place in found for example in place.candidates}
    here = opinions(decision for decision in every if decision.id in listed)
    standing = Counter(
        merged[last.id].decision if last.id in merged else "undecided"
        for last in (place.candidates[-1] for place in found if place.filled)
    )
    drawn = {example.id for example in [*material.sample, *material.reserve]}
    return Progress(
        dataset=material.dataset,
        listed=len(listed),
        places=len(found),
        standing=dict(sorted(standing.items())),
        empty=dict(Counter(place.candidates[-1].source for place in found if not place.filled)),
        by_reviewer={
            name: dict(
                sorted(
                    Counter(
                        stacks[name][-1].decision
                        for stacks in here.history.values()
                        if name in stacks
                    ).items()
                )
            )
            for name in sorted(here.sequence)
        },
        agreements=agreements(here),
        disputed=sorted(
            id
            for id, stacks in here.history.items()
            if len({stack[-1].decision == "reject" for stack in stacks.values()}) == 2
        ),
        undrawn=len((merged.keys() - drawn) & set(pool)),
        unmet=[merged[id] for id in sorted(merged.keys() - drawn - set(pool))],
    )


def printed(progress: Progress) -> str:
    """The state as lines for a terminal."""
    lines = [
        f"{progress.dataset}: {progress.places} places, {progress.listed} examples to read; "
        + _counts(progress.standing)
    ]
    for source, count in progress.empty.items():
        lines.append(f"  {count} places of {source} are empty: raise curation.reserve_share")
    for reviewer, made in progress.by_reviewer.items():
        share = sum(made.values()) / progress.listed
        lines.append(f"  {reviewer}: {sum(made.values())} decided ({share:.0%}); {_counts(made)}")
    for pair in progress.agreements:
        lines.append(
            f"  {pair.first} and {pair.second}: both decided {pair.both} of {pair.either} "
            f"({pair.overlap:.0%})"
        )
        if pair.agreed is not None and pair.agreed_now is not None:
            lines.append(
                f"    first decisions agree in {pair.agreed:.0%}, κ {_kappa(pair.kappa)}; "
                f"now in {pair.agreed_now:.0%}, κ {_kappa(pair.kappa_now)}; " + _counts(pair.counts)
            )
    lines += [f"  disputed: {id}" for id in progress.disputed]
    if progress.undrawn:
        lines.append(f"  {progress.undrawn} decisions are on candidates that were not drawn")
    lines += [
        f"  meets no candidate: {d.id} ({d.decision} by {d.reviewer}): {d.prompt}"
        for d in progress.unmet
    ]
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"


def _kappa(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
