"""The memory planner against real runs on the CPU: within 15 % at every layout tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limaflow.config import Launch, Recipe
from limaflow.training.architecture import of_config
from limaflow.training.memory import MicroBatch, moments, peak

ARCHITECTURE = {
    "vocab_size": 8000,
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
}
TOKENS = 512
TOLERANCE = 0.15


def case(launch: Launch, *, per_step: int = 1, saved: bool = False, **recipe: Any) -> dict[str, Any]:
    """One example of `TOKENS` a micro-batch."""
    return {
        "architecture": ARCHITECTURE,
        "launch": launch.model_dump(),
        "recipe": recipe,
        "tokens": TOKENS,
        "examples": per_step * launch.processes_per_node,
        "per_step": per_step,
        "saved": saved,
    }


def planned(measured: dict[str, Any], recipe: Recipe) -> float:
    launch = Launch.model_validate(measured["launch"])
    recipe = recipe.model_copy(update=measured["recipe"])
    positions = launch.micro_batch_tokens or TOKENS
    micro = MicroBatch(
        tokens=positions, trained=positions * 3 // 4, per_step=measured["per_step"]
    )
    return peak(moments(of_config(ARCHITECTURE, "test"), recipe, launch, micro, gpu=False))


def measure(
    torchrun: Callable, recipe: Recipe, cases: list[dict[str, Any]], folder: Path
) -> list[dict[str, int]]:
    request = folder / "request.json"
    request.write_text(
        json.dumps({"recipe": recipe.model_dump(), "cases": cases, "folder": str(folder)})
    )
    processes = cases[0]["launch"]["processes_per_node"]
    run = torchrun(processes, Path(__file__).with_name("memory_program.py"), request)
    output = run.communicate(timeout=300)[0]
    assert run.returncode == 0, output
    found: list[dict[str, int]] = json.loads((folder / "measured.json").read_text())
    return found
