"""One rank of test_gradient.py: the gradient of one step at every ZeRO stage, as safetensors."""

import sys
from pathlib import Path
from typing import Any

from deepspeed.utils import safe_get_full_grad
from safetensors.torch import save_file
from torch.nn.init import constant_

from limaflow.training import engine as engines
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.gradient import accumulate
from limaflow.training.layout import micro_steps
from limaflow.training.processes import ending_at_once, join, rank, world
from limaflow.training.settings import Launch, Lora, Preference, Training

base, data, recipe_text, launch_text, lora_text, output = sys.argv[1:]
join()
full = Training.model_validate_json(recipe_text)
adapted = full.model_copy(update={"lora": Lora.model_validate_json(lora_text)})
tokenizer, new = dialogue_tokenizer(Path(base))
examples = prepared(Path(data), None, tokenizer, full).train
lengths = [len(example.tokens) for example in examples]


original = engines.deepspeed_settings


def divided(settings: Training | Preference, launch: Launch, micro_steps: int) -> dict[str, Any]:
    """DeepSpeed leaves small weights whole; here ZeRO-3 divides them all."""
    made = original(settings, launch, micro_steps)
    made["zero_optimization"]["stage3_param_persistence_threshold"] = 0
    return made


engines.deepspeed_settings = divided


def save_gradient(stage: int, settings: Training, name: str) -> None:
    launch = Launch.model_validate_json(launch_text).model_copy(update={"zero_stage": stage})
    splits = micro_steps(lengths, settings, launch, world=world(), seed=0)
    model = engines.load_model(Path(base), tokenizer, new, settings, launch)
    for weight, parameter in model.named_parameters():
        # An adapter starts at zero, and so would the gradient of its other half.
        if "lora_B" in weight:
            constant_(parameter, 0.01)
    engine = engines.start_engine(model, settings, launch, splits)
    accumulate(
        engine,
        examples,
        loss_mean=settings.loss_mean,
        pad=tokenizer.pad_token_id,
        capacity=launch.packed_tokens,
        seed=0,
        step=0,
    )
    trained = {n: p for n, p in engine.module.named_parameters() if p.requires_grad}
    whole = {n: safe_get_full_grad(p).contiguous() for n, p in trained.items()}
    if rank() == 0:
        save_file(whole, f"{output}/{name}-{stage}")
    engine.destroy()


with ending_at_once():
    for stage in range(4):
        save_gradient(stage, full.model_copy(update={"loss_mean": "token"}), "token")
        save_gradient(stage, full.model_copy(update={"loss_mean": "example"}), "example")
    for stage in (0, 2, 3):
        save_gradient(stage, adapted, "lora")
