"""Kind `base`: the pretrained model, asked as it is."""

from pathlib import Path
from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.results import Results


class BaseArm(ArmSettings):
    """The pretrained model, asked as it is."""

    kind: Literal["base"]

    prompt_format = "raw"

    def model_manifest(self, results: Results) -> Path:
        return results.base_model
