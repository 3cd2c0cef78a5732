"""Kind `tuned`: the pretrained model fine-tuned on a data set."""

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.mistakes import messages
from limaflow.results import Results
from limaflow.settings import Name
from limaflow.training.settings import Launch, Preference, Selection, Training


class TunedArm(ArmSettings):
    """The pretrained model fine-tuned on a data set; `training` overrides keys of `training`."""

    kind: Literal["tuned"]
    dataset: Name
    training: dict[str, Any] = {}

    prompt_format = "chat"
    model_rule = "fine_tune"
    is_trained = True
    stops_by_itself = True

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)

    @property
    def training_dataset(self) -> str:
        return self.dataset

    def references(self) -> list[Reference]:
        return [Reference("dataset", self.dataset, "datasets")]

    def training_settings(self, shared: Training) -> Training:
        return Training.model_validate(self._merged(shared))

    def problems(
        self, shared: Training, preference: Preference, launch: Launch, selection: Selection
    ) -> list[str]:
        try:
            settings = self.training_settings(shared)
        except ValidationError as error:
            lines = messages(error, Training, self._merged(shared))
            return [f"arms.{self.name}.training.{line}" for line in lines]
        found = []
        late = [epoch for epoch in selection.epochs if epoch > settings.epochs]
        if late:
            found.append(
                f"selection.epochs: {late} lie after the last of the {settings.epochs} epochs "
                f"of arm '{self.name}'"
            )
        processes = launch.nodes * launch.processes_per_node
        if settings.batch_examples % processes:
            found.append(
                f"training.batch_examples: {settings.batch_examples} examples of arm '{self.name}' "
                f"cannot be shared evenly by {processes} processes (launch)"
            )
        if settings.precision == "bf16" and launch.zero_stage == 0:
            found.append(
                "launch.zero_stage: stage 0 with bf16 takes an optimizer step of its own when it "
                "starts (DeepSpeed 0.19); use stage 1 to 3, or training.precision fp32"
            )
        return found

    def _merged(self, shared: Training) -> dict[str, Any]:
        return {**shared.model_dump(), **self.training}
