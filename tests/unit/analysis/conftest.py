"""Summaries that several tests of the analysis begin with."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from limaflow.intervals import Interval
from limaflow.jsonl import write_json
from limaflow.measures.summaries import Agreement
from limaflow.training.manifest import TrainedEpoch, TrainingManifest


@pytest.fixture
def people_and_models() -> Agreement:
    """Between two groups; ±10 points around 80 %."""
    share = Interval(0.8, 0.7, 0.9)
    return Agreement(
        relation="between",
        first="people",
        second="models",
        annotators=3,
        items=50,
        prompts=50,
        agreement=share,
        tie_discounted=share,
        without_ties=None,
        cohen=None,
        fleiss=None,
        alpha=None,
    )


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """Writes training.json of a run whose dev perplexities by epoch are given."""

    def write(perplexities: Mapping[int, float | None], arm: str = "lima") -> Path:
        epochs = tuple(
            TrainedEpoch(epoch=epoch, train_loss=1.0, dev_perplexity=value, model=None)
            for epoch, value in perplexities.items()
        )
        manifest = TrainingManifest(arm=arm, identity="i", epochs=epochs, log="log.csv")
        write_json(tmp_path / "training.json", manifest)
        return tmp_path / "training.json"

    return write
