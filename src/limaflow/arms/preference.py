"""Kind `preference`: a model of another arm, tuned on pairs of a better and a worse response."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.mistakes import messages
from limaflow.results import Results
from limaflow.settings import Name
from limaflow.sources.settings import under_root
from limaflow.training.settings import Launch, Preference, Selection, Training


class PreferenceArm(ArmSettings):
    """Another arm's model after DPO on pairs; `training` overrides keys of `preference`."""

    kind: Literal["preference"]
    start: Name | None = Field(default=None, alias="from")
    """The arm whose model it starts from, which is its reference too; None: the LIMA arm."""
    pairs: str
    training: dict[str, Any] = {}

    prompt_format = "chat"
    model_rule = "prefer"
    stops_by_itself = True

    def in_words(self, lima: str) -> str:
        return f"DPO from {self.start or lima}"

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)

    def references(self) -> list[Reference]:
        return [Reference("from", self.start, "models")]

    def brought_files(self, data_root: str) -> dict[str, str]:
        return {"pairs": under_root(self.pairs, data_root)}

    def preference_settings(self, shared: Preference) -> Preference:
        return Preference.model_validate(self._merged(shared))

    def problems(
        self, shared: Training, preference: Preference, launch: Launch, selection: Selection
    ) -> list[str]:
        try:
            settings = self.preference_settings(preference)
        except ValidationError as error:
            lines = messages(error, Preference, self._merged(preference))
            return [f"arms.{self.name}.training.{line}" for line in lines]
        found = []
        processes = launch.nodes * launch.planned_processes
        if settings.batch_examples % processes:
            found.append(
                f"preference.batch_examples: {settings.batch_examples} pairs of arm '{self.name}' "
                f"cannot be shared evenly by {processes} processes (launch)"
            )
        if settings.precision == "bf16" and launch.zero_stage == 0:
            found.append(
                "launch.zero_stage: stage 0 with bf16 takes an optimizer step of its own when it "
                "starts (DeepSpeed 0.19); use stage 1 to 3, or preference.precision fp32"
            )
        return found

    def _merged(self, shared: Preference) -> dict[str, Any]:
        return {**shared.model_dump(), **self.training}
