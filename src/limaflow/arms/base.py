"""Kind `base`: the pretrained model, asked as it is or in the chat template that it has."""

from pathlib import Path
from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.generation.prompting import Format
from limaflow.results import Results


class BaseArm(ArmSettings):
    """The pretrained model: the bare prompt, or the prompt in the model's own chat template."""

    kind: Literal["base"]
    format: Literal["plain", "chat"] = "plain"

    uses_base = True

    @property
    def prompt_format(self) -> Format:  # type: ignore[override]
        return "chat" if self.format == "chat" else "raw"

    def model_manifest(self, results: Results) -> Path:
        return results.base_model
