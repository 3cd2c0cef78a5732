"""One rank of test_gradient.py: the gradient of many micro-batches in bf16, as safetensors."""

import sys
from pathlib import Path

from deepspeed.utils import safe_get_full_grad
from safetensors.torch import save_file

from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.engine import load_model, release, start_engine, update
from limaflow.training.gradient import accumulate
from limaflow.training.layout import micro_steps
from limaflow.training.processes import ending_at_once, join, rank, world
from limaflow.training.settings import Launch, Training

COPIES = 8
"""The mean over a step is the same, however often it holds every example."""

base, data, recipe_text, launch_text, output = sys.argv[1:]
join()
tokenizer, new = dialogue_tokenizer(Path(base))
read = Training.model_validate_json(recipe_text)
examples = prepared(Path(data), None, tokenizer, read).train * COPIES
recipe = read.model_copy(update={"precision": "bf16", "batch_examples": len(examples)})
lengths = [len(example.tokens) for example in examples]


def save_gradient(stage: int, offload: str) -> None:
    """The gradient before the update, and the norm that the update reports."""
    launch = Launch.model_validate(
        Launch.model_validate_json(launch_text).model_dump()
        | {"zero_stage": stage, "offload": offload, "micro_batch_examples": 1}
    )
    splits = micro_steps(lengths, recipe, launch, world=world(), seed=0)
    model = load_model(Path(base), tokenizer, new, recipe, launch)
    engine = start_engine(model, recipe, launch, splits)
    accumulate(
        engine,
        examples,
        loss_mean=recipe.loss_mean,
        pad=tokenizer.pad_token_id,
        capacity=None,
        seed=0,
        step=0,
    )
    whole = {n: safe_get_full_grad(p).contiguous() for n, p in engine.module.named_parameters()}
    norm = update(engine, 1e-3)
    if rank() == 0:
        save_file(whole, f"{output}/{stage}-{offload}", metadata={"norm": str(norm)})
    release(engine)


with ending_at_once():
    for stage in (1, 2, 3):
        for offload in ("none", "optimizer"):
            save_gradient(stage, offload)
