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
        InputError: as `read_config`.
    """
    result: dict[str, Any] = {}
    for path in files:
        result = _laid_over(result, read_config(path))
    return result


def read_config(path: Path) -> dict[str, Any]:
    """The content of one configuration file.

    Raises:
        InputError: the file is missing, empty, not UTF-8, not YAML or not a mapping, or a mapping
            has a key twice; names the line.
    """
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8-sig"), _UniqueKeys)
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path=path) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError("not UTF-8", path=path, line=line, fix="save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            f"not YAML: {getattr(error, 'problem', error)}",
            path=path,
            line=mark.line + 1 if mark else None,
        ) from None
    if loaded is None:
        raise InputError("holds no keys", path=path)
    if not isinstance(loaded, dict):
        raise InputError("holds no mapping of keys", path=path)
    return loaded


class _UniqueKeys(yaml.SafeLoader):
    """YAML's safe loader, which refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            # `<<` may be given again by what it merges; the keys themselves may not.
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key.value}' stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = (
            _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both
