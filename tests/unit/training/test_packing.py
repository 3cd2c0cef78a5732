"""Packed examples stay apart, or they are padded: the model itself is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from architectures import ARCHITECTURES, tiny_model, written
from training_runs import fail, finish

from limaflow.training.conversation import TokenizedExample
from limaflow.training.packing import separation
from limaflow.training.settings import Launch, Training

VOCABULARY = 300


class Engine(SimpleNamespace):
    """What DeepSpeed's engine does around a model, without its optimizer."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.module(*args, **options)


def engine_of(model: Any) -> Engine:
    return Engine(module=model, device=model.device, eval=model.eval, train=model.train)


def example(seed: int, length: int) -> TokenizedExample:
    generator = torch.Generator().manual_seed(seed)
    tokens = tuple(torch.randint(3, VOCABULARY, (length,), generator=generator).tolist())
    return TokenizedExample(id=str(seed), tokens=tokens, labels=tokens, trimmed=0)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_models_that_mix_packed_examples_are_recognised(name: str, dtype: torch.dtype) -> None:
    engine = engine_of(tiny_model(name, VOCABULARY).to(dtype))
    assert separation(engine, [example(1, 70), example(2, 90)], 256).holds == (
        ARCHITECTURES[name].packs
    )
    assert engine.module.training


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("lengths", [(2, 2), (3,), (40, 5)])
def test_examples_of_few_tokens_are_enough_to_tell(lengths: tuple[int, ...]) -> None:
    examples = [example(number, length) for number, length in enumerate(lengths)]
    for name in ("llama", "opt", "lfm2"):
        engine = engine_of(tiny_model(name, VOCABULARY))
        assert separation(engine, examples, 16).holds == ARCHITECTURES[name].packs


@pytest.mark.slow
def test_auto_pads_where_packing_does_not_hold_and_a_number_is_refused(
    *,
    fine_tune: Callable,
    tiny_base: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    base = written("lfm2", tmp_path / "base", like=tiny_base.parent / "model")
    settings = settings.model_copy(update={"epochs": 1})

    def run(packing: int | str | None) -> tuple[Any, Path]:
        chosen = launch.model_copy(update={"micro_batch_tokens": packing, "zero_stage": 3})
        folder = tmp_path / str(packing)
        return fine_tune(folder, settings, chosen, exports="[1]", base=base), folder

    refused, _ = run(300)
    message = fail(refused)
    assert "does not keep packed examples apart" in message
    assert message.count("(launch.micro_batch_tokens: auto or null, which pads)") == 1
    (packed, packing), (padded, padding) = run("auto"), run(None)
    assert "they are padded instead" in finish(packed)
    assert "apart" not in finish(padded)
    logs = [
        (folder / json.loads((folder / "training.json").read_text())["log"]).read_text()
        for folder in (packing, padding)
    ]
    losses = [[line.split(",")[:4] for line in log.splitlines()] for log in logs]
    assert losses[0] == losses[1]
