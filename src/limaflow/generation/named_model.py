"""A model as the command line names it: a `model.json`, a folder, or a name on the hub."""

from dataclasses import dataclass
from pathlib import Path

from limaflow.errors import InputError
from limaflow.manifests import checksums, content_of, names_a_folder, read_manifest


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """Where a model lies, and what tells it from another."""

    name: str
    """As its manifest, its folder or the hub calls it."""
    location: str
    revision: str | None
    content: object
    """Checksums of its files, or its hub name and revision."""


def named_model(text: str) -> NamedModel:
    """The model that `text` names.

    Raises:
        InputError: a manifest that cannot be read, or a folder that is none or holds no model.
    """
    path = Path(text)
    if path.suffix == ".json":
        manifest, location = read_manifest(path)
        return NamedModel(
            name=manifest.model,
            location=location,
            revision=manifest.revision,
            content=content_of(path),
        )
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError("no config.json: not a model's folder", path=path)
        return NamedModel(
            name=path.resolve().name,
            location=str(path.resolve()),
            revision=None,
            content=checksums(path),
        )
    if names_a_folder(text):
        raise InputError("no such folder", path=path, fix="name a model.json, a folder or the hub")
    return NamedModel(name=text, location=text, revision=None, content=[text, None])
