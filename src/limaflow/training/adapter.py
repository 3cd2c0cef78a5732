"""LoRA: small trained matrices beside a frozen base model, and the model that both make.

The rows of the end of turn, and of other tokens that a chat template brings, are trained too, in
embedding and head, as rows of their own beside the frozen tables (`trainable_token_indices`).
"""

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from limaflow.errors import InputError
from limaflow.seeds import seed_for
from limaflow.training.partition import whole
from limaflow.training.processes import on_first, rank
from limaflow.training.settings import Lora

ADAPTER_NAME = "default"
"""peft's name of the one adapter."""


def with_adapter(model: Any, lora: Lora, *, trained_tokens: Sequence[int], seed: int) -> Any:
    """`model`, frozen, as a peft model with an adapter that changes nothing yet.

    Args:
        trained_tokens: their rows in the embedding and in the head are trained.

    Raises:
        InputError: the model has none of the modules that the adapter is for, or one of them is
            no linear layer but in name.
    """
    from peft import LoraConfig, get_peft_model

    _require_plain_layers(model, lora)
    tables = [model.get_input_embeddings(), model.get_output_embeddings()]
    names = {id(module): name.rsplit(".", 1)[-1] for name, module in model.named_modules()}
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        trainable_token_indices={names[id(table)]: list(trained_tokens) for table in tables},
        task_type="CAUSAL_LM",
    )
    # The same on every rank and in every resumed run.
    torch.manual_seed(seed_for(seed, "adapter"))
    with whole([table.weight for table in tables]), warnings.catch_warnings():
        # peft asks transformers for something that has another name now.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return get_peft_model(model, config, autocast_adapter_dtype=False)
        except (ValueError, IndexError) as error:
            raise InputError(f"training.lora does not fit this base model: {error}") from None


def _require_plain_layers(model: Any, lora: Lora) -> None:
    """Refuse a linear layer whose own code does more than one: peft's would break it (PhiMoE)."""
    wanted = lora.target_modules
    for name, module in model.named_modules():
        kind = type(module)
        is_wanted = wanted == "all-linear" or name.rsplit(".", 1)[-1] in wanted
        if (
            is_wanted
            and isinstance(module, torch.nn.Linear)
            and kind.__module__.startswith("transformers.models.")
            and kind.forward is not torch.nn.Linear.forward
        ):
            raise InputError(
                f"training.lora cannot adapt {name}: {kind.__name__} is more than a linear layer",
                fix="name the layers to be adapted in training.lora.target_modules, such as "
                "[q_proj, k_proj, v_proj, o_proj]",
            )


def trained_weights(model: Any) -> dict[str, torch.Tensor]:
    """What is trained, by its name in the peft model, on the CPU; on all ranks together."""
    copies = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            with whole([parameter]):
                copies[name] = parameter.detach().cpu().clone()
    return copies


def merged(model: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """A plain model without values, and its state dict with the adapter merged into the base.

    On all ranks together; rank 0 has the state dict, on the CPU, the others {}. `model` itself
    stays as it is: peft's merging and unmerging in place would round the weights that training
    goes on with.
    """
    from transformers import AutoModelForCausalLM

    base = model.get_base_model()
    config = copy.deepcopy(base.config)
    # The merged model is an ordinary one, whatever the frozen one was held in.
    vars(config).pop("quantization_config", None)
    made: Any = AutoModelForCausalLM.from_config
    with torch.device("meta"):
        plain = made(config, dtype=base.dtype)
    copies: dict[int, torch.Tensor] = {}
    weights = {}
    for name, value in plain.state_dict(keep_vars=True).items():
        # Tied weights stand under two names and must stay one tensor.
        if id(value) not in copies:
            place, _, leaf = name.rpartition(".")
            module = base.get_submodule(place)
            with whole(module.parameters()):
                copies[id(value)] = on_first(_merged(module, leaf).detach().to(base.dtype))
        weights[name] = copies[id(value)]
    return plain, weights if rank() == 0 else {}


def _merged(module: Any, leaf: str) -> torch.Tensor:
    """The weight `leaf` that the plain module in the place of `module` would have."""
    from peft.tuners.lora import LoraLayer
    from peft.tuners.lora.layer import ParamWrapper
    from peft.utils.integrations import dequantize_module_weight
    from peft.utils.other import TrainableTokensWrapper

    # A wrapper for each adapted parameter of one module, one inside the other (experts).
    while isinstance(module, ParamWrapper) and module.parameter_name != leaf:
        module = module.base_layer
    weight: torch.Tensor
    layer: Any = module
    if isinstance(module, ParamWrapper):
        weight = layer.get_param().float() + layer.get_delta_weight(ADAPTER_NAME).float()
    elif isinstance(module, TrainableTokensWrapper) and leaf == "weight":
        weight = module.token_adapter.get_merged_weights([ADAPTER_NAME])
    elif isinstance(module, TrainableTokensWrapper):
        weight = getattr(module.original_module, leaf)
    elif isinstance(module, LoraLayer) and leaf == "weight":
        frozen = dequantize_module_weight(layer.get_base_layer())
        weight = frozen.float() + layer.get_delta_weight(ADAPTER_NAME).float()
    else:
        weight = getattr(module.get_base_layer() if isinstance(module, LoraLayer) else module, leaf)
    return weight
