"""The base model under DeepSpeed: precision, ZeRO stage, optimizer."""

import contextlib
import gc
import io
import os
import warnings
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from limaflow.errors import InputError
from limaflow.manifests import read_manifest
from limaflow.training.adapter import with_adapter
from limaflow.training.attention import attention_of
from limaflow.training.chat_template import end_token
from limaflow.training.context_length import context_length
from limaflow.training.conversation import extend_embeddings
from limaflow.training.partition import divided_while_loading
from limaflow.training.processes import on_all
from limaflow.training.quantization import in_four_bits, keep_constants
from limaflow.training.residual_dropout import attach
from limaflow.training.settings import Launch, Preference, Training


def load_model(
    base: Path,
    tokenizer: Any,
    new_tokens: list[int],
    settings: Training,
    launch: Launch | None = None,
    *,
    seed: int = 0,
) -> Any:
    """The pretrained model with room for the new tokens, LoRA and residual dropout attached.

    In the recipe's precision: DeepSpeed rounds to it before it makes the optimizer's fp32 weights
    from the result, so that reading more digits would change nothing.

    Args:
        launch: at ZeRO-3 the weights are divided over the ranks while they are read.
        seed: of LoRA's first values.

    Raises:
        InputError: no whole model where the manifest points, or it does not fit the recipe or
            tokenizer.
    """
    with contextlib.ExitStack() as loading:
        if launch is not None and launch.zero_stage == 3:
            prepare_deepspeed()
            loading.enter_context(divided_while_loading(deepspeed_settings(settings, launch, 1)))
            # Rank 0 alone reads, and can be alone in failing.
            model = on_all(lambda: pretrained(base, settings, launch))
        else:
            model = pretrained(base, settings, launch)
        context = context_length(model.config)
        if context < settings.max_tokens:
            raise InputError(
                f"training.max_tokens {settings.max_tokens} exceeds the base model's context of "
                f"{context}"
            )
        extend_embeddings(model, tokenizer, new_tokens, multiple=settings.vocabulary_multiple)
    if launch is not None and launch.liger:
        from transformers.integrations.liger import apply_liger_kernel

        fuse: Any = apply_liger_kernel
        # The loss is ours (loss.py).
        fuse(model, {"cross_entropy": False, "fused_linear_cross_entropy": False})
    trained = model
    if settings.lora is not None:
        learnt = sorted({end_token(tokenizer)} | (set(new_tokens) - {tokenizer.pad_token_id}))
        trained = with_adapter(model, settings.lora, trained_tokens=learnt, seed=seed)
    # After the adapters, which stand in the places of what is hooked.
    attach(model, settings.last_residual_dropout)
    # from_pretrained leaves it in evaluation mode, in which nothing is dropped.
    return trained.train()


