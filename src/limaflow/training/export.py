"""The trained model as a Hugging Face folder that transformers, vLLM and lm-eval open as it is."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from limaflow.jsonl import write_json
from limaflow.manifests import checksums
from limaflow.records import ModelManifest
from limaflow.training.adapter import merged, trained_weights
from limaflow.training.conversation import END_OF_TURN
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
        generation: the generation config; None makes that of our dialogue format.

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
        model.generation_config = generation or _generation_config(tokenizer)
        model.save_pretrained(folder, state_dict=weights)
        weights.clear()
        require_same_logits(folder, rows, logits, weight_dtype(engine.module))
        tokenizer.save_pretrained(folder)
        text = card()
        (folder / "README.md").write_text(text, encoding="utf-8")
        if adapted is not None:
            for config in adapted.peft_config.values():
                # A folder of this machine means nothing elsewhere; peft would fill a None with it.
                if Path(str(config.base_model_name_or_path)).is_dir():
                    config.base_model_name_or_path = ""
            adapted.save_pretrained(
                hidden / "adapter", state_dict=trained, save_embedding_layers=False
            )
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


def _generation_config(tokenizer: Any) -> Any:
    """Stops at the end of a turn, and at EOS, which a base model may still produce."""
    from transformers import GenerationConfig

    stops = [tokenizer.convert_tokens_to_ids(END_OF_TURN), tokenizer.eos_token_id]
    settings = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": [stop for stop in stops if stop is not None],
        "pad_token_id": tokenizer.pad_token_id,
    }
    return GenerationConfig.from_dict(settings)
