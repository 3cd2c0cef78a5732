"""What an entry of a file of claims may say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from limaflow.analysis.recorded import ExternalRow
from limaflow.errors import InputError
from limaflow.mistakes import nearest, validated
from limaflow.settings import Settings
from limaflow.yaml_file import read_yaml

Origin = Literal["paper", "critic", "note", "later work", "own"]
"""Whose claim it is: the paper's, of work that doubts it, of the note that started this project, of
work that came after, or the user's."""
Role = Literal[
    "base",
    "cut-base",
    "in-context",
    "ablation",
    "unfiltered",
    "responses",
    "longest",
    "adapted",
    "aligned_sibling",
    "preference",
    "average",
    "without-forms",
    "from_aligned",
]
"""The part that other arms play: of kind base or in-context, of kind cut and made of the base's
responses, tuned on another number of the LIMA arm's examples (Figure 6), on unfiltered examples
(Figure 5), on the LIMA arm's responses without their prompts, on the longest examples of a set, or
on the LIMA arm's examples by an adapter; aligned by the base's maker, the LIMA arm after DPO, its
average with the base whose share is nearest to a half; tuned on the LIMA arm's examples but for
those that ask for a form (appendix E); tuned on the LIMA arm's examples from the aligned sibling in
place of the base."""
Kind = Literal["person", "model", "simulated"]
"""Who may have judged. `simulated` counts in reports of the invented world alone."""
FlagId = Literal[
    "at-ceiling",
    "at-chance",
    "contaminated",
    "cut-off",
    "few-seeds",
    "not-converged",
    "one-judge",
    "simulated",
    "too-few",
    "unchecked-judge",
    "unequal-steps",
]
"""What limits a verdict; flags.py says when."""
Number = float | str
"""A number, or the name of one in paper_derived.py."""

BOUNDS = (
    *("above", "below", "within", "no_loss", "equivalent", "no_sure_loss", "shown", "replicates"),
)


class Replication(Settings):
    """A value of the paper's, with the sample from which the margin around it follows."""

    value: Number
    """A share from 0 to 1."""
    prompts: Number


class Measure(Settings):
    """A quantity, of whom, and the bound that decides."""

    quantity: str
    role: Role | None = None
    arms: list[str] = Field(default_factory=list)
    """Arms by name, in place of a role."""
    baseline: list[str] | Literal["each"] = Field(default_factory=list)
    """Names of a baseline of the paper's, in place of a role: the arms that the configuration says
    stand for it. `each`: that of the bar of which the claim is one."""
    instrument: str | None = None
    scale: str | None = None
    """On which the grades must be, such as `likert-6`; None: on any that the instrument has."""
    word: str | None = None
    """Of the instrument's scale."""
    intent: Literal["malicious", "benign", "ambiguous"] | None = None
    """Of sensitive prompts; None: all of them."""
    task: str | None = None
    least_rise: float | None = None
    """Of perplexity, as a share of the lowest: a smaller one is none."""
    most_examples: float | None = Field(default=None, gt=0)
    """Arms tuned on at most so many examples, as a share of the LIMA arm's."""
    most_kilobytes: float | None = Field(default=None, gt=0)
    """Arms whose adapter holds at most so many kilobytes (1,000 bytes)."""
    any: bool = False
    """Whether one of the arms is enough: then one number supports the claim, and only all of them
    contradict it. The intervals are widened by their number (Bonferroni)."""
    label: str = ""
    """How a number is called; else as the quantity says."""
    above: Number | None = None
    below: Number | None = None
    within: Number | tuple[Number, Number] | None = None
    """Both ends, or one number for ± that number."""
    no_loss: Number | None = None
    """The loss that counts as none; a sure loss of any size contradicts."""
    equivalent: Number | None = None
    """A difference either way that counts as none, by two one-sided tests; a sure loss of any size
    contradicts."""
    no_sure_loss: Number | None = None
    """Level of a one-sided test for losses, corrected over all numbers of the quantity. A loss that
    it finds contradicts; no number supports anything by itself."""
    shown: Literal[True] | None = None
    """A number to be read beside the others; it decides nothing, and need not be there."""
    replicates: Replication | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if sum(getattr(self, bound) is not None for bound in BOUNDS) != 1:
            raise ValueError(f"give one of {', '.join(BOUNDS[:-1])} and {BOUNDS[-1]}")
        return self

    def chosen(self) -> set[str]:
        """The keys that say of whom or what, which a quantity has to take."""
        return self.model_fields_set & {
            *("role", "arms", "baseline", "instrument", "scale", "word", "task", "least_rise"),
            "intent",
            *("most_examples", "most_kilobytes"),
        }


