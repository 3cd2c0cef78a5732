"""Kind `in-context`: the pretrained model with a few training examples before the question."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from limaflow.arms.arm import ArmSettings, Reference, Shots
from limaflow.results import Results
from limaflow.settings import Name


class InContextArm(ArmSettings):
    """The pretrained model with a few training examples before the question (URIAL)."""

    kind: Literal["in-context"]
    dataset: Name
    examples: int = Field(default=3, ge=1)

    prompt_format = "in-context"

    def model_manifest(self, results: Results) -> Path:
        return results.base_model

    @property
    def shots(self) -> Shots:
        return Shots(self.dataset, self.examples)

    def references(self) -> list[Reference]:
        return [Reference("dataset", self.dataset, "datasets")]
