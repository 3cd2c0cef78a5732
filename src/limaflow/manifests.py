"""A model by its `model.json`: where its weights lie and what its files hold."""

import hashlib
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_json
from limaflow.records import ModelManifest


def read_manifest(path: Path) -> tuple[ModelManifest, str]:
    """A model's manifest and the folder or hub name that it points to.

    Raises:
        InputError: no such manifest, or the folder that it names is not there.
    """
    manifest = read_json(path, ModelManifest)
    folder = path.parent / manifest.path
    if folder.is_dir():
        return manifest, str(folder.resolve())
    if manifest.sha256 or manifest.path.startswith((".", "/")):
        raise InputError(f"the model's folder {folder} does not exist", path=path, may_pass=True)
    return manifest, manifest.path


def adopt(model: str, path: str, revision: str | None, output: Path) -> None:
    """Write the manifest of a model that was made elsewhere: a folder, or a name on the hub.

    Raises:
        InputError: `path` looks like a folder and is none, or it holds no model.
    """
    folder = Path(path)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError("no config.json: not a model's folder", path=folder)
        manifest = ModelManifest(
            model=model, path=str(folder.resolve()), sha256=checksums(folder), revision=revision
        )
    elif names_a_folder(path):
        raise InputError("no such folder", path=path)
    else:
        manifest = ModelManifest(model=model, path=path, revision=revision)
    write_json(output, manifest)


def names_a_folder(path: str) -> bool:
    """Whether a model is named by its folder: a name on the hub has one slash at most."""
    return path.startswith((".", "/", "~")) or path.count("/") > 1


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under `folder`, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of one file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_of(manifest_path: Path) -> object:
    """What tells this model from another: its files' checksums, or hub name and revision."""
    manifest, location = read_manifest(manifest_path)
    if manifest.sha256:
        return manifest.sha256
    if Path(location).is_dir():
        return checksums(Path(location))
    return [manifest.path, manifest.revision]
