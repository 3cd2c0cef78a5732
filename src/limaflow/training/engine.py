"""The base model under DeepSpeed: precision, ZeRO stage, optimizer."""

import os
import warnings
from pathlib import Path
from typing import Any

import torch

from limaflow.config import Launch, Recipe
from limaflow.errors import InputError
from limaflow.manifests import read_manifest
from limaflow.training.conversation import extend_embeddings
from limaflow.training.residual_dropout import attach


def load_model(base: Path, tokenizer: Any, new_tokens: list[int], recipe: Recipe) -> Any:
    """The pretrained model in fp32 with room for the new tokens and residual dropout attached.

    Raises:
        InputError: no model where the manifest points, or its context is shorter than the recipe's.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    silent: Any = logging.disable_progress_bar
    silent()
    manifest, location = read_manifest(base)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            location, revision=manifest.revision, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise InputError(f"no causal language model at {location}: {error}", path=base) from None
    context = model.config.max_position_embeddings
    if context < recipe.max_tokens:
        raise InputError(
            f"training.max_tokens {recipe.max_tokens} exceeds the base model's context of {context}"
        )
    extend_embeddings(model, tokenizer, new_tokens)
    attach(model, recipe.residual_dropout)
    # from_pretrained leaves it in evaluation mode, in which nothing is dropped.
    return model.train()


def start_engine(
    model: Any, recipe: Recipe, launch: Launch, micro_steps: int, *, universal: bool = False
) -> Any:
    """`model` in a DeepSpeed engine with AdamW, on all ranks together.

    Args:
        micro_steps: micro-batches of each rank in one optimizer step.
        universal: the checkpoint to be loaded is in DeepSpeed's universal format.
    """
    if os.environ.get("DS_ACCELERATOR") == "cpu":
        # Otherwise a communication op is compiled for a minute and gains nothing over gloo.
        import deepspeed.ops

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    import deepspeed

    deepspeed.utils.logger.setLevel("ERROR")
    # DeepSpeed's calls into torch.distributed; nothing that a user could mend.
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
    if launch.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    settings = {
        # DeepSpeed counts with it and does nothing else: what a micro-batch holds is ours to say.
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": micro_steps,
        "gradient_clipping": recipe.gradient_clipping,
        "zero_optimization": {"stage": launch.zero_stage},
        "zero_allow_untested_optimizer": True,
        "bf16": {"enabled": recipe.precision == "bf16"},
        "steps_per_print": 2**31,
        "checkpoint": {"load_universal": universal},
    }
    optimizer = torch.optim.AdamW(
        _parameter_groups(model, recipe), lr=recipe.learning_rate, betas=recipe.betas
    )
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=optimizer, config=settings, dist_init_required=False
    )
    return engine


def _parameter_groups(model: Any, recipe: Recipe) -> list[dict[str, Any]]:
    """Norms and biases are the parameters of one dimension."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in parameters if p.ndim > 1 or recipe.decay_norms_and_biases],
            "weight_decay": recipe.weight_decay,
        },
        {
            "params": [p for p in parameters if p.ndim <= 1 and not recipe.decay_norms_and_biases],
            "weight_decay": 0.0,
        },
    ]
    return [group for group in groups if group["params"]]


def update(engine: Any, rate: float) -> float:
    """Take the optimizer step at learning rate `rate`; returns the gradient's norm before clipping.

    Stage 0 keeps the averaged gradients where PyTorch does, and reports no norm of its own.
    """
    for group in engine.optimizer.param_groups:
        group["lr"] = rate
    if engine.zero_optimization_stage() > 0:
        engine.step()
        return float(engine.get_global_grad_norm())
    gradients = [p.grad for p in engine.module.parameters() if p.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients))
    engine.step()
    return norm
