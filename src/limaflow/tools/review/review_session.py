"""One reviewer at work on one sample: what there is to see, and what each decision changes.

All that is decided lies in the ledger and nowhere else, so a session that ends in any way loses
nothing. The ledger is read again whenever its files change: others may add to it meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from limaflow.curation.apply_review import Place, places
from limaflow.curation.ledger import Decision, append, beginning, file_of, files_of, read
from limaflow.curation.review_decisions import Opinions, opinions
from limaflow.journal import prepare
from limaflow.records import Example, Message, example_id
from limaflow.tools.local_pages.requests import Refused
from limaflow.tools.review.edits import edited
from limaflow.tools.review.neighbours import Neighbours
from limaflow.tools.review.originals import Originals
from limaflow.tools.review.reviewed_sample import Material
from limaflow.tools.review.rule_checks import RuleView, rule_views
from limaflow.tools.review.shares import Share


@dataclass(frozen=True, kw_only=True)
class Row:
    """As much of an example as the list shows."""

    id: str
    prompt: str
    source: str
    stratum: str
    score: float | None
    chars: int
    """Of the response as sampled."""
    replaces: str = ""
    """The rejected example that this one came for."""
    mine: str = ""
    """This reviewer's decision, if there is one: keep, edit or reject."""
    disputed: bool = False
    """Whether another reviewer decided differently; shown only after one's own decision."""
    objects: tuple[str, ...] = ()
    """Rules that object; `strict`: those that would in their strictest form."""
    strict: tuple[str, ...] = ()
    like: float = 0.0
    """Similarity of the nearest other example."""


