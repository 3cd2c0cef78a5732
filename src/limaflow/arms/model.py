"""Kind `model`: a trained model that the user brings."""

from pathlib import Path
from typing import Literal

from limaflow.arms.arm import ArmSettings
from limaflow.manifests import names_a_folder
from limaflow.results import Results


class ModelArm(ArmSettings):
    """A model that the user brings, ready to answer in the chat template it carries."""

    kind: Literal["model"]
    path: str
    revision: str | None = None
    role: Literal["aligned_sibling"] | None = None
    """`aligned_sibling`: what the base's maker aligned from it; claims and figures name it so."""

    prompt_format = "chat"
    model_rule = "adopt_model"

    def in_words(self, lima: str) -> str:
        return "aligned sibling" if self.role == "aligned_sibling" else ""

    def brought_files(self, data_root: str) -> dict[str, str]:
        return {"path": self.path} if names_a_folder(self.path) else {}

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)
