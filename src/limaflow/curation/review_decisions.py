"""What stands of a ledger: per reviewer after undoing, and of several reviewers together.

Of one reviewer the last decision on an example holds. Of several: a rejection by anyone wins, then
the latest edit, then keep. So whoever rejected must take it back before the example returns.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from limaflow.curation.ledger import Decision

History = Mapping[str, Mapping[str, tuple[Decision, ...]]]
"""Example → reviewer → decisions that were not undone, in order; never an empty tuple."""


@dataclass(frozen=True)
class Opinions:
    """The ledger, folded."""

    history: History
    sequence: Mapping[str, tuple[Decision, ...]]
    """Reviewer → decisions that were not undone, in order, over all examples."""

    def of(self, id: str, reviewer: str) -> Decision | None:
        """What a reviewer holds of an example now."""
        stack = self.history.get(id, {}).get(reviewer)
        return stack[-1] if stack else None

    def first(self, id: str, reviewer: str) -> Decision | None:
        """What a reviewer held of it first, before the others' decisions were shown."""
        stack = self.history.get(id, {}).get(reviewer)
        return stack[0] if stack else None

    def merged(self) -> dict[str, Decision]:
        """The decision on each example on which anyone has decided."""
        return {
            id: together(stack[-1] for stack in stacks.values())
            for id, stacks in self.history.items()
        }


def opinions(ledger: Iterable[Decision]) -> Opinions:
    """Fold a ledger; an `undo` that meets no decision of its reviewer does nothing."""
    sequence: dict[str, list[Decision]] = defaultdict(list)
    for decision in ledger:
        made = sequence[decision.reviewer]
        if decision.decision != "undo":
            made.append(decision)
            continue
        last = next((n for n in reversed(range(len(made))) if made[n].id == decision.id), None)
        if last is not None:
            del made[last]
    history: dict[str, dict[str, tuple[Decision, ...]]] = defaultdict(dict)
    for reviewer, made in sequence.items():
        for decision in made:
            so_far = history[decision.id].get(reviewer, ())
            history[decision.id][reviewer] = (*so_far, decision)
    return Opinions(dict(history), {name: tuple(made) for name, made in sequence.items() if made})


def together(decisions: Iterable[Decision]) -> Decision:
    """One of several reviewers' decisions on one example: any reject, else the latest edit."""
    weight = {"keep": 0, "edit": 1, "reject": 2}
    return max(decisions, key=lambda d: (weight[d.decision], d.time, d.reviewer))
