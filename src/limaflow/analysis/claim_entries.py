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
Number = float | str
"""A number, or the name of one in paper_derived.py."""

BOUNDS = ("above", "below", "within", "no_loss", "equivalent", "no_sure_loss", "replicates")


class Replication(Settings):
    """A value of the paper's, with the sample from which the margin around it follows."""

    value: Number
    """A share from 0 to 1."""
    prompts: Number


class Measure(Settings):
    """A quantity, of whom, and the bound that decides."""

    quantity: str
    role: Role | None = None
    arms: list[str] | Literal["each"] = Field(default_factory=list)
    """Arms by name, in place of a role; `each`: those of the bar of which the claim is one."""
    instrument: str | None = None
    word: str | None = None
    """Of the instrument's scale."""
    task: str | None = None
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
    replicates: Replication | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if sum(getattr(self, bound) is not None for bound in BOUNDS) != 1:
            raise ValueError(f"give one of {', '.join(BOUNDS[:-1])} and {BOUNDS[-1]}")
        return self

    def chosen(self) -> set[str]:
        """The keys that say of whom or what, which a quantity has to take."""
        return self.model_fields_set & {"role", "arms", "instrument", "word", "task"}


class Place(Settings):
    """Where the LIMA paper says it, and how sure the reading is."""

    at: str
    mark: str


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
                "a claim that is measured states in words when it is supported and when contradicted"
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
