"""Blocks of configuration that are small enough for a test, and the real launch of a run."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch.distributed as dist
from training_runs import MARK

from limaflow.training.settings import Launch, Training

RECIPE = Training(
    epochs=3,
    learning_rate=1e-2,
    final_learning_rate=1e-3,
    warmup_steps=0,
    batch_examples=8,
    max_tokens=100,
    betas=(0.9, 0.95),
    weight_decay=0.1,
    decay_norms_and_biases=True,
    gradient_clipping=0.0,
    residual_dropout=0.0,
    loss_on="responses",
    loss_mean="token",
    precision="fp32",
    max_trimmed_share=0.1,
    vocabulary_multiple=64,
)
LAUNCH = Launch(
    nodes=1,
    processes_per_node=2,
    micro_batch_examples=2,
    micro_batch_tokens=None,
    zero_stage=2,
    gradient_checkpointing=False,
    checkpoint_every_steps=None,
    keep_checkpoints=2,
)


@pytest.fixture
def alone() -> Iterator[None]:
    """A process group of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANK", "0")
        patch.setenv("WORLD_SIZE", "1")
        dist.init_process_group("gloo", init_method="tcp://127.0.0.1:0", rank=0, world_size=1)
        yield
        # An error that ends all ranks leaves the group itself.
        if dist.is_initialized():
            dist.destroy_process_group()


@pytest.fixture
def settings() -> Training:
    return RECIPE


@pytest.fixture
def launch() -> Launch:
    return LAUNCH


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a program, niced and single-threaded, as one of this test's, its output a pipe."""

    def start(*command: object) -> subprocess.Popen[str]:
        folder = Path(sys.executable).parent
        return subprocess.Popen(
            ["nice", *map(str, command)],
            env={
                **os.environ,
                "PATH": f"{folder}:{os.environ['PATH']}",
                "OMP_NUM_THREADS": "1",
                MARK: str(tmp_path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture
def torchrun(start: Start) -> Start:
    """Start a program as `processes` ranks."""

    def start_ranks(processes: int, *command: object) -> subprocess.Popen[str]:
        return start("torchrun", "--standalone", f"--nproc-per-node={processes}", *command)

    return start_ranks


@pytest.fixture
def fine_tune(start: Start, torchrun: Start, tiny_base: Path, tiny_examples: Path) -> Start:
    """Start `limaflow train run` on the tiny model, writing below a folder.

    Under torchrun if there are several processes, else plainly.
    """

    def start_training(
        folder: Path,
        settings: Training,
        launch: Launch,
        exports: str = "[1,3]",
        base: Path = tiny_base,
    ) -> subprocess.Popen[str]:
        command = (
            "limaflow", "train", "run", "--arm", "lima", "--base", base,
            "--data", tiny_examples / "train.jsonl", "--dev", tiny_examples / "dev.jsonl",
            "--settings", settings.flag(), "--launch", launch.flag(), "--export-epochs", exports,
            "--seed", 5, "--run-folder", folder / "runs", "--output", folder / "training.json",
        )  # fmt: skip
        if launch.processes_per_node == 1:
            return start(*command)
        return torchrun(launch.processes_per_node, "--no-python", *command)

    return start_training
