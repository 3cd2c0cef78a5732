"""Configuration files laid over one another, as Snakemake's `--configfile` does it.

Mappings merge key by key; any other value, lists among them, replaces what was there.
"""

from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.yaml_file import read_yaml


def merged(files: list[Path]) -> dict[str, Any]:
    """The files' contents in order, later ones over earlier ones.

    Raises:
        InputError: as `read_config`.
    """
    result: dict[str, Any] = {}
    for path in files:
        result = _laid_over(result, read_config(path))
    return result


def read_config(path: Path) -> dict[str, Any]:
    """The content of one configuration file.

    Raises:
        InputError: as `read_yaml`; the file is empty or holds no mapping.
    """
    loaded = read_yaml(path)
    if loaded is None:
        raise InputError("holds no keys", path=path)
    if not isinstance(loaded, dict):
        raise InputError("holds no mapping of keys", path=path)
    return loaded


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = (
            _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both
