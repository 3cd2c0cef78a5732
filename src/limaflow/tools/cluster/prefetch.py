"""Fetch models while there is a network, for compute nodes that have none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_json
from limaflow.unreachable import first_line

NEEDED = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
"""Weights, configuration, tokenizer. Pickled weights are not wanted: nothing here loads them."""


def prefetch(models: dict[str, str | None], output: Path) -> None:
    """Bring models into the hub's cache (below HF_HOME) and write where each lies.

    Args:
        models: hub name or folder → revision; None is the newest.

    Raises:
        InputError: the hub does not hand it out, or its weights or tokenizer are not there.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    places: dict[str, str] = {}
    for name, revision in models.items():
        if Path(name).is_dir():
            places[name] = name
            continue
        try:
            places[name] = snapshot_download(name, revision=revision, allow_patterns=NEEDED)
        except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
            raise InputError(
                f"{name} cannot be fetched: {str(error).splitlines()[0]}",
                fix="is there a network, HF_HUB_OFFLINE unset, and HF_TOKEN for a gated model?",
            ) from None
        print(f"{name}: {places[name]}")
    if missing := [line for name, place in places.items() for line in _missing(name, place)]:
        raise InputError("\n  ".join(["models that cannot be used here:", *missing]))
    write_json(output, places)


def _missing(name: str, place: str) -> Iterator[str]:
    """What a model's folder lacks of weights and tokenizer, a line each; nothing is fetched."""
    from transformers import AutoTokenizer

    folder = Path(place)
    index = folder / "model.safetensors.index.json"
    shards = read_json(index, dict[str, Any])["weight_map"].values() if index.is_file() else ()
    if absent := sorted({shard for shard in shards if not (folder / shard).is_file()}):
        yield f"{name}: its weights lack {', '.join(absent)}"
    elif not any(folder.glob("*.safetensors")):
        yield f"{name}: it has no weights as safetensors"
    try:
        AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        yield f"{name}: no tokenizer: {first_line(error)}"
