"""The columns of a frozen data set as `datasets` names them, so that loading guesses no type."""

import dataclasses
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

NAMES = {str: "string", float: "float64", int: "int64", bool: "bool"}


def features_of(record: type[Any]) -> list[dict[str, Any]]:
    """The fields of a record, sorted by name as in the files: the hub's `dataset_info.features`."""
    hints = get_type_hints(record)
    return [
        {"name": name, **_type(hints[name])}
        for name in sorted(field.name for field in dataclasses.fields(record))
    ]


def _type(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is UnionType:
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return {"dtype": "string"}
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return {"list": NAMES[inner] if inner in NAMES else features_of(inner)}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return {"struct": features_of(hint)}
    return {"dtype": NAMES[hint]}
