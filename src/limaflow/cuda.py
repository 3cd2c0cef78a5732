"""Whether a process computes on GPUs, and on which: never on the CPU in silence.

PyTorch that finds no driver, or one too old, says `torch.cuda.is_available() == False` and nothing
else; a model of 7 billion parameters would then be trained on the CPU for weeks.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from limaflow.errors import InputError

GIVEN_BY_SLURM = (
    "SLURM_JOB_GPUS",
    "SLURM_STEP_GPUS",
    "SLURM_GPUS",
    "SLURM_GPUS_ON_NODE",
    "SLURM_GPUS_PER_NODE",
    "SLURM_GPUS_PER_TASK",
)
NONE_GIVEN = ("", "0", "NoDevFiles")
"""How SLURM writes that a job has no GPU."""
DRIVER = Path("/proc/driver/nvidia/version")
DEVICES = Path("/dev")
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
"""CUDA's major version → the oldest branch of drivers that runs it (minor version compatibility,
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html)."""


def visible_cards(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of the GPUs that a process with this environment may use, by CUDA's own rules.

    Names are opaque: indices, UUIDs or instances of MIG, as `CUDA_VISIBLE_DEVICES` lists them up to
    the first that is none. Without that variable they are the machine's GPUs by index.
    """
    listed = environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        nodes = (re.fullmatch(r"nvidia(\d+)", node.name) for node in DEVICES.glob("nvidia*"))
        return [str(index) for index in range(sum(node is not None for node in nodes))]
    cards: list[str] = []
    for name in (name.strip() for name in listed.split(",")):
        if name in ("", "-1", "NoDevFiles"):
            break
        cards.append(name)
    return cards


def computing_device() -> Literal["cuda", "cpu"]:
    """Where this process computes: on CUDA if PyTorch sees it, else on the CPU where that is meant.

    The CPU is meant where nothing says GPU, and where `CUDA_VISIBLE_DEVICES` is empty or
    `DS_ACCELERATOR` is cpu.

    Raises:
        InputError: the environment says that there is a GPU, and PyTorch sees none.
    """
    import torch

    if os.environ.get("DS_ACCELERATOR") == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    sign = sign_of_gpu(os.environ)
    if sign is None:
        return "cpu"
    needed = OLDEST_DRIVER.get(int((torch.version.cuda or "0").partition(".")[0]))
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    wanted = f", which wants driver {needed} or newer" if needed else ""
    if torch.version.cuda is None:
        mend = "install a torch that is built for CUDA"
    else:
        mend = "install a newer driver, or a torch that is built for an older CUDA"
    raise InputError(
        f"{sign}, but PyTorch sees no CUDA GPU: "
        f"torch {torch.__version__} is built {built}{wanted}; "
        f"{driver()}",
        fix=f"{mend} (docs/running.md); to compute on the CPU: export CUDA_VISIBLE_DEVICES=",
        # Another node may have one.
        may_pass=True,
    )


def sign_of_gpu(environ: Mapping[str, str]) -> str | None:
    """What says that a process with this environment was meant to have a GPU; None if nothing does.

    In a job of SLURM's that got none, the node's GPUs belong to others.
    """
    if "CUDA_VISIBLE_DEVICES" in environ:
        cards = visible_cards(environ)
        return f"CUDA_VISIBLE_DEVICES is {','.join(cards)}" if cards else None
    for name in GIVEN_BY_SLURM:
        if (given := environ.get(name, "")) not in NONE_GIVEN:
            return f"{name} is {given}"
    if "SLURM_JOB_ID" not in environ and visible_cards(environ):
        return f"{DEVICES}/nvidia0 is there"
    return None


def driver() -> str:
    """The version of NVIDIA's driver in words."""
    try:
        text = DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"no NVIDIA driver is loaded (there is no {DRIVER})"
    found = re.search(r"\b\d+\.\d+(?:\.\d+)?\b", text)
    return f"the driver is {found[0]}" if found else f"{DRIVER} names no version"
