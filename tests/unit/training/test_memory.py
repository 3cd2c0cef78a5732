"""The memory planner against real runs on the CPU: within 15 % at every layout tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limaflow.tools.planning.activations import MicroBatch
from limaflow.tools.planning.architecture import of_config
from limaflow.tools.planning.memory import moments, peak
from limaflow.tools.planning.plan import disk
from limaflow.training.settings import Launch, Training

pytestmark = pytest.mark.slow
ARCHITECTURE = {
    "vocab_size": 8000,
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
}
TOKENS = 384
TOLERANCE = 0.15


def case(launch: Launch, *, per_step: int = 1, **settings: Any) -> dict[str, Any]:
    """One example of `TOKENS` a micro-batch, or as many as a packed one holds."""
    together = (launch.packed_tokens or TOKENS) // TOKENS
    return {
        "architecture": ARCHITECTURE,
        "launch": launch.model_dump(),
        "recipe": settings,
        "tokens": TOKENS,
        "examples": per_step * launch.processes_per_node * together,
        "per_step": per_step,
    }


def planned(measured: dict[str, Any], settings: Training) -> tuple[float, float]:
    """Bytes of memory and of a checkpoint; a quarter of each example is its prompt."""
    launch = Launch.model_validate(measured["launch"])
    settings = Training.model_validate({**settings.model_dump(), **measured["recipe"]})
    positions = launch.packed_tokens or TOKENS
    micro = MicroBatch(tokens=positions, trained=positions * 3 // 4, per_step=measured["per_step"])
    model = of_config(ARCHITECTURE, "the test's model")
    held = moments(model, settings, launch, micro, gpu=False)
    return peak(held), disk(model, settings, launch, exports=0)["one checkpoint"]


def check(
    torchrun: Callable, settings: Training, cases: list[dict[str, Any]], folder: Path
) -> None:
    request = folder / "request.json"
    request.write_text(
        json.dumps({"recipe": settings.model_dump(), "cases": cases, "folder": str(folder)})
    )
    processes = cases[0]["launch"]["processes_per_node"]
    run = torchrun(processes, Path(__file__).with_name("memory_program.py"), request)
    output = run.communicate(timeout=300)[0]
    assert run.returncode == 0, output
    measured = json.loads((folder / "measured.json").read_text())
    for number, (asked, found) in enumerate(zip(cases, measured, strict=True)):
        memory, checkpoint = planned(asked, settings)
        print(f"{number}: planned {memory / 2**20:.0f} MiB, measured {found['memory'] / 2**20:.0f}")
        assert memory == pytest.approx(found["memory"], rel=TOLERANCE), (number, asked)
        assert checkpoint == pytest.approx(found["checkpoint"], rel=0.03), (number, asked)


@pytest.fixture
def alone(launch: Launch) -> Launch:
    return launch.model_copy(
        update={"processes_per_node": 1, "micro_batch_examples": 1, "zero_stage": 0}
    )


@pytest.fixture(autouse=True)
def freed_memory_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")


def test_the_plan_is_what_one_process_needs(
    torchrun: Callable, settings: Training, alone: Launch, tmp_path: Path
) -> None:
    packed = alone.model_copy(update={"micro_batch_tokens": 2 * TOKENS})
    cases = [
        case(alone),
        case(packed.model_copy(update={"zero_stage": 2}), precision="bf16", residual_dropout=0.3),
        case(packed.model_copy(update={"gradient_checkpointing": True}), lora={"rank": 8}),
    ]
    check(torchrun, settings, cases, tmp_path)


def test_the_plan_is_what_each_of_two_processes_needs(
    torchrun: Callable, settings: Training, alone: Launch, tmp_path: Path
) -> None:
    two = alone.model_copy(update={"processes_per_node": 2})
    cases = [
        case(two.model_copy(update={"zero_stage": 2}), per_step=2),
        case(two.model_copy(update={"zero_stage": 1}), per_step=2, precision="bf16"),
        case(two.model_copy(update={"zero_stage": 2}), per_step=2, precision="bf16"),
        case(
            two.model_copy(update={"zero_stage": 3, "gradient_checkpointing": True}),
            precision="bf16",
        ),
    ]
    check(torchrun, settings, cases, tmp_path)
