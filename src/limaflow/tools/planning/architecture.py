"""The sizes of a decoder that memory depends on, from its configuration: no weights are read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.manifests import read_manifest
from limaflow.training.model_size import known


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A decoder in the manner of Llama: every size counts elements."""

    parameters: int
    largest_parameter: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    query: int
    """Heads times head size."""
    key_value: int
    """Key-value heads times head size."""
    vocabulary: int
    context: int
    linears: dict[str, tuple[int, int]]
    """Linear modules but the head: name → inputs plus outputs, and weights, summed over layers."""


def architecture_of(base: str, numbers: str | None = None) -> Architecture:
    """The architecture of a base model: a manifest, a folder, a hub name, or `numbers` given.

    Args:
        numbers: JSON in the keys of a Hugging Face config.json; `model_type` defaults to llama.

    Raises:
        InputError: there is no config.json, or it lacks a number.
    """
    return of_config(_read(numbers) if numbers else _config(base), numbers or base)


def of_config(config: dict[str, Any], origin: str) -> Architecture:
    """The architecture that a config.json describes; parameters are counted on a model of no data.

    Raises:
        InputError: transformers knows no decoder of that description.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind = config.get("model_type", "llama")
    values = {key: value for key, value in config.items() if key != "model_type"}
    try:
        described = AutoConfig.for_model(kind, **values)
        build: Any = AutoModelForCausalLM.from_config
        with torch.device("meta"):
            model = build(described)
        sizes = (described.hidden_size, described.num_hidden_layers, described.vocab_size)
        if min(sizes) < 1:
            raise ValueError("hidden_size, num_hidden_layers or vocab_size is below 1")
        heads = described.num_attention_heads
        head = getattr(described, "head_dim", None) or described.hidden_size // heads
        return Architecture(
            parameters=sum(p.numel() for p in model.parameters()),
            largest_parameter=max(p.numel() for p in model.parameters()),
            hidden=described.hidden_size,
            intermediate=described.intermediate_size,
            layers=described.num_hidden_layers,
            heads=heads,
            query=heads * head,
            key_value=(getattr(described, "num_key_value_heads", None) or heads) * head,
            vocabulary=described.vocab_size,
            context=described.max_position_embeddings,
            linears=_linears(model),
        )
    # Nonsense fails in many ways.
    except Exception as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{origin} describes no decoder that can be planned: {first}") from None


def _linears(model: Any) -> dict[str, tuple[int, int]]:
    import torch

    found: dict[str, tuple[int, int]] = {}
    head = model.get_output_embeddings()
    for path, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            name = path.rsplit(".", 1)[-1]
            ends, weights = found.get(name, (0, 0))
            ends += module.in_features + module.out_features
            found[name] = (ends, weights + module.weight.numel())
    return found


def _config(base: str) -> dict[str, Any]:
    path = Path(base)
    if path.is_file():
        base = read_manifest(path)[1]
        path = Path(base)
    if path.is_dir():
        return read_json(path / "config.json", dict[str, Any])
    if base in known():
        return known()[base]
    from transformers import AutoConfig

    try:
        fetched: dict[str, Any] = AutoConfig.from_pretrained(base).to_dict()
    except (OSError, ValueError) as error:
        raise InputError(
            f"no config.json of {base}: {str(error).splitlines()[0]}",
            fix="give the numbers: --architecture '{\"hidden_size\": …}'",
        ) from None
    return fetched


def _read(numbers: str) -> dict[str, Any]:
    try:
        given = json.loads(numbers)
    except json.JSONDecodeError as error:
        raise InputError(f"--architecture is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise InputError("--architecture is not a JSON object")
    return given
