"""Kind `average`: the weights of the base and of a tuned arm, averaged."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.results import Results
from limaflow.settings import Name


class AverageArm(ArmSettings):
    """The average of the base's weights and another arm's, asked as that arm is."""

    kind: Literal["average"]
    of: Name
    alpha: Annotated[float, Field(ge=0, le=1)]
    """Share of the tuned weights."""

    prompt_format = "chat"
    model_rule = "average_models"

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)

    def references(self) -> list[Reference]:
        return [Reference("of", self.of, "models")]
