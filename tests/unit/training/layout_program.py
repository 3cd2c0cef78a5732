"""One rank of test_layouts.py: what was loaded, and weights after two steps, as safetensors."""

import json
import sys
from pathlib import Path

from safetensors.torch import save_file

from limaflow.training import checkpoints
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.engine import load_model, start_engine, update
from limaflow.training.export import whole_weights
from limaflow.training.gradient import accumulate
from limaflow.training.layout import micro_steps
from limaflow.training.partition import whole
from limaflow.training.processes import ending_at_once, join, rank, world
from limaflow.training.settings import Launch, Training

base, tied_base, data, recipe_text, launch_text, output = sys.argv[1:]
join()
settings = Training.model_validate_json(recipe_text)
launch = Launch.model_validate_json(launch_text)


def save_loaded(base: Path, settings: Training) -> None:
    tokenizer, new = dialogue_tokenizer(base)
    divided = launch.model_copy(update={"zero_stage": 3})
    model = load_model(base, tokenizer, new, settings, divided)
    loaded = {}
    for name, weight in [*model.named_parameters(), *model.named_buffers()]:
        with whole([weight]):
            loaded[name] = weight.detach().clone()
    exported = whole_weights(model)
    held = {name: getattr(p, "ds_tensor", p).numel() for name, p in model.named_parameters()}
    if rank() == 0:
        file = f"{output}/{base.parent.name}-{settings.precision}"
        save_file(loaded, file, {"held": json.dumps(held)})
        # Tied weights are one tensor, which a plain safetensors file refuses.
        save_file({n: w.clone() for n, w in exported.items()}, f"{file}-exported")


def save_after_two_steps(base: Path, launch: Launch) -> None:
    """The second step goes on from a checkpoint, which holds AdamW's moments."""
    tokenizer, new = dialogue_tokenizer(base)
    examples = prepared(Path(data), None, tokenizer, settings).train
    splits = micro_steps([len(e.tokens) for e in examples], settings, launch, world=world(), seed=0)
    name = f"{launch.offload}-{launch.zero_stage}" + "-compiled" * launch.compile
    kept = Path(output) / f"checkpoints-{name}"
    for step in range(2):
        model = load_model(base, tokenizer, new, settings, launch)
        engine = start_engine(model, settings, launch, splits)
        if step:
            checkpoints.load(engine, kept, checkpoints.published(kept)[-1])
        accumulate(
            engine,
            examples,
            loss_mean=settings.loss_mean,
            pad=tokenizer.pad_token_id,
            capacity=None,
            seed=0,
            step=step,
        )
        update(engine, settings.learning_rate)
        if not step:
            checkpoints.save(engine, kept, 1, {}, keep=1)
        weights = whole_weights(engine.module)
        engine.destroy()
    if rank() == 0:
        save_file(weights, f"{output}/{name}")


with ending_at_once():
    for folder in (base, tied_base):
        for precision in ("fp32", "bf16"):
            save_loaded(Path(folder), settings.model_copy(update={"precision": precision}))
    for stage, offload in (
        (2, "none"),
        (3, "none"),
        (1, "optimizer"),
        (2, "optimizer"),
        (3, "parameters"),
    ):
        changed = {"zero_stage": stage, "offload": offload}
        save_after_two_steps(Path(base), launch.model_copy(update=changed))
    save_after_two_steps(Path(base), launch.model_copy(update={"zero_stage": 2, "compile": True}))
