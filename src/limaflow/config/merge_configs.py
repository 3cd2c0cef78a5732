"""Configuration files laid over one another, as Snakemake's `--configfile` does it.

Mappings merge key by key; any other value, lists among them, replaces what was there.
"""

from pathlib import Path
from typing import Any

import yaml

from limaflow.errors import InputError


def merged(files: list[Path]) -> dict[str, Any]:
    """The files' contents in order, later ones over earlier ones.

    Raises:
        InputError: a file is missing, not YAML, or not a mapping.
    """
    result: dict[str, Any] = {}
    for path in files:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise InputError(error.strerror or "cannot be read", path=path) from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise InputError(
                f"not YAML: {getattr(error, 'problem', error)}",
                path=path,
                line=mark.line + 1 if mark else None,
            ) from None
        if not isinstance(loaded, dict):
            raise InputError("holds no mapping of keys", path=path)
        result = _laid_over(result, loaded)
    return result


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = (
            _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both
