"""What statistics come to: the summaries that judging and benchmarks hand to tables and claims."""

from dataclasses import dataclass, replace
from typing import Literal

from limaflow.intervals import Interval

Merge = Literal["strict", "majority", "mean"]
MERGES: tuple[Merge, ...] = ("strict", "majority", "mean")
AnnotatorsKind = Literal["person", "model", "simulated", "unspecified", "mixed"]
ReaderKind = Literal["exact match", "rules"] | AnnotatorsKind
Relation = Literal["pair", "within", "between", "orders", "passes"]


@dataclass(frozen=True, kw_only=True)
class Annotators:
    """Who made some judgments, as their records say and not as a file is called."""

    kind: AnnotatorsKind = "unspecified"
    number: int = 1
    models: tuple[str, ...] = ()
    """Names of the models, as the endpoint returned them."""


UNKNOWN = Annotators()


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of prompts won, tied and lost under one merge rule."""

    rule: Merge
    win: float
    tie: float
    lose: float


@dataclass(frozen=True, kw_only=True)
class StandardErrors:
    """Of the mean over prompts: the spread with n − 1, over √n; None on a single prompt."""

    win: float | None
    tie: float | None
    lose: float | None
    adjusted_win: float | None
    graded_win: float | None
    """None as well where `Preference.graded_win` is."""


@dataclass(frozen=True, kw_only=True)
class MeanChars:
    """Mean length in characters of the responses that were shown; None where they are unknown."""

    first: float | None
    second: float | None


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Shares of the pairs judged in both orders on which both verdicts chose the same place."""

    first: float
    second: float


