"""What every arm of the configuration has, and what its kind tells the workflow.

A kind is one module beside this one: a class with the keys of its block, which overrides the facts
and methods below where they differ, and a word in table.py. Rules, configuration checks and tables
read these facts and name no kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from limaflow.generation.prompting import ChooseShots, Format
from limaflow.generation.settings import AskedEndpoint
from limaflow.results import Results
from limaflow.settings import Name, Settings
from limaflow.training.settings import Launch, Preference, Selection, Training


@dataclass(frozen=True)
class Reference:
    """A key of an arm whose value must be the name of an entry of another list."""

    key: str
    name: str | None
    """None: the LIMA arm, `analysis.lima_arm`."""
    listed_in: str
    """`datasets`, `arms`, `sources` or `judges`; `models`: arms with weights of their own;
    `answering`: arms whose responses are made from no other arm's."""


@dataclass(frozen=True)
class Shots:
    """Training examples that stand before each prompt."""

    dataset: str
    count: int
    choose: ChooseShots = "seed"
    given: tuple[str, ...] = ()
    """Their ids, where the user names them."""


class StandsFor(Settings):
    """Which of the paper's baselines an arm is. A name alone says nothing of it."""

    baseline: str = Field(min_length=1)
    """As `arms` of a bar in analysis/paper.yaml: `gpt-4`, `claude`, `alpaca-65b`, …"""
    provenance: str = Field(min_length=1)
    """Where the model, or its answers, come from."""


class ArmSettings(Settings):
    """One entry of `arms`."""

    name: Name
    stands_for: StandsFor | None = None

    prompt_format: ClassVar[Format | None] = None
    """How a prompt is put to its model; None where the model does not run here. A property where a
    key of the block decides it."""
    response_rule: ClassVar[str] = "respond"
    """The rule of rules/generation.smk that makes `responses/test/<arm>.jsonl`."""
    model_rule: ClassVar[str | None] = None
    """The rule that makes its model, in rules/training.smk or rules/derived_models.smk; None where
    it has none of its own."""
    is_trained: ClassVar[bool] = False
    """Whether its model is an epoch of a training.json, chosen by judged dev responses."""
    uses_base: ClassVar[bool] = False
    """Whether its model is the base, or is made from it."""
    stops_by_itself: ClassVar[bool] = False
    """Whether it was taught to end a response, so that too many cut off by length are an error."""

    @model_validator(mode="before")
    @classmethod
    def _seeds_are_of_trainings(cls, given: Any) -> Any:
        if isinstance(given, dict) and "seeds" in given and not cls.is_trained:
            raise ValueError("seeds: only an arm that is trained here has training seeds")
        return given

    def in_words(self, lima: str) -> str:
        """What it is, where its name need not say it.

        Args:
            lima: the LIMA arm.
        """
        return ""

    def model_manifest(self, results: Results) -> Path | None:
        """The manifest of its model; None where the model does not run here."""
        return None

    def stands_before_tuning(self, results: Results) -> bool:
        """Whether its benchmark results are those that the alignment tax is counted from."""
        return self.model_manifest(results) == results.base_model

    @property
    def seed_of(self) -> str | None:
        """The arm that this one is once more, trained with another seed."""
        return None

    @property
    def started_from(self) -> str | None:
        """The arm whose model its training starts from; None: the base, or what its kind says."""
        return None

    def training_seed(self, shared: int) -> int:
        """The seed of its training, where the experiment's is `shared`."""
        return shared

    def further_seeds(self) -> "Sequence[ArmSettings]":
        """The same arm for each training seed after its first."""
        return ()

    def each(self) -> "Sequence[ArmSettings]":
        """The arms that its entry stands for; several where a key of it lists values."""
        return (self,)

    @property
    def shots(self) -> Shots | None:
        """Examples before each prompt."""
        return None

    @property
    def endpoint(self) -> AskedEndpoint | None:
        """The endpoint that answers for it."""
        return None

    @property
    def training_dataset(self) -> str | None:
        """The data set that it is fine-tuned on."""
        return None

    def references(self) -> list[Reference]:
        """Names of other entries that its block holds."""
        return []

    def brought_files(self, data_root: str) -> dict[str, str]:
        """Key of its block → path of the user's file or folder that it names."""
        return {}

    def training_settings(self, shared: Training) -> Training:
        """The block `training` as it holds for this arm."""
        return shared

    def problems(
        self, shared: Training, preference: Preference, launch: Launch, selection: Selection
    ) -> list[str]:
        """What of its block cannot work with the blocks that all arms share."""
        return []

    @property
    def runs_here(self) -> bool:
        """Whether its model runs here, so that it can be measured."""
        return self.prompt_format is not None
