"""training.json: what a finished training leaves for all that comes after it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError
from limaflow.jsonl import read_json


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Counts of a training's data."""

    examples: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    trimmed: tuple[str, ...] = ()
    """Ids of the examples that were longer than `training.max_tokens`."""
    control_strings: dict[str, int] = field(default_factory=dict)
    """Control token → examples whose texts mention it; it is split there like any other text."""
    dev_examples: int = 0
    """Dev prompts with a reference response, on which perplexity is measured."""
    padding_if_padded: float = 0.0
    """Share of padding that the run would have computed without packing."""


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """How an epoch went; `train_loss` is the mean over its steps, perplexity is per token."""

    epoch: int
    train_loss: float
    dev_perplexity: float | None


@dataclass(frozen=True, kw_only=True)
class TrainedEpoch(EpochResult):
    """One epoch of a finished training."""

    model: str | None
    """Its model.json, relative to the training.json; None where it was not exported."""


@dataclass(frozen=True, kw_only=True)
class TrainingManifest(DataFacts):
    """The file training.json."""

    arm: str
    identity: str
    """Hash of all that the trained weights depend on."""
    epochs: tuple[TrainedEpoch, ...]
    log: str
    """The run's log.csv, relative to the training.json."""


@dataclass(frozen=True, kw_only=True)
class PreferenceNotes:
    """The notes in the manifest of a preference-tuned model."""

    identity: str
    """Hash of all that the trained weights depend on."""
    start: str
    """The model that it starts from."""
    settings: dict[str, Any]
    """The block `preference`."""
    pairs: int
    left_out: dict[str, int]
    """Reason → pairs that were not trained on."""
    unseen: int
    """Pairs at the end of the last epoch that fill no batch."""
    last_loss: float


def read_training(path: Path) -> TrainingManifest:
    """The manifest of a finished training.

    Raises:
        InputError: there is none at `path`.
    """
    return read_json(path, TrainingManifest)


def epoch_model_name(arm: str, epoch: int) -> str:
    """The name of the model after an epoch, in responses and grades: `lima@epoch-5`."""
    return f"{arm}@epoch-{epoch}"


def model_of_epoch(training: Path, epoch: int) -> Path:
    """The model.json of one exported epoch.

    Raises:
        InputError: that epoch was not exported.
    """
    exported = {e.epoch: e.model for e in read_training(training).epochs if e.model is not None}
    if epoch not in exported:
        raise InputError(f"epoch {epoch} was not exported; there are {[*exported]}", path=training)
    return training.parent / exported[epoch]


def epochs_in(text: str, option: str) -> tuple[int, ...]:
    """The epochs of a JSON list such as `[5, 10]`, the value of a command line option.

    Raises:
        InputError: the text is something else.
    """
    try:
        return tuple(TypeAdapter(tuple[int, ...]).validate_json(text))
    except ValidationError:
        raise InputError(f"{option} is not a JSON list of numbers: {text}") from None