@dataclass(frozen=True, kw_only=True)
class Refusable:
    """An interval, or why there is none."""

    interval: Interval | None = None
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Power:
    """What differences of `adjusted_win` from ½ the spread of these prompts lets one find.

    Found means: with chance `power`, at the level of the intervals.
    """

    power: float
    difference: float
    prompts_needed: int
    """For `difference`."""
    detectable: float | None
    """On the prompts that there are; None where even a model that always won might not show."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """One comparison by one judge, seen from `first`."""

    comparison: str
    first: str
    second: str
    judge: str
    prompts: int
    """Prompts that count: with at least one sample on which no order failed."""
    verdicts: int
    errors: int
    """Verdicts that failed; `error_share` is their share of all verdicts."""
    error_share: float
    win: Interval
    tie: Interval
    lose: Interval
    adjusted_win: Interval
    """Wins and half the ties (Zheng et al. 2023, 2306.05685, FastChat's adjusted win rate)."""
    graded_win: Interval | None = None
    """Mean part of the win that the judge gives `first`; None where it only ever chose."""
    standard_errors: StandardErrors
    p_value: float
    """Of the sign test over prompts."""
    permutation_p_value: float
    """Of the permutation test over prompts, on the mean of wins minus losses."""
    merge: Merge
    other_merges: tuple[Rates, ...]
    """By the other rules."""
    position_consistency: Interval | None
    same_slot: Slots | None
    first_slot_share: Interval | None
    """Of decided verdicts; ½ without bias."""
    longer_wins: Interval | None
    """Share of the decided verdicts on unequal lengths that chose the longer response."""
    length_controlled_win: Refusable
    """`adjusted_win` at equal length."""
    mean_chars: MeanChars
    longer_by: Interval | None
    """By how many characters the response of `first` is longer; None where it is not known, or is
    the same on all prompts, which tells no width."""
    annotators: Annotators = UNKNOWN
    prompt_set: str = ""
    """Hash of the prompts that were judged, or of the file that all of them are from."""
    power: Power | None
    """None where every prompt has the same outcome, whose spread says nothing."""
    cost: float

    def seen_from(self, arm: str) -> "Preference":
        """The same comparison from the view of `arm`, one of its two."""
        if arm == self.first:
            return self
        equal, errors = self.length_controlled_win, self.standard_errors
        return replace(
            self,
            first=self.second,
            second=self.first,
            win=self.lose,
            lose=self.win,
            adjusted_win=mirrored(self.adjusted_win),
            graded_win=None if self.graded_win is None else mirrored(self.graded_win),
            standard_errors=replace(errors, win=errors.lose, lose=errors.win),
            other_merges=tuple(replace(o, win=o.lose, lose=o.win) for o in self.other_merges),
            length_controlled_win=replace(
                equal, interval=None if equal.interval is None else mirrored(equal.interval)
            ),
            mean_chars=MeanChars(first=self.mean_chars.second, second=self.mean_chars.first),
            longer_by=None if self.longer_by is None else negated(self.longer_by),
        )


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """Bradley–Terry strengths of all models that one judge compared, or why there are none."""

    judge: str
    prompts: int
    estimates: dict[str, float]
    """Model → log-odds of winning against the average of them."""
    strengths: dict[str, Interval]
    """The same with intervals; empty where `refused` says why."""
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far choices on the same items agree.

    pair: of two annotators; within: of all pairs of one group; between: of all pairs across two
    groups; orders: of one annotator's verdicts in the two orders; passes: of one annotator's
    verdicts on the same material, asked again.
    """

    relation: Relation
    first: str
    second: str
    annotators: int
    items: int
    prompts: int
    agreement: Interval
    tie_discounted: Interval
    """The paper's tie-discounted accuracy."""
    without_ties: Interval | None
    """Agreement where neither says tie; None where there is no such item."""
    cohen: Interval | None
    """Cohen's kappa, of two; this and what follows None where it is not defined."""
    fleiss: Interval | None
    """Fleiss' kappa, of more than two that all judged the same number of times an item."""
    alpha: Interval | None
    """Krippendorff's alpha for nominal data."""
    minus_first: Interval | None = None
    """Of between: `tie_discounted` minus that of the first group's own pairs."""
    hasty: int = 0
    """Choices of these annotators, on whatever items, that were made in haste."""


@dataclass(frozen=True, kw_only=True)
class GradeAgreement:
    """How far grades of the same responses by one instrument agree; relations as in `Agreement`."""

    relation: Relation
    instrument: str
    title: str
    """The question that the instrument asks."""
    scale: str
    ordered: bool
    """Whether the scale's values are more or less of one thing."""
    first: str
    second: str
    annotators: int
    items: int
    """Responses."""
    prompts: int
    agreement: Interval
    """Share of equal grades."""
    weights: Literal["none", "quadratic"]
    cohen: Interval | None
    """Cohen's kappa, of two, so weighted; this and `alpha` None where it is not defined."""
    metric: Literal["nominal", "ordinal"]
    alpha: Interval | None
    """Krippendorff's alpha by this metric; not of between."""
    minus_first: Interval | None = None
    """Of between: `agreement` minus that of the first group's own pairs."""
    hasty: int = 0
    """Grades of these annotators by this instrument that were given in haste."""


@dataclass(frozen=True, kw_only=True)
class GradeSummary:
    """Grades of one model by one judge; the mean is over prompts."""

    model: str
    judge: str
    instrument: str
    title: str
    """The question that the instrument asks."""
    scale: str
    ordered: bool
    """Whether the scale's values are more or less of one thing."""
    words: dict[str, str]
    """Value → what it is called."""
    prompts: int
    errors: int
    mean: Interval
    counts: dict[str, int]
    shares: dict[str, Interval]
    """Level → share of a model's grades, averaged within each prompt first."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a benchmark task was put to two models."""

    few_shot: str
    """Examples before an item; of a group whose tasks differ, all numbers."""
    version: str
    """Of the task, as its file says."""
    limit: int | None
    """Only the first items of each task."""
    precision: str
    base_format: str
    """`plain`, `chat` (in the chat template), `in-context` (after worked examples) or both."""
    format: str
    base_revision: str | None
    revision: str | None

    @property
    def description(self) -> str:
        """All of it in one line."""
        parts = [
            f"{self.few_shot}-shot",
            self.format
            if self.format == self.base_format
            else f"{self.base_format}, {self.format}",
            self.precision,
            f"version {self.version}" if self.version else "",
            f"first {self.limit} items" if self.limit else "",
            f"revision {self.base_revision}" if self.base_revision else "",
            f"revision {self.revision}"
            if self.revision and self.revision != self.base_revision
            else "",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a paired difference of right and wrong answers is made of.

    `format` and `knowledge` add up to the difference.
    """

    unread_base: int
    unread_tuned: int
    read_in_both: int
    """Items of which an answer was read in both replies."""
    format: Interval | None
    """What answers that are read, or no longer are, add to the difference."""
    knowledge: Interval | None
    """The difference among items read in both; None where there is none."""
    lenient: Interval | None = None
    """The difference by a lenient reader of the replies (lm_evaluation/lenient_reading.py); None
    where a reply or its right answer is not known."""
    guessed: Interval | None = None
    """The difference if an unread answer counts as a guess; None where the number of choices is
    not known."""
    format_loss_p: float | None = None
    """One-sided, of a paired test for a loss of format; `knowledge_loss_p` likewise."""
    knowledge_loss_p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """How probable the right choice was, and how well probabilities fit how often it is right."""

    right_probability: Interval
    """Paired difference of the right choice's probability, tuned minus base."""
    base_error: float
    """Expected calibration error, as the next."""
    tuned_error: float
    error_difference: Interval
    """Tuned minus base, so that a positive one is worse."""
    loss_p_value: float | None = None
    """One-sided, of a paired test for a loss of the right choice's probability."""


@dataclass(frozen=True, kw_only=True)
class ReaderTax:
    """One task's difference as one reader of the replies sees it."""

    reader: str
    """`exact match` (the task's own score), `rules` (the lenient reader), a judge, or people."""
    kind: ReaderKind
    """What it is; of the first two what its name says."""
    items: int
    """Of which this reader judged both replies."""
    unsure_base: int
    """Replies that it could not decide, or was not asked about; `unsure_tuned` likewise."""
    unsure_tuned: int
    no_answer_base: int
    """Replies that it finds to give no answer, which are wrong; `no_answer_tuned` likewise."""
    no_answer_tuned: int
    base: Interval
    tuned: Interval
    difference: Interval
    loss_p_value: float
    exact_match: Interval
    """The difference by the task's own score of the same items."""
    format: Interval | None
    """`exact_match` minus `difference`: what of the former this reader takes for form; None of
    exact match itself."""
    format_loss_p: float | None


@dataclass(frozen=True, kw_only=True)
class ReaderAgreement:
    """How far two readers find the same replies of one model right."""

    model: str
    first: str
    second: str
    both_right: int
    first_alone: int
    """Right by the first reader, wrong by the second; `second_alone` likewise."""
    second_alone: int
    both_wrong: int
    agreement: Interval
    cohen: Interval | None
    """Cohen's kappa; None where it is not defined."""

    @property
    def items(self) -> int:
        """Replies that both judged."""
        return self.both_right + self.first_alone + self.second_alone + self.both_wrong


@dataclass(frozen=True, kw_only=True)
class TaskTax:
    """One task before and after tuning."""

    task: str
    metric: str
    arm: str
    base: Interval | None
    tuned: Interval | None
    """None where the task has no result; of one that is not paired, a value without an interval."""
    difference: Interval | None
    """On the same items: tuned minus base, or base minus tuned where lower is better, so that a
    negative difference is a loss. None where the items cannot be paired."""
    items: int
    higher_is_better: bool = True
    scale: tuple[float, float] | None = (0, 1)
    """Lowest and highest value of an item; None where they are not known."""
    loss_p_value: float | None = None
    """One-sided, of a paired test for a loss on this task alone; None where `difference` is."""
    chance: float | None = None
    """Share of the scale that guessing gets; None where it is not known."""
    unpaired: str = ""
    """Why the items cannot be paired."""
    over_seeds: bool = False
    """Whether `tuned` and `difference` are over several training seeds as well."""
    conditions: Conditions | None = None
    further_format: str = ""
    """Of a row beside the arm's main one, how the task was put: `chat`."""
    split: Split | None = None
    """Of answers that are read from a reply."""
    sureness: Sureness | None = None
    """Of choices that are scored by their likelihood."""
    contaminated: int | None = None
    """Items that stand in the arm's or the base's training data; None where nobody looked."""
    clean: Interval | None = None
    """`difference` of the other items, where some are contaminated; None where all are."""
    readers: tuple[ReaderTax, ...] = ()
    """Where replies were read otherwise than by exact match: each reader's difference, exact match
    first."""
    agreements: tuple[ReaderAgreement, ...] = ()
    """Of each two readers, on the base's replies and on the arm's."""

    @property
    def asked_arm(self) -> str:
        """The arm, and how it was asked where that is not its main way."""
        return f"{self.arm} ({self.further_format})" if self.further_format else self.arm

    @property
    def span(self) -> float | None:
        """Highest minus lowest value of an item; None where they are not known."""
        return None if self.scale is None else self.scale[1] - self.scale[0]


def mirrored(share: Interval) -> Interval:
    """The interval of 1 − share."""
    return Interval(1 - share.estimate, 1 - share.high, 1 - share.low)


def negated(difference: Interval) -> Interval:
    """The interval of a difference taken the other way round."""
    return Interval(-difference.estimate, -difference.high, -difference.low)
