"""Fetch models while there is a network, for compute nodes that have none."""

from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import write_json

NEEDED = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
"""Weights, configuration, tokenizer. Pickled weights are not wanted: nothing here loads them."""


def prefetch(models: dict[str, str | None], output: Path) -> None:
    """Bring models into the hub's cache (below HF_HOME) and write where each lies.

    Args:
        models: hub name or folder → revision; None is the newest.

    Raises:
        InputError: the hub does not hand it out.
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
    write_json(output, places)