def pretrained(base: Path, settings: Training | Preference, launch: Launch | None) -> Any:
    """The model of a manifest in the precision and attention of its training, as it is.

    Raises:
        InputError: no whole model where the manifest points.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    silent: Any = logging.disable_progress_bar
    silent()
    manifest, location = read_manifest(base)
    read: Any = AutoModelForCausalLM.from_pretrained
    try:
        model, found = read(
            location,
            revision=manifest.revision,
            dtype=torch.bfloat16 if settings.precision == "bf16" else torch.float32,
            attn_implementation="sdpa" if launch is None else attention_of(settings, launch),
            output_loading_info=True,
            **in_four_bits(settings),
        )
    # Damaged files fail in many ways.
    except Exception as error:
        if 'attn_implementation="eager"' in str(error):
            raise InputError(
                f"the base model's code has no attention of this kind ({type(error).__name__})",
                path=base,
                fix="launch.attention: eager",
            ) from None
        raise InputError(f"no causal language model at {location}: {error}", path=base) from None
    if missing := sorted(found["missing_keys"]):
        # transformers makes them up, with a warning.
        raise InputError(
            f"no values for {len(missing)} weights at {location}, such as {missing[0]}",
            path=base,
            fix="bring all of the model's files, with the config.json that they were saved with",
        )
    keep_constants(model)
    return model


def start_engine(
    model: Any, settings: Training, launch: Launch, micro_steps: int, *, universal: bool = False
) -> Any:
    """`model` in a DeepSpeed engine with AdamW, on all ranks together.

    Args:
        micro_steps: micro-batches of each rank in one optimizer step.
        universal: the checkpoint to be loaded is in DeepSpeed's universal format.
    """
    prepare_deepspeed()
    import deepspeed

    if launch.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    # The optimizer of ZeRO-1 in bf16 prints what memory is used.
    with contextlib.redirect_stdout(io.StringIO()):
        engine, *_ = deepspeed.initialize(
            model=model,
            optimizer=_optimizer(model, settings, launch),
            config={
                **deepspeed_settings(settings, launch, micro_steps),
                "checkpoint": {"load_universal": universal},
            },
            dist_init_required=False,
        )
    if launch.zero_stage == 0 and dist.get_world_size() == 1:
        # There is nobody to add gradients of, for which DeepSpeed would copy them all.
        engine.enable_backward_allreduce = False
    if launch.compile:
        engine.compile(compile_kwargs={"dynamic": True})
    return engine


def release(engine: Any) -> None:
    """Give the memory of an engine back; its references elsewhere must go too."""
    engine.destroy()
    engine.module = engine.optimizer = None
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def prepare_deepspeed() -> None:
    """Let DeepSpeed use the process group that is there, quietly."""
    if os.environ.get("DS_ACCELERATOR") == "cpu":
        # Otherwise a communication op is compiled for a minute and gains nothing over gloo.
        import deepspeed.ops

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    import deepspeed

    deepspeed.utils.logger.setLevel("ERROR")
    # DeepSpeed's calls into torch.distributed; nothing that a user could mend.
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
    deepspeed.init_distributed(dist_init_required=False)


def deepspeed_settings(
    settings: Training | Preference, launch: Launch, micro_steps: int
) -> dict[str, Any]:
    """DeepSpeed's configuration, for `micro_steps` micro-batches of each rank in a step."""
    on_cpu = {"device": "cpu", "pin_memory": torch.cuda.is_available()}
    zero: dict[str, Any] = {"stage": launch.zero_stage}
    if launch.offload != "none":
        zero["offload_optimizer"] = on_cpu
    if launch.offload == "parameters":
        zero["offload_param"] = on_cpu
    return {
        # DeepSpeed counts with it and does nothing else: what a micro-batch holds is ours to say.
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": micro_steps,
        "gradient_clipping": settings.gradient_clipping,
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        # Sums of many micro-batches in bf16 lose what each of them adds. At ZeRO-1 DeepSpeed takes
        # another optimizer for it, whose fp32 sums are whole on every rank; what it has added to
        # them need not wait for the end of the backward pass.
        "data_types": {"grad_accum_dtype": settings.gradient_sums},
        "bf16": {"enabled": settings.precision == "bf16", "immediate_grad_update": True},
        "steps_per_print": 2**31,
    }


def _optimizer(model: Any, settings: Training, launch: Launch) -> torch.optim.Optimizer:
    """AdamW; DeepSpeed's own on the CPU where its state lies there, the same mathematics."""
    groups = _parameter_groups(model, settings)
    if launch.offload == "none":
        # Fused, it makes no temporaries as large as what it updates.
        return torch.optim.AdamW(
            groups, lr=settings.learning_rate, betas=settings.betas, fused=True
        )
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    on_cpu: torch.optim.Optimizer = DeepSpeedCPUAdam(
        groups, lr=settings.learning_rate, betas=settings.betas, adamw_mode=True
    )
    return on_cpu


def _parameter_groups(model: Any, settings: Training) -> list[dict[str, Any]]:
    """Norms and biases are the parameters of one dimension."""

    def decayed(parameter: Any) -> bool:
        # Divided by ZeRO-3, a weight has its shape beside it.
        shape = getattr(parameter, "ds_shape", parameter.shape)
        return len(shape) > 1 or settings.decay_norms_and_biases

    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in parameters if decayed(p)],
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [p for p in parameters if not decayed(p)],
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
