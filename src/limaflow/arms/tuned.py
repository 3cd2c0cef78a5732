"""Kind `tuned`: the pretrained model, or another arm's, fine-tuned on a data set."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from limaflow.arms.arm import ArmSettings, Reference
from limaflow.mistakes import messages
from limaflow.results import Results
from limaflow.settings import Name
from limaflow.training.settings import Launch, Preference, Selection, Training

Seed = Annotated[int, Field(ge=0, strict=True)]


class TunedArm(ArmSettings):
    """A model fine-tuned on a data set; `training` overrides keys of `training`."""

    kind: Literal["tuned"]
    start: Name | None = Field(default=None, alias="from")
    """The arm whose model it starts from, such as one of kind `model`; None: the base."""
    dataset: Name
    training: dict[str, Any] = {}
    seeds: list[Seed] | None = Field(default=None, min_length=1)
    """Seeds of data order and dropout, a training each; the first is that of the arm's own name."""

    prompt_format = "chat"
    uses_base = True
    model_rule = "fine_tune"
    is_trained = True
    stops_by_itself = True

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: list[int] | None) -> list[int] | None:
        twice = sorted({seed for seed in seeds or () if (seeds or []).count(seed) > 1})
        if twice:
            raise ValueError(f"the seed {twice[0]} stands twice, and would give the same model")
        return seeds

    def training_seed(self, shared: int) -> int:
        return self.seeds[0] if self.seeds else shared

    def further_seeds(self) -> "list[FurtherSeed]":
        common = self.model_dump(exclude={"name", "seeds"})
        return [
            FurtherSeed(**common, name=f"{self.name}-seed{seed}", seeds=[seed], again=self.name)
            for seed in (self.seeds or [])[1:]
        ]

    def model_manifest(self, results: Results) -> Path:
        return results.chosen_model(self.name)

    @property
    def training_dataset(self) -> str:
        return self.dataset

    @property
    def started_from(self) -> str | None:
        return self.start

    def in_words(self, lima: str) -> str:
        return f"tuned from {self.start}" if self.start else ""

    def references(self) -> list[Reference]:
        started = [Reference("from", self.start, "models")] if self.start else []
        return [Reference("dataset", self.dataset, "datasets"), *started]

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
        processes = launch.nodes * launch.planned_processes
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
        if settings.precision == "fp32" and launch.attention.startswith("flash"):
            found.append(
                f"launch.attention: {launch.attention} computes in 16 bits only, and arm "
                f"'{self.name}' trains in fp32; use auto or sdpa"
            )
        return found

    def _merged(self, shared: Training) -> dict[str, Any]:
        return {**shared.model_dump(), **self.training}


class FurtherSeed(TunedArm):
    """A tuned arm once more, trained with another of its seeds; no configuration names it."""

    again: Name

    @property
    def seed_of(self) -> str:
        return self.again
