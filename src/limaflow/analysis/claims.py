"""Claims: entries of YAML files, each decided by measured intervals under the rule that it states.

A claim states its rule, so that a reader can check the verdict from the intervals alone. The
package's own entries stand in `claims.yaml`; a user's files hold more of the same kind. What can be
measured stands in `quantities`, how an interval decides in `decision_rules`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from limaflow.analysis.claim_entries import Entry, Measure, Origin, read_entries
from limaflow.analysis.decision_rules import Decision, above, below, every, no_loss, within
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.paper import Paper, Value
from limaflow.analysis.paper_derived import bars, derived
from limaflow.analysis.quantities import QUANTITIES, NotMeasured
from limaflow.analysis.recorded import FILE as RECORDED
from limaflow.analysis.recorded import ExternalRow, Recorded, by_claim
from limaflow.errors import InputError
from limaflow.intervals import Interval
from limaflow.mistakes import nearest

FILE = Path(__file__).with_name("claims.yaml")
Known = Mapping[str, Any]
"""Name → what a text or a bound may name: a value of the paper, or a number."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of ours; shares and accuracies from 0 to 1."""

    label: str
    interval: Interval
    decision: Decision
    """By the interval alone; of what a flag of the entry's `undecided_if` takes away: undecided."""
    flags: list[str] = field(default_factory=list)
    """Ids of the flags of this number; the claim holds their texts."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """What limits a verdict, such as `one-judge`, in a word and in a sentence."""

    id: str
    text: str


def flag_in_words(flag: str) -> str:
    """A flag's id as one reads it: `one-judge` is "one judge"."""
    return flag.replace("-", " ")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement, what the literature says, what we found, and the verdict by the rule."""

    id: str
    origin: Origin
    statement: str
    paper: str
    source: str
    supported: str = ""
    """The rule for this verdict in words, after "supported if"; `contradicted` likewise."""
    contradicted: str = ""
    verdict: Decision
    reason: str
    """Why it is not tested or not decided; empty where the intervals alone say it."""
    measured: list[Measured] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    """Of all its numbers, each once."""
    recorded: list[Recorded] = field(default_factory=list)
    """Published values of others beside ours; no part of the verdict."""
    correction: str = ""
    see: list[str] = field(default_factory=list)
    """Ids of claims that bear on this one."""
    set_aside: list[str] = field(default_factory=list)
    """What was measured and does not fit the claim: "not tested here: annotated by …"."""

    @property
    def rule(self) -> str:
        """Both rules in one sentence; empty where nothing decides."""
        words = {"supported": self.supported, "contradicted": self.contradicted}
        return "; ".join(f"{verdict} if {text}" for verdict, text in words.items() if text)

    @property
    def summary(self) -> str:
        """The verdict in one line, with its flags."""
        flags = ", ".join(flag_in_words(flag.id) for flag in self.flags)
        return f"{self.verdict}, flagged: {flags}" if flags else self.verdict


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The content of claims.json."""

    miniature: bool
    confidence: float
    claims: list[Claim]


def decided(files: Sequence[Path], evidence: Evidence, paper: Paper) -> list[Claim]:
    """The claims of the package and of `files`, in this order.

    Raises:
        InputError: a file is missing or not valid, two entries have one id, or an entry names an
            unknown quantity, value, claim, or word of an instrument.
    """
    known = {**paper.values, **derived(paper)}
    found: dict[str, Claim] = {}
    external: list[tuple[Path, ExternalRow]] = []
    for path in (FILE, RECORDED, *files):
        for entry in read_entries(path):
            if isinstance(entry, ExternalRow):
                external.append((path, entry))
                continue
            for names in bars(paper) if entry.each else [{}]:
                try:
                    claim = _decided(entry, evidence, paper, {**known, **names})
                except InputError as error:
                    raise InputError(f"claim {entry.id}: {error}", path=path) from None
                if claim.id in found:
                    raise InputError(f"claim {claim.id}: the id is taken", path=path)
                found[claim.id] = claim
    for claim in found.values():
        if unknown := [name for name in claim.see if name not in found]:
            raise InputError(
                f"claim {claim.id}: `see` names no claim '{unknown[0]}'"
                f"{nearest(unknown[0], list(found))}"
            )
    recorded = by_claim(external, list(found))
    return [replace(claim, recorded=recorded[name]) for name, claim in found.items()]