class Place(Settings):
    """Where the literature says it, and how sure the reading is."""

    at: str
    mark: str
    source: str = ""
    """The LIMA paper by default."""


class Smallest(Settings):
    """The least that a claim is decided on, where it wants more than its quantity does."""

    prompts: int = Field(default=0, ge=0)
    items: int = Field(default=0, ge=0)
    people: int = Field(default=0, ge=0)
    """Different people, where people judged."""
    reason: str = Field(min_length=1)


class Entry(Settings):
    """One claim; texts may name values in braces."""

    id: str = Field(min_length=1)
    evidence: Literal["measured"] = "measured"
    origin: Origin = "own"
    statement: str
    literature: str = "–"
    """What the paper or later work says."""
    place: Place | None = None
    values: list[str] = Field(default_factory=list)
    """Ids in paper.yaml of the values that `literature` rests on, in place of `place`."""
    correction: str = ""
    """What is wrong with the statement as it was quoted."""
    see: list[str] = Field(default_factory=list)
    """Ids of claims that bear on this one."""
    each: Literal["preferences"] | None = None
    """One claim for each bar of Figures 1 and 2."""
    annotators: list[Kind] | Literal["each"] = Field(default=["person", "model", "simulated"])
    """Whose judgments count; `each`: those of the bar. Of anybody else the claim is not tested."""
    judge_models: list[str] = Field(default_factory=list)
    """Models whose judgments count, by the name that the endpoint returned (`*` as in file names);
    empty: any."""
    arm_models: list[str] = Field(default_factory=list)
    """Likewise, of an endpoint that answers for the arm that the LIMA arm is compared with."""
    prompt_set: str = ""
    """Hash of the prompts that it is about; empty: those of the experiment."""
    smallest: Smallest | None = None
    undecided_if: list[FlagId] = Field(default_factory=list)
    """A number with one of these flags decides nothing."""
    measure: list[Measure] = Field(default_factory=list)
    """Empty: not tested, for the reason `missing`."""
    supported: str = ""
    """The rule in words, after "supported if"; `contradicted` likewise."""
    contradicted: str = ""
    missing: str = "nothing of it was measured"

    @model_validator(mode="after")
    def _rules_are_said(self) -> Self:
        if self.measure and not (self.supported and self.contradicted):
            raise ValueError(
                "a claim that is measured says in words when it is supported and when contradicted"
            )
        return self


KINDS: Mapping[str, type[Entry] | type[ExternalRow]] = {
    "measured": Entry,
    "recorded": ExternalRow,
}
"""By `evidence`: an entry is a claim to be measured unless it says otherwise."""


def read_entries(path: Path) -> list[Entry | ExternalRow]:
    """The entries of a file of claims.

    Raises:
        InputError: as `read_yaml`; not a list of entries, or an entry is not valid.
    """
    rows = read_yaml(path)
    if not isinstance(rows, list):
        raise InputError("not a list of claims", path=path, fix="begin each claim with `- id: …`")
    return [_entry(row, f"{path}: entry {number}") for number, row in enumerate(rows, start=1)]


def _entry(row: Any, origin: str) -> Entry | ExternalRow:
    evidence = row.get("evidence", "measured") if isinstance(row, dict) else "measured"
    if evidence not in KINDS:
        raise InputError(f"{origin}: evidence '{evidence}'{nearest(str(evidence), list(KINDS))}")
    if isinstance(row, dict) and "id" in row:
        origin += f" ({row['id']})"
    return validated(KINDS[evidence], row, origin)
