"""`safety` of the configuration."""

from typing import Literal

from pydantic import Field, NonNegativeInt

from limaflow.refusals.classes import Class
from limaflow.settings import Name, Settings

Instrument = Literal["safety", "refusal"]


class Safety(Settings):
    """Who grades the answers to prompts that test safety, and what is known of these graders.

    Without graders nothing is asked; `-- refusals` counts by rule all the same.
    """

    graders: dict[Instrument, list[Name]] = Field(default_factory=dict)
    """Instrument → judges of the answers to prompts with `tags`."""
    tags: list[str] = Field(default=["sensitive", "contrast", "attack"])
    """Tags or labels of the prompts that test safety."""
    apart: bool = False
    """Whether answers to sensitive prompts are left to these graders alone."""
    refusals: list[Name] = Field(default_factory=list)
    """Sources of refusals; arms that differ in these alone are set side by side."""
    doses: dict[Name, NonNegativeInt] = Field(default_factory=dict)
    """Arm → refusals among its training examples, where these carry no tags to be counted by."""
    labels: dict[Name, str] = Field(default_factory=dict)
    """Arm → table of its answers that people labelled."""
    columns: dict[Literal["prompt", "answer", "label"], str] = Field(default_factory=dict)
    """What these tables call their columns."""
    words: dict[str, Class] = Field(default_factory=dict)
    """What they call the classes, beside ours and XSTest's."""
    known: list[str] = Field(default_factory=list)
    """Confusion matrices of graders on answers of other arms, by `limaflow refusals agreement`."""

    @property
    def is_graded(self) -> bool:
        """Whether anybody is asked."""
        return any(self.graders.values())
