"""Kind `in-context`: the pretrained model with a few training examples before the question."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from limaflow.arms.arm import ArmSettings, Reference, Shots
from limaflow.generation.prompting import ChooseShots, Format
from limaflow.results import Results
from limaflow.settings import Name


class InContextArm(ArmSettings):
    """The pretrained model with a few training examples before the question (URIAL)."""

    kind: Literal["in-context"]
    dataset: Name
    examples: int = Field(default=3, ge=1)
    choose: ChooseShots = "seed"
    """How the examples are chosen among those that fit."""
    given: list[str] | None = Field(default=None, min_length=1)
    """Ids of the examples in the order in which they stand, in place of `examples`."""

    format: Literal["plain", "chat"] = "plain"
    """chat: the examples are turns of the base's own chat template."""

    uses_base = True

    @property
    def prompt_format(self) -> Format:  # type: ignore[override]
        return "in-context-chat" if self.format == "chat" else "in-context"

    def model_manifest(self, results: Results) -> Path:
        return results.base_model

    @property
    def shots(self) -> Shots:
        if self.given is not None:
            return Shots(self.dataset, len(self.given), given=tuple(self.given))
        return Shots(self.dataset, self.examples, choose=self.choose)

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.given is not None and self.model_fields_set & {"examples", "choose"}:
            raise ValueError("given names the examples, so that examples and choose say nothing")
        if self.given is not None and len(set(self.given)) < len(self.given):
            raise ValueError("given: an id stands twice")
        return self

    def references(self) -> list[Reference]:
        return [Reference("dataset", self.dataset, "datasets")]
