"""Benchmark items that a model may have seen in training, so that the tax is stated without them.

An item is contaminated if its text stands in the training data of the arm, by the rule of
`curation/decontamination.py`, or if a list that the user brings names it: of the arm, or, without
an arm, of the base and so of every arm.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.errors import InputError, listed
from limaflow.foreign_rows import Row, read_rows
from limaflow.jsonl import read_records
from limaflow.records import Match

Key = tuple[str, str]
"""Task and item."""


@dataclass(frozen=True)
class Contaminated:
    """What is known of the items that training data hold."""

    items: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    """Arm → its contaminated items; of "" those of every arm."""
    searched: frozenset[str] = frozenset()
    """Arms whose training data were searched for the items of every task."""

    def among(self, arm: str, task: str, names: Iterable[str]) -> list[str] | None:
        """Which of a task's items are contaminated; None where nobody looked."""
        known = self.items.get("", frozenset()) | self.items.get(arm, frozenset())
        found = [name for name in names if _keys(task, name) & known]
        return found if found or arm in self.searched or any(t == task for t, _ in known) else None


NOTHING_KNOWN = Contaminated()


def _keys(task: str, name: str) -> set[Key]:
    """What an item may be called: `part/item` of a group is also the item of that part."""
    part, _, own = name.rpartition("/")
    return {(task, name), (part, own)} if part else {(task, name)}


def read_contaminated(
    lists: Sequence[Path], shared: Mapping[str, Sequence[Path]], searched: Iterable[str]
) -> Contaminated:
    """What lists name, and what training data were found to hold.

    Args:
        lists: rows with the columns `task` and `item` (or `item_id`), and `arm` where they are of
            one arm alone.
        shared: arm → matches of its training data (`contamination.jsonl`), dev and test too.
        searched: arms from whose training data such texts were removed.

    Raises:
        InputError: a file is missing, or a row does not name a task and an item.
    """
    found: dict[str, set[Key]] = defaultdict(set)
    for path in lists:
        for line, row in read_rows(path):
            found[_text(row, "arm")].add(_listed(row, path, line))
    for arm, paths in shared.items():
        for path in paths:
            found[arm] |= {(match.against, match.item_id) for match in read_records(path, Match)}
    return Contaminated(
        {arm: frozenset(keys) for arm, keys in found.items()},
        frozenset(searched) | frozenset(shared),
    )


def _listed(row: Row, path: Path, line: int) -> Key:
    task, item = _text(row, "task"), _text(row, "item") or _text(row, "item_id")
    if not (task and item):
        raise InputError(
            f"names no task and item; it has {listed(row)}",
            path=path,
            line=line,
            fix="a list of contaminated items has the columns task and item",
        )
    return task, item


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