class Session:
    """The sample, the ledger as last read, and the rows of the list with their versions."""

    def __init__(self, material: Material, reviewer: str, share: Share) -> None:
        """Reads the ledger, and mends the end of the reviewer's own file if it was cut short.

        Raises:
            InputError: the ledger holds a line that is no decision, or cannot be written.
        """
        self.material = material
        self.reviewer = reviewer
        self._file = file_of(material.ledger, reviewer)
        repair = prepare(self._file, Decision)
        self._repairs = [repair] if repair else []
        self._warned: tuple[str, ...] = ()
        self.version = 0
        self.examples = {e.id: e for e in [*material.sample, *material.reserve]}
        self._prompts = {id: beginning(e.prompt) for id, e in self.examples.items()}
        self._given = {id for id in self.examples if share.holds(id)}
        self._neighbours = Neighbours(list(self.examples.values()))
        self.originals = Originals(material.candidates, self.examples.values())
        self._rule_views: dict[str, list[RuleView]] = {}
        self._likes: dict[str, float] = {}
        self._rows: dict[str, tuple[int, Row | None]] = {}
        self._bases: dict[str, object] = {}
        self._stamp: object = None
        self._opinions: Opinions
        self.places: list[Place]
        self.refresh()

    def refresh(self) -> None:
        """Read the ledger again if its files have changed."""
        stamp = [(p, s.st_ino, s.st_size, s.st_mtime_ns) for p in self._files() for s in [p.stat()]]
        if stamp == self._stamp:
            return
        ledger = read(self._files())
        self._warned = ledger.warnings
        self._opinions = opinions(ledger.decisions)
        self.places = places(
            self.material.sample,
            self.material.reserve,
            self._opinions.merged(),
            self.material.seed,
        )
        self._stamp = stamp
        self._number(self._fresh_rows())

    @property
    def warnings(self) -> list[str]:
        """What was or is wrong with the ends of the ledger's files, or with the originals."""
        return [*self._repairs, *self._warned, *filter(None, [self.originals.problem])]

    def rows(self, since: int = 0) -> list[Row]:
        """Rows that changed after version `since`, in the order of the list."""
        return [row for version, row in self._rows.values() if version > since and row is not None]

    def gone(self, since: int = 0) -> list[str]:
        """Ids that left the list after version `since`: replacements no longer needed."""
        return [id for id, (version, row) in self._rows.items() if version > since and row is None]

    def look_closer(self) -> Iterator[None]:
        """Ask rules and neighbours of one listed example after another, for the list to show."""
        for id in [id for id, (_, row) in self._rows.items() if row and id not in self._likes]:
            self._likes[id] = max((n.similarity for n in self._neighbours.of(id)), default=0.0)
            self._saying_of(self.examples[id])
            self._number({id: self._row(self.examples[id], self._replaced(id))})
            yield

    def detail(self, id: str) -> dict[str, Any]:
        """All there is to know about one example.

        Raises:
            Refused: there is no such example.
        """
        example = self._known(id)
        mine = self._opinions.of(id, self.reviewer)
        changed = mine.messages if mine and mine.messages else None
        limits = self.material.filters.get(example.kind)
        original = self.originals.of(id)
        replaced = self._replaced(id)
        seen = self._opinions.of(replaced, self.reviewer) is not None
        return {
            "id": id,
            "messages": [asdict(m) for m in changed or example.messages],
            "original": [asdict(m) for m in example.messages] if changed else None,
            "found": asdict(original) if original else None,
            "searching": original is None and not self.originals.all_read,
            "source": example.source,
            "kind": example.kind,
            "stratum": example.stratum,
            "provenance": asdict(example.provenance),
            "replaces": self._prompts[replaced] if seen else "",
            "mine": _told(mine) if mine else None,
            "others": [_told(d) for d in self._others(id)] if mine else None,
            "limits": limits.model_dump() if limits else None,
            "rules": [asdict(s) for s in self._saying_of(example, changed)],
            "near": [
                {**asdict(n), "messages": [asdict(m) for m in self.examples[n.id].messages]}
                for n in self._neighbours.of(id)
            ],
        }

    def search(self, text: str) -> list[str]:
        """Ids of the listed examples that hold `text`, case aside, in their id or conversation."""
        wanted = text.casefold()
        return [
            row.id
            for row in self.rows()
            if row.id.startswith(wanted)
            or any(wanted in m.content.casefold() for m in self.examples[row.id].messages)
        ]

    def decide(
        self, id: str, decision: str, reason: str = "", messages: Sequence[Message] | None = None
    ) -> None:
        """Add a decision to the ledger, unless it is what the reviewer holds already.

        Raises:
            Refused: no such example or decision, or an edit that leaves no whole conversation.
            OSError: the ledger could not be written.
        """
        example = self._known(id)
        changed: tuple[Message, ...] | None = None
        if decision == "edit":
            changed = edited(example, messages or ())
            twin = example_id(changed, example.tags)
            if twin != id and twin in self.examples:
                raise Refused("another example has just this text; reject one of the two instead")
            if twin == id:
                decision, changed = "keep", None
        if decision not in ("keep", "reject", "edit"):
            raise Refused(f"no such decision: {decision}")
        mine = self._opinions.of(id, self.reviewer)
        held = (mine.decision, mine.reason, mine.messages) if mine else None
        if held != (decision, reason.strip(), changed):
            self._add(id, decision, reason=reason.strip(), messages=changed)

    def undo(self) -> str | None:
        """Take back this reviewer's last decision on this sample; returns its example, if any."""
        self.refresh()
        made = self._opinions.sequence.get(self.reviewer, ())
        last = next((d.id for d in reversed(made) if d.id in self.examples), None)
        if last is not None:
            self._add(last, "undo")
        return last

    def reasons(self) -> list[str]:
        """Reasons that were given for rejections so far, most frequent first."""
        given = [
            d.reason
            for made in self._opinions.sequence.values()
            for d in made
            if d.decision == "reject" and d.reason
        ]
        return sorted(set(given), key=lambda reason: (-given.count(reason), reason))

    def empty_places(self) -> dict[str, int]:
        """Places that nothing is left to fill, by source."""
        found: dict[str, int] = {}
        for place in self.places:
            if not place.filled:
                source = place.candidates[-1].source
                found[source] = found.get(source, 0) + 1
        return found

    def _files(self) -> list[Path]:
        return files_of(self.material.ledger)

    def _known(self, id: str) -> Example:
        self.refresh()
        if id not in self.examples:
            raise Refused(f"no example of the sample or its reserve has the id {id}")
        return self.examples[id]

    def _add(self, id: str, decision: Any, **more: Any) -> None:
        line = Decision(
            id=id,
            decision=decision,
            reviewer=self.reviewer,
            prompt=self._prompts[id],
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            **more,
        )
        if repair := append(self._file, line):
            self._repairs.append(repair)
        self.refresh()

    def _others(self, id: str) -> list[Decision]:
        stacks = self._opinions.history.get(id, {})
        return [stack[-1] for name, stack in sorted(stacks.items()) if name != self.reviewer]

    def _saying_of(
        self, example: Example, changed: tuple[Message, ...] | None = None
    ) -> list[RuleView]:
        key = example_id(changed, example.tags) if changed else example.id
        if key not in self._rule_views:
            self._rule_views[key] = rule_views(example, self.material.filters, changed)
        return self._rule_views[key]

    def _replaced(self, id: str) -> str:
        row = self._rows.get(id, (0, None))[1]
        return row.replaces if row else ""

    def _fresh_rows(self) -> dict[str, Row | None]:
        """Rows that the ledger has changed: the sample by id, then what came for rejected ones.

        None stands for a row that has left the list.
        """
        drawn = [(place.candidates[0], "") for place in self.places]
        came = [
            (example, before.id)
            for place in self.places
            for before, example in pairwise(place.candidates)
        ]
        listed = {e.id: (e, replaced) for e, replaced in [*drawn, *came] if e.id in self._given}
        changed: dict[str, Row | None] = {}
        for id, (example, replaced) in listed.items():
            basis = replaced, self._opinions.history.get(id)
            if self._bases.get(id) != basis:
                self._bases[id] = basis
                changed[id] = self._row(example, replaced)
        for id in self._bases.keys() - listed.keys():
            del self._bases[id]
            changed[id] = None
        return changed

    def _number(self, rows: Mapping[str, Row | None]) -> None:
        """Give the rows that differ from those held the next version."""
        changed = {id: row for id, row in rows.items() if self._rows.get(id, (0, None))[1] != row}
        if changed:
            self.version += 1
            self._rows.update({id: (self.version, row) for id, row in changed.items()})

    def _row(self, example: Example, replaces: str) -> Row:
        mine = self._opinions.of(example.id, self.reviewer)
        others = self._others(example.id) if mine else []
        changed = mine.messages if mine else None
        asked = self._saying_of(example, changed) if example.id in self._likes else []
        return Row(
            id=example.id,
            prompt=self._prompts[example.id],
            source=example.source,
            stratum=example.stratum,
            score=example.provenance.score,
            chars=len(example.response),
            replaces=replaces,
            mine=mine.decision if mine else "",
            disputed=any(
                (d.decision == "reject") != (mine.decision == "reject") for d in others if mine
            ),
            objects=tuple(s.rule for s in asked if s.verdict == "objects"),
            strict=tuple(s.rule for s in asked if s.verdict == "strict"),
            like=self._likes.get(example.id, 0.0),
        )


def _told(decision: Decision) -> dict[str, Any]:
    return {
        "reviewer": decision.reviewer,
        "decision": decision.decision,
        "reason": decision.reason,
        "time": decision.time,
        "messages": [asdict(m) for m in decision.messages or ()],
    }
