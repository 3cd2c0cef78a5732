"""What an entry of a file of claims may say."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from limaflow.mistakes import validated
from limaflow.settings import Settings
from limaflow.yaml_file import read_yaml

Origin = Literal["paper", "objection", "own"]
"""Whose claim it is: the paper's, that of later work, or the user's."""
Role = Literal["base", "in-context", "ablation", "unfiltered"]
"""The part that other arms play: of kind base or in-context, tuned on another number of the LIMA
arm's examples (Figure 6), tuned on unfiltered examples (Figure 5)."""
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
    task: str | None = None
    least_rise: float | None = None
    """Of perplexity, as a share of the lowest: a smaller one is none."""
    label: str = ""
    """How a number is called; else as the quantity says."""
    above: Number | None = None
    below: Number | None = None
    within: Number | tuple[Number, Number] | None = None
    """Both ends, or one number for ± that number."""
    no_loss: Number | None = None
    """The loss that counts as none; a sure loss of any size contradicts."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        bounds = (self.above, self.below, self.within, self.no_loss)
        if sum(bound is not None for bound in bounds) != 1:
            raise ValueError("give one of above, below, within and no_loss")
        return self

    def chosen(self) -> set[str]:
        """The keys that say of whom or what, which a quantity has to take."""
        return self.model_fields_set & {
            *("role", "arms", "baseline", "instrument", "scale", "word", "task", "least_rise")
        }


class Place(Settings):
    """Where the LIMA paper says it, and how sure the reading is."""

    at: str
    mark: str


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
    origin: Origin = "own"
    statement: str
    literature: str = "–"
    """What the paper or later work says."""
    place: Place | None = None
    values: list[str] = Field(default_factory=list)
    """Ids in paper.yaml of the values that `literature` rests on, in place of `place`."""
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


class File(Settings):
    """A whole file: the list of its entries."""

    claims: list[Entry]


def read_entries(path: Path) -> list[Entry]:
    """The entries of a file of claims.

    Raises:
        InputError: as `read_yaml`; not a list of entries, and names the key.
    """
    return validated(File, {"claims": read_yaml(path)}, str(path)).claims
