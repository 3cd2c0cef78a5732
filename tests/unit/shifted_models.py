"""What tests of token shift share: decodings, prompts, a copy of a model with a planted shift."""

import shutil
from pathlib import Path

from limaflow.generation.settings import Decoding

GREEDY = Decoding(top_p=1.0, temperature=0.0, repetition_penalty=1.0, max_tokens=20, samples=1)
PAPER = Decoding(top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=20, samples=2)


def swapped(base: Path, folder: Path, first: int, second: int) -> Path:
    """The folder of a copy of a model whose head gives each of two tokens the other's logit."""
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(base.parent / "model", folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.lm_head.weight[[first, second]] = model.lm_head.weight[[second, first]]
    model.save_pretrained(folder)
    return folder
