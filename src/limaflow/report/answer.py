"""The study in one minute: was there an alignment tax, what was gained for it, and at what cost.

The first page of the report and the last lines of `make demo` say the same, from the same files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from limaflow.analysis.claims import Claim, Claims, flag_in_words
from limaflow.analysis.graded_scales import by_instrument
from limaflow.config.experiment import Config
from limaflow.intervals import Interval, mean_of_independent
from limaflow.jsonl import read_json
from limaflow.measures.summaries import GradeSummary, Preference, TaskTax
from limaflow.records import ModelManifest
from limaflow.report.existing import optional, table
from limaflow.results import Results
from limaflow.training.manifest import TrainingManifest

QUESTION = "Was the alignment tax a scam, here?"
THE_TAX = "no-tax"
"""The claim whose verdict answers the question."""
ROUNDING = 0.05
"""Points by which two means of the same tasks may differ as they are shown."""
ANSWERS = {
    "supported": "Yes: no tax was found.",
    "contradicted": "No: a tax was paid.",
    "undecided": "It is not decided.",
    "not tested here": "It was not tested.",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One of gain, cost and check: a number and what it says."""

    title: str
    number: str
    of: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """What one arm gains and pays."""

    arm: str
    about: str
    grade: Interval | None
    right: Interval | None
    """Share of the prompts whose whole response is right, from 0 to 1."""
    tax: Interval | None
    """Mean over benchmark tasks of tuned minus base, in points of the scale."""
    chars: float | None
    """Mean length of its responses."""
    is_lima: bool


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that the first page says."""

    verdict: str
    sentence: str
    cards: list[Card]
    arms: list[ArmRow]
    highest: float
    """Grade of the scale; 0 where nothing is graded."""
    doubts: list[str] = field(default_factory=list)
    """Why one might not believe it: what the flags of the tested claims say."""


def answer_of(results: Results, config: Config) -> Answer:
    """The answer, from what the study has measured; what it has not is left out.

    Raises:
        InputError: there is no claims.json, or a file is not what it should be.
    """
    claims = read_json(results.analysis("claims"), Claims).claims
    preferences = optional(results.analysis("preferences"), list[Preference]) or []
    tax = optional(results.analysis("tax"), list[TaskTax]) or []
    arms = _arms(results, config, tax)
    lima = config.analysis.lima_arm
    gain = _gain(preferences, lima, _named(config, "base"))
    own = next((row for row in arms if row.is_lima), None)
    verdict = next((claim for claim in claims if claim.id == THE_TAX), None)
    cards = [
        card
        for card in (
            _gain_card(gain, arms, _named(config, "base"), lima),
            _cost_card(own, tax, verdict),
            _check_card(arms, own, [*_named(config, "in-context"), *_named(config, "cut")]),
        )
        if card
    ]
    return Answer(
        verdict=ANSWERS[verdict.verdict if verdict else "not tested here"],
        sentence=_sentence(gain, own, tax, verdict, lima),
        cards=cards,
        arms=arms,
        highest=_highest(arms),
        doubts=_doubts(claims),
    )


def _named(config: Config, kind: str) -> list[str]:
    return [arm.name for arm in config.as_written.arms if arm.kind == kind]


def _gain(preferences: Sequence[Preference], lima: str, bases: Sequence[str]) -> Preference | None:
    """LIMA against the base, by the judge whose file comes first."""
    for one in preferences:
        if lima in (one.first, one.second) and {one.first, one.second} & set(bases) - {lima}:
            return one.seen_from(lima)
    return None


def _arms(results: Results, config: Config, tax: Sequence[TaskTax]) -> list[ArmRow]:
    measured: dict[str, Mapping[str, str]] = {}
    for row in table(results.table("accuracy")) or []:
        # Of several judges the first.
        measured.setdefault(row["arm"], row)
    graded = _grades(results)
    lima = config.analysis.lima_arm
    return [
        ArmRow(
            arm=arm.name,
            about=_about(results, arm.name),
            grade=_cell(measured.get(arm.name, {}), "grade") or graded.get(arm.name),
            right=_cell(measured.get(arm.name, {}), "whole_right"),
            tax=mean_tax(tax, arm.name),
            chars=_length(measured.get(arm.name, {})),
            is_lima=arm.name == lima,
        )
        for arm in config.as_written.arms
    ]


def _grades(results: Results) -> dict[str, Interval]:
    """Arm → mean grade by the first judge of the first scale of numbers."""
    summaries = optional(results.analysis("grades"), list[GradeSummary]) or []
    by_scale = list(by_instrument(summaries, numbers=True).values())
    # Of several judges the first.
    return {one.model: one.mean for one in reversed(by_scale[0])} if by_scale else {}


def mean_tax(tax: Sequence[TaskTax], arm: str) -> Interval | None:
    """Mean over tasks of known scale, each alike, in points; asked in the arm's main way."""
    parts = [
        row.difference.over(row.span / 100)
        for row in tax
        if row.arm == arm and not row.further_format and row.difference and row.span
    ]
    return mean_of_independent(parts) if parts else None


def _about(results: Results, arm: str) -> str:
    """Its examples and the epoch that was chosen, of a tuned arm."""
    run = optional(results.training(arm), TrainingManifest)
    if run is None:
        return ""
    words = [f"{run.examples:,} examples"]
    model = optional(results.chosen_model(arm), ModelManifest)
    if model and isinstance(epoch := model.notes.get("epoch"), int):
        words.append(f"epoch {epoch} of {max((e.epoch for e in run.epochs), default=epoch)}")
    return ", ".join(words)


