"""Kind `average`: the weights of the base and of another arm, averaged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.results import Results
from limaflow.settings import Name, Share


class AverageArm(ArmSettings):
    """The average of the base's weights and another arm's, asked as that arm is."""

    kind: Literal["average"]
    of: Name
    alpha: Share | Annotated[list[Share], Field(min_length=1)]
    """Share of the other arm's weights; a list makes an arm of each."""

    prompt_format = "chat"
    uses_base = True
    model_rule = "average_models"

    @field_validator("alpha")
    @classmethod
    def _each_once(cls, given: float | list[float]) -> float | list[float]:
        if isinstance(given, list) and len(set(given)) < len(given):
            raise ValueError("an α stands twice")
        return given

    def each(self) -> "Sequence[AverageArm]":
        if not isinstance(self.alpha, list):
            return (self,)
        return [
            self.model_copy(update={"name": f"{self.name}-{_in_percent(alpha)}", "alpha": alpha})
            for alpha in self.alpha
        ]

    def in_words(self, lima: str) -> str:
        if isinstance(self.alpha, list):
            return ""
        return f"{self.alpha:g} {self.of} + {1 - self.alpha:g} base"

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)

    def references(self) -> list[Reference]:
        return [Reference("of", self.of, "models")]


def _in_percent(alpha: float) -> str:
    """As a part of a name: 25 for 0.25, 12-5 for 0.125."""
    return f"{round(100 * alpha, 6):g}".replace(".", "-")
