"""One rank of test_gradient.py: the gradient of one step at every ZeRO stage, as safetensors."""

import sys
from pathlib import Path

from deepspeed.utils import safe_get_full_grad
from safetensors.torch import save_file

from limaflow.config import Launch, Recipe
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.engine import load_model, start_engine
from limaflow.training.gradient import accumulate
from limaflow.training.layout import micro_steps
from limaflow.training.processes import join, rank, world

base, data, recipe_text, launch_text, output = sys.argv[1:]
join()
recipe = Recipe.model_validate_json(recipe_text)
tokenizer, new = dialogue_tokenizer(Path(base))
examples = prepared(Path(data), None, tokenizer, recipe).train
for stage in range(4):
    for mean in ("token", "example"):
        launch = Launch.model_validate_json(launch_text).model_copy(update={"zero_stage": stage})
        lengths = [len(example.tokens) for example in examples]
        splits = micro_steps(lengths, recipe, launch, world=world(), seed=0)
        model = load_model(Path(base), tokenizer, new, recipe)
        engine = start_engine(model, recipe, launch, splits)
        accumulate(
            engine,
            examples,
            loss_mean=mean,
            pad=tokenizer.pad_token_id,
            capacity=launch.micro_batch_tokens,
            seed=0,
            step=0,
        )
        whole = {n: safe_get_full_grad(p) for n, p in engine.module.named_parameters()}
        if rank() == 0:
            save_file({n: g.contiguous() for n, g in whole.items()}, f"{output}/{stage}-{mean}")
        engine.destroy()
