"""YAML that users write, read as safe YAML in which no key of a mapping stands twice."""

from pathlib import Path
from typing import Any

import yaml

from limaflow.errors import InputError


def read_yaml(path: Path) -> Any:
    """The content of one file; None of an empty one.

    Raises:
        InputError: the file is missing, not UTF-8 or not YAML, or a mapping has a key twice; names
            the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), UniqueKeysLoader)
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


class UniqueKeys(yaml.constructor.BaseConstructor):
    """The part of a loader that refuses a key that stands twice in one mapping."""

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


class UniqueKeysLoader(UniqueKeys, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's safe loader, by libyaml where it is there (ten times as fast), with `UniqueKeys`."""
