"""The weighted average of a base and a model tuned from it (Wortsman et al. 2022, 2109.01903).

Weights are read, averaged in fp32 and written one tensor at a time, so that two models never lie in
memory. Rows that tuning added (the end of turn) have nothing to be averaged with and stay as they
are. Files, names and precision are those of the tuned model.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from limaflow.errors import InputError, listed
from limaflow.jsonl import write_json
from limaflow.manifests import checksums, read_manifest
from limaflow.records import ModelManifest

INDEX = "model.safetensors.index.json"


def average(base: Path, tuned: Path, share: float, output: Path, *, name: str) -> None:
    """Write the model with `share` of the tuned weights and the rest of the base's.

    Args:
        base: the base's model.json; `tuned` is that of the tuned model.
        share: from 0, the base, to 1, the tuned model.
        output: the manifest of the average; its files go to `model/` beside it.

    Raises:
        InputError: a model has no safetensors, or the two have not the same weights.
    """
    _, base_location = read_manifest(base)
    manifest, location = read_manifest(tuned)
    before, after = _weights(base_location), _weights(location)
    _require_alike(before, after, base, tuned)
    folder = output.parent / "model"
    hidden = output.parent / ".model"
    shutil.rmtree(hidden, ignore_errors=True)
    shutil.copytree(location, hidden, ignore=shutil.ignore_patterns("*.safetensors"))
    for file, weights in _averaged(before, after, share):
        _save(weights, hidden / file)
    (hidden / "README.md").write_text(_card(name, share, manifest.model), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    hidden.rename(folder)
    write_json(
        output,
        ModelManifest(
            model=name,
            path="model",
            sha256=checksums(folder),
            notes={"average_of": ["base", manifest.model], "share_of_tuned": share},
        ),
    )


def _weights(location: str) -> dict[str, Path]:
    """Name of each weight → the file that holds it."""
    folder = Path(location)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(location, allow_patterns=["*.safetensors", INDEX]))
    index = folder / INDEX
    if index.is_file():
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {name: folder / file for name, file in sorted(named.items())}
    whole = folder / "model.safetensors"
    if not whole.is_file():
        raise InputError("holds no safetensors", path=folder, fix="convert the model to them")
    with _opened(whole) as file:
        return dict.fromkeys(sorted(file.keys()), whole)


def _require_alike(
    before: Mapping[str, Path], after: Mapping[str, Path], base: Path, tuned: Path
) -> None:
    """See that each weight of the tuned model has one of the base to be averaged with."""
    missing = [name for name in after if name not in before]
    if missing or not after:
        raise InputError(
            f"has {len(missing)} weights that {base} lacks: {listed(missing)}",
            path=tuned,
            fix="average a model with the base that it was tuned from",
        )


def _averaged(
    before: Mapping[str, Path], after: Mapping[str, Path], share: float
) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """The weights of each of the tuned model's files."""
    for path in sorted(set(after.values())):
        weights = {}
        with _opened(path) as file:
            for name in (name for name, place in after.items() if place == path):
                tensor = file.get_tensor(name)
                with _opened(before[name]) as other:
                    weights[name] = _mixed(other.get_tensor(name), tensor, share, name, path)
        yield path.name, weights


def _mixed(
    base: torch.Tensor, tuned: torch.Tensor, share: float, name: str, path: Path
) -> torch.Tensor:
    """The average, in the tuned weight's shape and precision."""
    rows = base.shape[0] if base.dim() else 0
    if base.shape[1:] != tuned.shape[1:] or base.dim() != tuned.dim() or rows > len(tuned):
        raise InputError(
            f"'{name}' has the shape {list(tuned.shape)}, and the base's {list(base.shape)}",
            path=path,
        )
    if not tuned.is_floating_point():
        return tuned
    mixed = tuned.clone()
    mixed[:rows] = torch.lerp(base.float(), tuned[:rows].float(), share).to(tuned.dtype)
    return mixed


def _save(weights: dict[str, torch.Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(weights, path, metadata={"format": "pt"})


def _opened(path: Path) -> Any:
    from safetensors import safe_open

    return safe_open(path, framework="pt")


def _card(name: str, share: float, tuned: str) -> str:
    return (
        f"# {name}\n\nThe average of a base's weights and those of `{tuned}`, {share:g} of the "
        "latter, made by limaflow.\n"
    )
