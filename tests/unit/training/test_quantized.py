"""QLoRA: training beside weights of 4 bits is LoRA beside the values that these have."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_runs import exported, finish, saved, wait_until
from transformers import AutoModelForCausalLM

from limaflow.training.adapter import merged
from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.settings import Launch, Lora, Training

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not in the lock file")


def adapted(settings: Training, *, four_bits: bool = True) -> Training:
    lora = Lora(rank=4, quantize="4bit" if four_bits else None)
    return settings.model_copy(update={"lora": lora})


def loss_of_each_step(folder: Path) -> list[float]:
    (log,) = folder.glob("runs/*/log.csv")
    with log.open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.fixture
def their_values(
    tiny_base: Path, settings: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """model.json of the tiny model with the values that its weights have in 4 bits."""
    monkeypatch.setenv("RANK", "0")
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    model, weights = merged(
        load_model(tiny_base, *dialogue_tokenizer(tiny_base), adapted(settings))
    )
    model.save_pretrained(tmp_path / "base" / "model", state_dict=weights)
    return tmp_path / "base" / "model.json"


def test_an_evaluation_leaves_the_weights_as_they_were(tiny_base: Path, settings: Training) -> None:
    model = load_model(tiny_base, *dialogue_tokenizer(tiny_base), adapted(settings))
    tokens = torch.arange(20)[None]
    before = model(tokens).logits
    with torch.no_grad():
        model.eval()(tokens)
    assert model.train()(tokens).logits.equal(before)


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "stage"), [(1, 0), (1, 2), (2, 0), (2, 1), (2, 2)])
def test_each_step_and_the_export_are_those_of_lora_beside_the_values(
    *,
    processes: int,
    stage: int,
    their_values: Path,
    fine_tune: Callable,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    launch = launch.model_copy(update={"zero_stage": stage, "processes_per_node": processes})
    bits, values = tmp_path / "bits", tmp_path / "values"
    finish(fine_tune(bits, adapted(settings), launch))
    finish(fine_tune(values, adapted(settings, four_bits=False), launch, base=their_values))
    assert loss_of_each_step(bits) == pytest.approx(loss_of_each_step(values), rel=1e-5)
    found, expected = load_file(exported(bits, 3)), load_file(exported(values, 3))
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        # Adam makes steps of noise where a gradient is next to nothing.
        assert (found[name] - weight).norm() <= 1e-3 * weight.norm(), name
    model = AutoModelForCausalLM.from_pretrained(exported(bits, 3).parent)
    assert "quantization_config" not in model.config.to_dict()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "stage", "precision"), [(1, 0, "fp32"), (2, 2, "fp32"), (2, 2, "bf16")]
)
def test_a_killed_run_ends_in_the_same_weights(
    *,
    processes: int,
    stage: int,
    precision: str,
    fine_tune: Callable,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    settings = adapted(settings).model_copy(update={"precision": precision})
    changes = {"zero_stage": stage, "processes_per_node": processes, "checkpoint_every_steps": 1}
    launch = launch.model_copy(update=changes)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(fine_tune(whole, settings, launch))
    run = fine_tune(broken, settings, launch)
    # After an evaluation.
    wait_until(run, lambda: any(checkpoint.step >= 4 for checkpoint in saved(broken)))
    run.kill()
    run.wait()
    finish(fine_tune(broken, settings, launch))
    assert exported(broken, 3).read_bytes() == exported(whole, 3).read_bytes()
