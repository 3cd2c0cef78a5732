"""The trained model as a Hugging Face folder that transformers, vLLM and lm-eval open as it is."""

import copy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from limaflow.jsonl import write_json
from limaflow.manifests import checksums
from limaflow.records import ModelManifest
from limaflow.training.adapter import merged, trained_weights
from limaflow.training.end_of_turn import exported_tokenizer, name_stops
from limaflow.training.export_check import CHECKED_TOKENS, require_same_logits, trained_logits
from limaflow.training.partition import whole
from limaflow.training.processes import from_first, on_first, rank
from limaflow.training.quantization import weight_dtype


def export(
    engine: Any,
    tokenizer: Any,
    manifest: Path,
    *,
    name: str,
    notes: dict[str, Any],
    card: Callable[[], str],
    examples: Sequence[Sequence[int]],
    generation: Any = None,
) -> None:
    """Write weights (safetensors), tokenizer, `card` and `manifest` of model `name`, on all ranks.

    A model with an adapter is written merged, and the adapter beside it in peft's form. The folder
    of `manifest` appears whole or not at all; one that is there already stays, since a resumed run
    makes the same.

    Args:
        examples: tokens on which the exported model must give the trained model's logits.
        generation: the generation config; None makes that of our dialogue format, and
            names its end of turn everywhere.

    Raises:
        InputError: it does not.
    """
    # One answer for all ranks: a late one would find what the first has just written.
    if from_first(manifest.is_file):
        return
    rows = [list(example[:CHECKED_TOKENS]) for example in examples]
    logits = trained_logits(engine, rows)
    adapted = engine.module if hasattr(engine.module, "peft_config") else None
    if adapted is None:
        model, weights = engine.module, whole_weights(engine.module)
    else:
        model, weights = merged(adapted)
        trained = trained_weights(adapted)

    def write() -> None:
        hidden = manifest.parent.with_name(f".{manifest.parent.name}")
        shutil.rmtree(hidden, ignore_errors=True)
        folder = hidden / "model"
        folder.mkdir(parents=True)
        # The trained model's own configuration stays: its run goes on.
        own = model.config, model.generation_config
        model.config = copy.deepcopy(model.config)
        if generation is None:
            name_stops(model, tokenizer)
        else:
            model.generation_config = generation
        model.save_pretrained(folder, state_dict=weights)
        model.config, model.generation_config = own
        weights.clear()
        require_same_logits(folder, rows, logits, weight_dtype(engine.module))
        exported = exported_tokenizer(tokenizer) if generation is None else tokenizer
        exported.save_pretrained(folder)
        text = card()
        (folder / "README.md").write_text(text, encoding="utf-8")
        if adapted is not None:
            adapted.save_pretrained(
                hidden / "adapter", state_dict=trained, save_embedding_layers=False
            )
            # With it AutoPeftModelForCausalLM gives the base model rows for the new tokens.
            exported.save_pretrained(hidden / "adapter")
            (hidden / "adapter" / "README.md").write_text(text, encoding="utf-8")
        write_json(
            hidden / "model.json",
            ModelManifest(model=name, path="model", sha256=checksums(folder), notes=notes),
        )
        hidden.rename(manifest.parent)

    from_first(write)


def whole_weights(model: Any) -> dict[str, torch.Tensor]:
    """The state dict on the CPU of rank 0 ({} elsewhere), gathered weight by weight at ZeRO-3."""
    copies: dict[int, torch.Tensor] = {}
    weights = {}
    for name, value in model.state_dict(keep_vars=True).items():
        # Tied weights stand under two names and must stay one tensor.
        if id(value) not in copies:
            with whole([value]):
                copies[id(value)] = on_first(value.detach())
        weights[name] = copies[id(value)]
    return weights if rank() == 0 else {}
