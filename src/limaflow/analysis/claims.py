"""Claims: entries of YAML files, each decided by measured intervals under the rule that it states.

A claim states its rule, so that a reader can check the verdict from the intervals alone. The
package's own entries stand in `claims.yaml`; a user's files hold more of the same kind. What can be
measured stands in `quantities`, what fits a claim in `binding`, what limits a verdict in `flags`,
and how an interval decides in `decision_rules`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from limaflow.analysis.binding import misfit, too_few
from limaflow.analysis.claim_entries import (
    Entry,
    FlagId,
    Measure,
    Origin,
    Replication,
    Smallest,
    read_entries,
)
from limaflow.analysis.decision_rules import (
    ALONE,
    SHOWN,
    Bearing,
    Decision,
    above,
    any_of,
    below,
    equivalent,
    every,
    for_one_of_several,
    joined,
    no_loss,
    no_sure_loss,
    within,
)
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.flags import Flag, flags_of, flags_of_task
from limaflow.analysis.paper import Paper, Value
from limaflow.analysis.paper_derived import bars, derived
from limaflow.analysis.quantities import QUANTITIES, Found, NotMeasured, Quantity
from limaflow.analysis.recorded import FILE as RECORDED
from limaflow.analysis.recorded import ExternalRow, Recorded, by_claim
from limaflow.analysis.replication import Margin, replicates, replication_margin
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
    decision: Bearing
    """By the interval alone; of what a flag of the entry's `undecided_if` takes away: undecided."""
    flags: list[str] = field(default_factory=list)
    """Ids of the flags of this number; the claim holds their texts."""


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
    entry = _of_bar(entry, known)
    parts = [_part(measure, entry, evidence, known) for measure in entry.measure]
    set_aside = [line for part in parts for line in part.set_aside]
    numbers = [number for part in parts for number in part.numbers]
    # A claim of several quantities needs all of them that decide.
    needed = [part for part in parts if not part.is_shown]
    tested = bool(needed) and all(part.numbers for part in needed)
    verdict = every([part.decision for part in needed]) if tested else "not tested here"
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
        measured=[number.measured for number in numbers] if tested else [],
        verdict=verdict,
        reason=_reason(needed, verdict, filled(entry.missing, known)),
        flags=_joined(flag for number in numbers for flag in number.flags) if tested else [],
        set_aside=set_aside,
    )


def _reason(parts: Sequence["_Part"], verdict: Decision, missing: str) -> str:
    """Why a claim is not tested, or not decided by what was measured."""
    if verdict == "not tested here":
        return next((part.nothing for part in parts if part.nothing), missing)
    if verdict != "undecided":
        return ""
    voided = [number for part in parts if not part.deciding for number in part.numbers]
    said = (flag.text for number in voided for flag in number.voiding)
    return in_one_line(dict.fromkeys(said))


@dataclass(frozen=True, kw_only=True)
class _Number:
    """One number that fits a claim."""

    measured: Measured
    flags: list[Flag]
    voiding: list[Flag]
    """Those of its flags that keep it from deciding."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one quantity of a claim came to."""

    numbers: list[_Number] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    nothing: str = ""
    """Why there is no number, where it is another reason than the claim's `missing`."""
    is_shown: bool = False
    """Whether it decides nothing."""
    any: bool = False
    """Whether one of its numbers is enough."""

    @property
    def deciding(self) -> list[Measured]:
        return [number.measured for number in self.numbers if not number.voiding]

    @property
    def decision(self) -> Bearing:
        decided = [one.decision for one in self.deciding]
        together = any_of if self.any else joined
        return together(decided) if decided else "undecided"


def _part(measure: Measure, entry: Entry, evidence: Evidence, known: Known) -> _Part:
    quantity = _quantity(measure)
    bearings = _rule(measure, known, evidence.confidence)
    label = (measure.label or quantity.label) + _why_so_wide(measure, known)
    if quantity.joins_tasks:
        evidence = _without_flagged_tasks(evidence, entry)
    try:
        everything = quantity.measure(evidence, measure)
    except NotMeasured as reason:
        return _Part(nothing=str(reason), is_shown=bool(measure.shown))
    fitting, aside = [], {}
    for found in everything:
        if why := misfit(found, entry, evidence):
            aside[f"not tested here: {why}: {filled(label, found.names)}"] = why
        else:
            fitting.append(found)
    if measure.any and len(fitting) > 1:
        label += f" (interval for one of {len(fitting)})"
        fitting = [
            replace(
                found,
                interval=for_one_of_several(
                    found.interval, len(fitting), confidence=evidence.confidence
                ),
            )
            for found in fitting
        ]
    smallest = [*quantity.smallest, *([entry.smallest] if entry.smallest else [])]
    numbers = []
    for found, bearing in zip(fitting, bearings(fitting), strict=True):
        flags = [
            *flags_of(found, evidence),
            *_of_all(found, fitting, smallest),
        ]
        voiding = [] if measure.shown else _voiding(flags, entry)
        one = Measured(
            label=filled(label, found.names),
            interval=found.interval,
            decision="undecided" if voiding else bearing,
            flags=list(dict.fromkeys(flag.id for flag in flags)),
        )
        numbers.append(_Number(measured=one, flags=flags, voiding=voiding))
    nothing = "" if fitting else next(iter(aside.values()), "")
    return _Part(
        numbers=numbers,
        set_aside=list(aside),
        nothing=nothing,
        is_shown=bool(measure.shown),
        any=measure.any,
    )


def _voiding(flags: Sequence[Flag], entry: Entry) -> list[Flag]:
    return [flag for flag in flags if flag.id in ("too-few", *entry.undecided_if)]