def _cell(row: Mapping[str, str], name: str) -> Interval | None:
    ends = [row.get(key, "") for key in (name, f"{name}_low", f"{name}_high")]
    return Interval(*map(float, ends)) if all(ends) else None


def _length(row: Mapping[str, str]) -> float | None:
    return float(row["mean_chars"]) if row.get("mean_chars") else None


def _highest(arms: Sequence[ArmRow]) -> float:
    """At least the paper's scale, so that bars of a poor study do not fill it."""
    grades = [row.grade.estimate for row in arms if row.grade]
    return max([6.0, *grades]) if grades else 0.0


def _sentence(
    gain: Preference | None,
    own: ArmRow | None,
    tax: Sequence[TaskTax],
    claim: Claim | None,
    lima: str,
) -> str:
    examples = own.about.split(",")[0] if own and own.about else f"Arm {lima}"
    parts = []
    if gain is not None:
        parts.append(
            f"{examples} made the responses preferred to the base’s on {gain.win.estimate:.0%} of "
            f"{gain.prompts} prompts, and worse on {gain.lose.estimate:.0%}"
        )
    if own and own.tax:
        tasks = _tasks(tax, own.arm)
        parts.append(f"{_cost_in_words(own.tax)} over {tasks} benchmark task{'s'[: tasks != 1]}")
    elif claim is not None:
        parts.append(f"of the tax: {claim.reason}" if claim.reason else "no benchmark was run")
    return "; ".join(parts) + "." if parts else "Nothing was measured that bears on it."


def _cost_in_words(tax: Interval) -> str:
    found = f"{signed(tax)} points"
    if tax.high < 0:
        return f"benchmark scores fell: {found}"
    if tax.low > 0:
        return f"benchmark scores rose: {found}"
    return f"benchmark scores moved by {found}, which may be nothing,"


def _tasks(tax: Sequence[TaskTax], arm: str) -> int:
    return sum(
        row.arm == arm and not row.further_format and bool(row.difference and row.span)
        for row in tax
    )


def signed(found: Interval, form: str = "+.1f") -> str:
    """`−8.3 [−12.4, −4.1]`, with the sign that print has."""
    text = f"{found.estimate:{form}} [{found.low:{form}}, {found.high:{form}}]"
    return text.replace("-", "−")


def _gain_card(
    gain: Preference | None, arms: Sequence[ArmRow], bases: Sequence[str], lima: str
) -> Card | None:
    if gain is None:
        return None
    grades = {row.arm: row.grade for row in arms if row.grade}
    before = next((grades[base] for base in bases if base in grades), None)
    after = grades.get(lima)
    graded = (
        f"Mean grade {before.estimate:.2f} → {after.estimate:.2f}. " if before and after else ""
    )
    return Card(
        title="Gain: preferred to the base",
        number=f"{gain.win.estimate:.0%}",
        of=f"win, {gain.tie.estimate:.0%} tie, {gain.lose.estimate:.0%} lose, of {gain.prompts} "
        "prompts",
        text=f"{graded}Judged by {gain.judge} ({gain.annotators.kind}).",
    )


def _cost_card(own: ArmRow | None, tax: Sequence[TaskTax], claim: Claim | None) -> Card | None:
    if own is None or own.tax is None:
        return None
    items = sum(row.items for row in tax if row.arm == own.arm and not row.further_format)
    flags = {flag.id for flag in claim.flags} if claim else set()
    ceiling = " The base is at the ceiling of a task, where tuning can only lose."
    number, _, rest = signed(own.tax).partition(" ")
    return Card(
        title="Cost: benchmarks, the same items before and after",
        number=number,
        of=f"points {rest}",
        text=f"{items:,} items of {_tasks(tax, own.arm)} tasks, paired; each task counts alike."
        + (ceiling if "at-ceiling" in flags else "")
        + _verdicts_own(own.tax, claim),
    )


def _verdicts_own(tax: Interval, claim: Claim | None) -> str:
    """What the verdict rests on, where the claim leaves tasks out that this mean has."""
    if claim is None or not claim.measured:
        return ""
    found = claim.measured[0]
    inside = found.interval.over(0.01)
    if abs(inside.estimate - tax.estimate) < ROUNDING:
        return ""
    return f" The verdict rests on {signed(inside)}: {found.label}."


def _check_card(arms: Sequence[ArmRow], own: ArmRow | None, others: Sequence[str]) -> Card | None:
    """What is reached without tuning: by examples in the prompt, or by cutting the response."""
    named = {row.arm: row for row in arms}
    other = next((named[name] for name in others if name in named), None)
    if own is None or other is None:
        return None
    if own.right and other.right:
        number = f"{other.right.estimate:.0%} → {own.right.estimate:.0%}"
        of = "of the responses are right"
    elif own.grade and other.grade:
        number, of = f"{other.grade.estimate:.2f} → {own.grade.estimate:.2f}", "mean grade"
    else:
        return None
    return Card(
        title="Check: without any tuning",
        number=number,
        of=of,
        text=f"From {other.arm}, whose weights are the base’s, to {own.arm}.",
    )


def _doubts(claims: Sequence[Claim]) -> list[str]:
    """Each flag once, as the claim says it that is shortest, with how many claims have it."""
    tested = [claim for claim in claims if claim.verdict != "not tested here"]
    said: dict[str, list[str]] = {}
    for claim in tested:
        for flag in claim.flags:
            said.setdefault(flag.id, []).append(flag.text)
    return [
        f"{flag_in_words(name).capitalize()}: {min(texts, key=len)} ({len(texts)} of "
        f"{len(tested)} tested claims)."
        for name, texts in sorted(said.items(), key=lambda item: -len(item[1]))
    ]
