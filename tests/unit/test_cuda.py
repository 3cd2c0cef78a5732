"""A process computes on the CPU only where nothing says GPU."""

import re
from pathlib import Path

import pytest
import torch

from limaflow import cuda
from limaflow.errors import InputError

PROC = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs)\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its /dev, without GPUs; no variable of this environment counts."""
    for name in ("CUDA_VISIBLE_DEVICES", "DS_ACCELERATOR", "SLURM_JOB_ID", *cuda.GIVEN_BY_SLURM):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cuda, "DEVICES", tmp_path)
    monkeypatch.setattr(cuda, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    return tmp_path


def two_cards(machine: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps"):
        (machine / name).touch()


def test_without_a_gpu_the_cpu_computes(machine: Path) -> None:
    assert cuda.computing_device() == "cpu"


def test_a_gpu_that_pytorch_sees_computes(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert cuda.computing_device() == "cuda"


def test_a_gpu_that_pytorch_does_not_see_is_named_with_cuda_and_driver(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_cards(machine)
    (machine / "version").write_text(PROC)
    with pytest.raises(InputError) as refusal:
        cuda.computing_device()
    for part in (
        "nvidia0 is there",
        torch.__version__,
        "built for CUDA 13.0, which wants driver 580 or newer",
        "the driver is 550.54.14",
        "install a newer driver",
        "export CUDA_VISIBLE_DEVICES=",
    ):
        assert part in str(refusal.value)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(InputError, match=r"built without CUDA.*install a torch"):
        cuda.computing_device()
    (machine / "version").unlink()
    with pytest.raises(InputError, match="no NVIDIA driver is loaded"):
        cuda.computing_device()


@pytest.mark.parametrize(
    ("variables", "sign"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, "CUDA_VISIBLE_DEVICES is 0,1"),
        ({"CUDA_VISIBLE_DEVICES": "MIG-3f1e"}, "CUDA_VISIBLE_DEVICES is MIG-3f1e"),
        ({"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "3"}, "SLURM_JOB_GPUS is 3"),
        ({"SLURM_JOB_ID": "7", "SLURM_GPUS_ON_NODE": "2"}, "SLURM_GPUS_ON_NODE is 2"),
    ],
)
def test_every_sign_of_a_gpu_counts(
    machine: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sign: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=re.escape(sign)):
        cuda.computing_device()


@pytest.mark.parametrize(
    "variables",
    [
        {"CUDA_VISIBLE_DEVICES": ""},
        {"CUDA_VISIBLE_DEVICES": "-1"},
        {"CUDA_VISIBLE_DEVICES": "NoDevFiles", "SLURM_JOB_ID": "7"},
        {"DS_ACCELERATOR": "cpu", "CUDA_VISIBLE_DEVICES": "0"},
        # A job without a GPU on a node whose GPUs are others'.
        {"SLURM_JOB_ID": "7", "SLURM_GPUS_ON_NODE": "0"},
    ],
)
def test_the_cpu_can_be_asked_for_beside_a_gpu(
    machine: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    two_cards(machine)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cuda.computing_device() == "cpu"


def test_visible_cards_are_those_of_cuda(machine: Path) -> None:
    two_cards(machine)
    assert cuda.visible_cards({}) == ["0", "1"]
    assert cuda.visible_cards({"CUDA_VISIBLE_DEVICES": "3, GPU-8a,MIG-1/2/0"}) == [
        "3",
        "GPU-8a",
        "MIG-1/2/0",
    ]
    assert cuda.visible_cards({"CUDA_VISIBLE_DEVICES": "1,-1,0"}) == ["1"]
    assert cuda.visible_cards({"CUDA_VISIBLE_DEVICES": ""}) == []