def _of_all(found: Found, fitting: Sequence[Found], smallest: Sequence[Smallest]) -> Iterator[Flag]:
    """The flags of a number that hang on those beside it."""
    if few := too_few(found, _people(fitting), smallest):
        yield Flag(id="too-few", text=few)
    if found.annotators is not None and _judges(fitting) == 1:
        yield Flag(id="one-judge", text=f"{found.judge or 'one judge'} alone judged")


def _judges(fitting: Sequence[Found]) -> int:
    """Judges, and people, of these numbers."""
    judged = {f.judge: f.annotators.number for f in fitting if f.annotators is not None}
    return sum(judged.values())


def _people(fitting: Sequence[Found]) -> int:
    return _judges([f for f in fitting if f.annotators and f.annotators.kind == "person"])


def _joined(flags: Iterable[Flag]) -> list[Flag]:
    """Each flag once, with all that it says."""
    texts: dict[FlagId, dict[str, None]] = {}
    for flag in flags:
        texts.setdefault(flag.id, {})[flag.text] = None
    return [Flag(id=name, text=in_one_line(said)) for name, said in texts.items()]


def in_one_line(texts: Iterable[str]) -> str:
    """Texts joined; what several say after a colon is said once: `a: c`, `b: c` are `a, b: c`."""
    heads: dict[str, list[str]] = {}
    for text in texts:
        head, _, tail = text.rpartition(": ")
        heads.setdefault(tail, []).append(head)
    return "; ".join(
        f"{', '.join(filter(None, of))}: {tail}" if any(of) else tail for tail, of in heads.items()
    )


def _of_bar(entry: Entry, known: Known) -> Entry:
    """An entry that is a claim for each bar, as that of one bar."""
    if not entry.each:
        return entry
    bar: dict[str, Any] = {
        "annotators": known["kinds"],
        "judge_models": known["judge_models"],
        "arm_models": known["arm_models"],
    }
    measures = [
        m.model_copy(update={"baseline": list(known["each"])}) if m.baseline == "each" else m
        for m in entry.measure
    ]
    own = bar if entry.annotators == "each" else {}
    return entry.model_copy(update={**own, "measure": measures})


def _quantity(measure: Measure) -> Quantity:
    if measure.quantity not in QUANTITIES:
        raise InputError(
            f"no quantity is named '{measure.quantity}'"
            f"{nearest(measure.quantity, list(QUANTITIES))}"
        )
    quantity = QUANTITIES[measure.quantity]
    if unused := sorted(measure.chosen() - set(quantity.takes)):
        raise InputError(f"{measure.quantity} has no '{unused[0]}'")
    return quantity


Rule = Callable[[Sequence[Found]], list[Bearing]]


def _rule(measure: Measure, known: Known, confidence: float) -> Rule:
    """How the numbers of a quantity decide, by the entry's one bound."""
    if measure.no_sure_loss is not None:
        level = _number(measure.no_sure_loss, known)
        return lambda founds: no_sure_loss([_loss_p_value(found) for found in founds], level)
    if measure.shown:
        return lambda founds: [SHOWN] * len(founds)
    decision = _decision(measure, known, confidence)
    return lambda founds: [
        ALONE if found.alone and by_interval == "supported" else by_interval
        for found in founds
        for by_interval in [decision(found.interval)]
    ]


def _decision(measure: Measure, known: Known, confidence: float) -> Callable[[Interval], Decision]:
    """How one interval decides."""
    number = partial(_number, known=known)
    rule: Callable[[Interval], Decision]
    if measure.above is not None:
        rule = partial(above, bound=number(measure.above))
    elif measure.below is not None:
        rule = partial(below, bound=number(measure.below))
    elif measure.no_loss is not None:
        rule = partial(no_loss, margin=number(measure.no_loss))
    elif measure.equivalent is not None:
        rule = partial(equivalent, margin=number(measure.equivalent), confidence=confidence)
    elif measure.replicates is not None:
        around = _margin(measure.replicates, known)
        rule = partial(replicates, margin=around, confidence=confidence)
    elif isinstance(measure.within, tuple):
        rule = partial(within, low=number(measure.within[0]), high=number(measure.within[1]))
    else:
        margin = number(measure.within or 0)
        rule = partial(within, low=-margin, high=margin)
    return rule


def _loss_p_value(found: Found) -> float:
    if found.loss_p_value is None:
        raise InputError("no_sure_loss is about losses that a paired test looks for: tax_by_task")
    return found.loss_p_value


def _margin(replication: Replication, known: Known) -> Margin:
    value, prompts = (_number(n, known) for n in (replication.value, replication.prompts))
    return replication_margin(value, prompts)


def _why_so_wide(measure: Measure, known: Known) -> str:
    """What a reader of the number has to know where the paper's sample cannot decide."""
    if measure.replicates is None:
        return ""
    margin = _margin(measure.replicates, known)
    return "" if margin.decides else f" ({margin.reason})"


def _without_flagged_tasks(evidence: Evidence, entry: Entry) -> Evidence:
    """Without the benchmark tasks whose flags keep them from deciding the entry.

    Where none of an arm's would be left, all stay, and their flags keep the number from deciding.
    """
    reasons = {
        (row.arm, row.task): flag.id
        for row in evidence.tax
        if not row.further_format
        for flag in flags_of_task(row, evidence)
        if flag.id in entry.undecided_if and not row.further_format
    }
    left = {row.arm for row in evidence.tax if (row.arm, row.task) not in reasons}
    out = {place: reason for place, reason in reasons.items() if place[0] in left}
    kept = [row for row in evidence.tax if (row.arm, row.task) not in out]
    return replace(evidence, tax=kept, tasks_left_out=out)


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
