"""The frozen weights of QLoRA (arXiv 2305.14314) in 4 bits: NF4, its constants quantized too."""

from typing import Any

import torch

from limaflow.training.settings import Lora, Preference, Training


def in_four_bits(settings: Training | Preference) -> dict[str, Any]:
    """Arguments of `from_pretrained` that make it hold linear weights in 4 bits, if asked for."""
    if not isinstance(settings.lora, Lora) or settings.lora.quantize is None:
        return {}
    from transformers import BitsAndBytesConfig

    config: Any = BitsAndBytesConfig
    four_bits = config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if settings.precision == "bf16" else torch.float32,
    )
    device = torch.cuda.current_device() if torch.cuda.is_available() else "cpu"
    return {"quantization_config": four_bits, "device_map": {"": device}}


def weight_dtype(model: Any) -> torch.dtype:
    """The precision of a model's weights, those aside that are held in 4 bits."""
    dtype: torch.dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
    return dtype


def keep_constants(model: Any) -> None:
    """Keep an evaluation on a CPU from changing the weights that training goes on with.

    bitsandbytes 0.50 lays them out anew there for processors with AVX512-BF16, which rounds their
    constants to bf16 for good, and fails where a row is no multiple of its block.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
