"""A GPU's memory that is too small is one message with what the planner says."""

from pathlib import Path

import pytest
import torch

from limaflow.training.job import Job
from limaflow.training.out_of_memory import out_of_memory_named
from limaflow.training.settings import Launch, Training

CUDA_SAYS = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.64 GiB of "
    "which 1.2 GiB is free."
)


@pytest.fixture
def job(
    tiny_base: Path, tiny_examples: Path, settings: Training, launch: Launch, tmp_path: Path
) -> Job:
    return Job(
        arm="lima",
        base=tiny_base,
        data=tiny_examples / "train.jsonl",
        dev=tiny_examples / "dev.jsonl",
        settings=settings,
        launch=launch,
        export_epochs=(1,),
        seed=5,
        run_folder=tmp_path / "runs",
        output=tmp_path / "training.json",
    )


@pytest.mark.usefixtures("alone")
def test_what_the_planner_says_is_said(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, out_of_memory_named(job):
        raise torch.OutOfMemoryError(CUDA_SAYS)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("error: ") == said.count("\n") == 1
    assert "memory (CUDA out of memory. Tried to allocate 2.50 GiB); `limaflow" in said
    assert "`limaflow train plan` says 3.9 GiB: limaflow train plan --base" in said


@pytest.mark.usefixtures("alone")
def test_without_a_plan_the_command_is_named(
    job: Job, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit), out_of_memory_named(job):
        raise torch.OutOfMemoryError(CUDA_SAYS)
    assert "see what it needs: limaflow train plan --base" in capsys.readouterr().err


def test_other_errors_pass(job: Job) -> None:
    with pytest.raises(RuntimeError, match="shape"), out_of_memory_named(job):
        raise RuntimeError("shape")
