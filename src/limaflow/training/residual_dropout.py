"""Dropout on the residual branches, rising linearly with depth (LIMA, section 3).

Layer i of L drops the outputs of attention and MLP, before they are added, with probability
p_i = i / (L - 1) · p_last. Forward hooks do it: nothing of it is in the weights or the export.
"""

import re
from typing import Any

from torch.nn.functional import dropout
from torch.utils.hooks import RemovableHandle

from limaflow.errors import InputError

BRANCH = re.compile(r"\.layers\.(\d+)\.(?:self_attn\.o_proj|mlp\.down_proj)$")
"""The last projection of each branch, as Llama, Mistral, Qwen and their like name it."""


def rates(layers: int, last: float) -> list[float]:
    """Dropout probability of each layer, bottom first."""
    return [layer / max(layers - 1, 1) * last for layer in range(layers)]


def attach(model: Any, last: float) -> list[RemovableHandle]:
    """Hook residual dropout with probability `last` at the top into `model`; active in training.

    Raises:
        InputError: the model's layers do not have the two projections that are hooked.
    """
    if last == 0:
        return []
    branches = [
        (int(found[1]), module)
        for name, module in model.named_modules()
        if (found := BRANCH.search(f".{name}"))
    ]
    layers = model.config.get_text_config().num_hidden_layers
    if sorted(layer for layer, _ in branches) != sorted([*range(layers)] * 2):
        raise InputError(
            f"residual dropout does not know the architecture {type(model).__name__}",
            fix="set training.residual_dropout to 0",
        )
    rate = rates(layers, last)
    return [module.register_forward_hook(_dropping(rate[layer])) for layer, module in branches]


def _dropping(rate: float) -> Any:
    def hook(module: Any, _inputs: Any, output: Any) -> Any:
        return dropout(output, rate, training=module.training)

    return hook
