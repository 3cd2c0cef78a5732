"""What needs a GPU, a compiler, or packages that are not in the lock file."""

import importlib.util
import os
import shutil

from limaflow.errors import InputError
from limaflow.training.settings import Launch, Lora, Preference, Training

PACKAGES = {
    "training.lora.quantize": "bitsandbytes",
    "launch.liger": "liger-kernel",
    "launch.attention: flash_attention_2": "flash-attn",
    "launch.attention: flash_attention_3": "flash-attn-3",
}
ON_A_CPU_TOO = {"training.lora.quantize", "launch.compile"}
MODULES = {"flash-attn-3": "flash_attn_interface"}
"""Where a package is imported by another name than its own."""


def require_hardware(settings: Training | Preference, launch: Launch) -> None:
    """Make sure that this machine has what is asked for.

    Raises:
        InputError: no CUDA GPU, package or compiler for it, or 4 bits with a ZeRO stage that
            divides them.
    """
    import torch

    quantized = isinstance(settings.lora, Lora) and settings.lora.quantize is not None
    if quantized and launch.zero_stage == 3:
        raise InputError(
            "training.lora.quantize: ZeRO-3 cannot divide weights of 4 bits",
            fix="launch.zero_stage 0 to 2: the frozen weights take an eighth of fp32 on each GPU",
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
        module = MODULES.get(package, package.replace("-", "_")) if package else None
        if module and importlib.util.find_spec(module) is None:
            raise InputError(
                f"{key} needs the package {package}, which is not installed",
                fix=f"pip install {package}",
            )
    compiler = os.environ.get("CXX", "c++")
    if launch.offload != "none":
        _require_on_path("launch.offload: DeepSpeed compiles its AdamW", "ninja", compiler)
    if launch.compile:
        _require_on_path("launch.compile: PyTorch compiles the model", compiler)


def _require_on_path(why: str, *tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise InputError(
            f"{why}, and {' and '.join(missing)} cannot be found on PATH",
            fix="activate the environment, install a C++ compiler, or switch it off",
            may_pass=True,
        )