def _decided(entry: Entry, evidence: Evidence, paper: Paper, known: Known) -> Claim:
    reason = filled(entry.missing, known)
    parts: list[list[Measured]] = []
    for measure in entry.measure:
        try:
            parts.append(_measured(measure, evidence, known))
        except NotMeasured as nothing:
            parts.append([])
            reason = str(nothing)
    # A claim of several quantities needs all of them.
    measured = [one for part in parts for one in part] if all(parts) else []
    verdict = every([one.decision for one in measured])
    return Claim(
        id=filled(entry.id, known),
        origin=entry.origin,
        statement=filled(entry.statement, known),
        paper=filled(entry.literature, known),
        source=_source(entry, paper, known),
        supported=filled(entry.supported, known),
        contradicted=filled(entry.contradicted, known),
        correction=filled(entry.correction, known),
        see=entry.see,
        measured=measured,
        verdict=verdict,
        reason=reason if verdict == "not tested here" else "",
    )


def _measured(measure: Measure, evidence: Evidence, known: Known) -> list[Measured]:
    if measure.arms == "each":
        measure = measure.model_copy(update={"arms": list(known["each"])})
    if measure.quantity not in QUANTITIES:
        raise InputError(
            f"no quantity is named '{measure.quantity}'"
            f"{nearest(measure.quantity, list(QUANTITIES))}"
        )
    quantity = QUANTITIES[measure.quantity]
    if unused := sorted(measure.chosen() - set(quantity.takes)):
        raise InputError(f"{measure.quantity} has no '{unused[0]}'")
    decision = _rule(measure, known)
    return [
        Measured(
            label=filled(measure.label or quantity.label, found.names),
            interval=found.interval,
            decision=decision(found.interval),
        )
        for found in quantity.measure(evidence, measure)
    ]


def _rule(measure: Measure, known: Known) -> Callable[[Interval], Decision]:
    """How an interval decides, by the entry's one bound."""
    if measure.above is not None:
        return partial(above, bound=_number(measure.above, known))
    if measure.below is not None:
        return partial(below, bound=_number(measure.below, known))
    if measure.no_loss is not None:
        return partial(no_loss, margin=_number(measure.no_loss, known))
    if isinstance(measure.within, tuple):
        low, high = (_number(end, known) for end in measure.within)
        return partial(within, low=low, high=high)
    margin = _number(measure.within or 0, known)
    return partial(within, low=-margin, high=margin)


def _number(bound: float | str, known: Known) -> float:
    """A bound, which may name a number of the paper's."""
    if not isinstance(bound, str):
        return bound
    numbers = {name: value for name, value in known.items() if isinstance(value, (int, float))}
    if bound not in numbers:
        raise InputError(f"no number is named '{bound}'{nearest(bound, list(numbers))}")
    return float(numbers[bound])


def _source(entry: Entry, paper: Paper, known: Known) -> str:
    """Where the literature's values stand, as one writes it in a table."""
    if entry.place is not None:
        at, mark = filled(entry.place.at, known), filled(entry.place.mark, known)
        return f"{entry.place.source or f'arXiv {paper.arxiv}'}, {at} [{mark}]"
    if unknown := [name for name in entry.values if name not in paper.values]:
        raise InputError(
            f"paper.yaml has no value '{unknown[0]}'{nearest(unknown[0], list(paper.values))}"
        )
    return "; ".join(dict.fromkeys(cited(paper.values[name]) for name in entry.values))


def cited(value: Value) -> str:
    """Where a value stands."""
    source = f"arXiv {value.arxiv}" if value.arxiv else "later work"
    return f"{source}, {value.place} [{value.mark}]"


def filled(text: str, names: Known) -> str:
    """A text with each `{name}` replaced by what it stands for.

    Raises:
        InputError: an unknown name, or a form that does not fit it.
    """
    try:
        return text.format_map(names)
    except KeyError as error:
        name = str(error.args[0])
        raise InputError(
            f"{{{name}}} stands for nothing{nearest(name, list(names))}", fix="a brace is {{"
        ) from None
    except (ValueError, AttributeError, IndexError, TypeError) as error:
        raise InputError(f"'{text}' is no text with names in braces: {error}") from None
