"""What analysis and report read of a run's training.json."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainedEpoch:
    """One epoch as the manifest of a run lists it."""

    epoch: int
    dev_perplexity: float | None = None
    train_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A finished run; `log` is relative to the manifest's folder."""

    arm: str
    epochs: tuple[TrainedEpoch, ...] = ()
    log: str = ""
    examples: int | None = None
    tokens: int | None = None
    trained_tokens: int | None = None
    trimmed: tuple[str, ...] | int | None = None
