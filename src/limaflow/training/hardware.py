"""What needs a GPU, a compiler, or packages that are not in the lock file."""

import importlib.util
import os
import shutil
from dataclasses import dataclass

from limaflow.compilers import require_compiler, require_headers
from limaflow.errors import InputError
from limaflow.training.settings import Launch, Lora, Preference, Training


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package beside the lock file."""

    name: str
    module: str
    install: str


PACKAGES = {
    "training.lora.quantize": Package(
        name="bitsandbytes", module="bitsandbytes", install="pip install -r envs/gpu.txt"
    ),
    "launch.liger": Package(
        name="liger-kernel", module="liger_kernel", install="pip install -r envs/gpu.txt"
    ),
    "launch.attention: flash_attention_2": Package(
        name="flash-attn",
        module="flash_attn",
        install="pip install --no-build-isolation flash-attn==2.8.3.post2, with nvcc on PATH",
    ),
    "launch.attention: flash_attention_3": Package(
        name="flash-attn-3",
        module="flash_attn_interface",
        install="it is built from its source, on Hopper alone: envs/gpu.txt",
    ),
}
CAPABILITIES = {
    "flash_attention_2": range(8, 100),
    "flash_attention_3": range(9, 10),
}
"""Kernel → CUDA's major capabilities that it runs on: from Ampere on; Hopper alone (sm_90a)."""
ON_A_CPU_TOO = {"training.lora.quantize", "launch.compile"}
COMPILED_BY_TRITON = {"launch.liger", "launch.compile", "launch.attention: flex_attention"}
"""On a GPU; on a CPU PyTorch compiles C++."""


def require_hardware(settings: Training | Preference, launch: Launch) -> None:
    """Make sure that this machine has what is asked for.

    Raises:
        InputError: no CUDA GPU, package or compiler for it, FlashAttention in fp32 or on a GPU that
            it does not run on, bf16 on a GPU without it, or 4 bits with a ZeRO stage that divides
            them.
    """
    import torch

    quantized = isinstance(settings.lora, Lora) and settings.lora.quantize is not None
    if quantized and launch.zero_stage == 3:
        raise InputError(
            "training.lora.quantize: ZeRO-3 cannot divide weights of 4 bits",
            fix="launch.zero_stage 0 to 2: the frozen weights take an eighth of fp32 on each GPU",
        )
    if launch.attention.startswith("flash_attention") and settings.precision == "fp32":
        raise InputError(
            f"launch.attention: {launch.attention} computes in 16 bits only",
            fix="training.precision: bf16, or launch.attention: auto",
        )
    asked = {
        "training.lora.quantize": quantized,
        "launch.liger": launch.liger,
        "launch.compile": launch.compile,
        f"launch.attention: {launch.attention}": launch.attention not in ("auto", "eager", "sdpa"),
    }
    for key in (key for key, wanted in asked.items() if wanted):
        if key not in ON_A_CPU_TOO and not torch.cuda.is_available():
            # Another node may have one.
            raise InputError(
                f"{key} needs a CUDA GPU, and there is none here",
                fix="switch it off",
                may_pass=True,
            )
        package = PACKAGES.get(key)
        if package and importlib.util.find_spec(package.module) is None:
            raise InputError(
                f"{key} needs the package {package.name}, which is not installed",
                fix=package.install,
            )
        if key in COMPILED_BY_TRITON and torch.cuda.is_available():
            require_compiler(f"{key}: Triton compiles kernels")
            require_headers(f"{key}: Triton compiles kernels")
    if launch.attention in CAPABILITIES:
        _require_fitting_gpu(launch.attention)
    if settings.precision == "bf16" and torch.cuda.is_available():
        _require_bf16()
    compiler = os.environ.get("CXX", "c++")
    if launch.offload != "none":
        _require_on_path("launch.offload: DeepSpeed compiles its AdamW", "ninja", compiler)
    if launch.compile:
        _require_on_path("launch.compile: PyTorch compiles the model", compiler)


def require_a_gpu_each(processes: int, gpus: int) -> None:
    """Make sure that no two processes of a node share a GPU.

    Raises:
        InputError: they would.
    """
    if processes > gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        named = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is {visible})"
        raise InputError(
            f"{processes} processes are to be started on {os.uname().nodename}, and CUDA sees "
            f"{gpus} GPU(s) there{named}",
            fix=f"launch.processes_per_node {gpus}, or auto: one for each GPU",
            # Another node may have more.
            may_pass=True,
        )


def _require_bf16() -> None:
    import torch

    if not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(
            f"{torch.cuda.get_device_name()} has no bf16 (it came with Ampere); PyTorch would "
            "compute in fp32 and round",
            fix="training.precision (of preference tuning: preference.precision): fp32",
            # Another node may have another GPU.
            may_pass=True,
        )


def _require_fitting_gpu(kernel: str) -> None:
    import torch

    capability = torch.cuda.get_device_capability()[0]
    if capability not in CAPABILITIES[kernel]:
        raise InputError(
            f"launch.attention: {kernel} does not run on {torch.cuda.get_device_name()}, whose "
            f"compute capability is {capability}",
            fix="launch.attention: auto takes the best one that does",
            # Another node may have another GPU.
            may_pass=True,
        )


def _require_on_path(why: str, *tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise InputError(
            f"{why}, and {' and '.join(missing)} cannot be found on PATH",
            fix="activate the environment, install a C++ compiler, or switch it off",
            may_pass=True,
        )
