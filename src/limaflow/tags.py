"""Tags of prompts: how people write them, and the labels by which prompts are told apart.

In a row: `"tags": {"sensitive": {"intent": "malicious"}, "attack": "role play", "format":
["one_word", {"rule": "lines", "count": 3}], "turns": ["And then?"]}`; every key may be left out.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import shortened
from limaflow.mistakes import nearest
from limaflow.prompt_tags import Contrast, FormatRule, Sensitive, Tags

ADAPTER = TypeAdapter(Tags)
KINDS = tuple(field.name for field in fields(Tags))
BLOCKS: dict[str, type[Any]] = {
    "": Tags,
    "sensitive": Sensitive,
    "contrast": Contrast,
    "format": FormatRule,
}


def read_tags(row: dict[str, Any]) -> Tags | None:
    """The tags of a row as people write it, or None where it has none.

    Raises:
        ValueError: names the key, and the nearest known one where it is not known.
    """
    written = row.get("tags")
    if written is None:
        return None
    if not isinstance(written, dict):
        raise ValueError('tags: not an object, such as {"attack": "role play"}')
    if isinstance(written.get("format"), list):
        written = {**written, "format": [_format_rule(entry) for entry in written["format"]]}
    try:
        tags = ADAPTER.validate_python(written)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from None
    return None if tags == Tags() else tags


def _format_rule(entry: Any) -> Any:
    """A rule by its name, or its name with its arguments beside it, as the record has it."""
    if isinstance(entry, str):
        return {"rule": entry}
    if not isinstance(entry, dict) or set(entry) == {"rule", "arguments"}:
        return entry
    arguments = {key: value for key, value in entry.items() if key != "rule" and value is not None}
    return {"rule": entry.get("rule"), "arguments": arguments_as_text(arguments)}


def arguments_as_text(arguments: dict[str, Any]) -> str:
    """The arguments of a format rule as its record has them."""
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)


def _in_words(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(["tags", *map(str, problem["loc"])])
    if problem["type"] == "unexpected_keyword_argument":
        *above, key = problem["loc"]
        block = BLOCKS[str(above[0]) if above else ""]
        return f"{place}: unknown key{nearest(str(key), [f.name for f in fields(block)])}"
    return f"{place}: {problem['msg']}, got {shortened(problem['input'])}"


def words_of_prefill(tags: Tags | None) -> int:
    """How many words of an answer are given; 0 of a prompt that gives none."""
    return len(tags.prefill.split()) if tags else 0


def is_harmless(tags: Tags | None) -> bool:
    """Whether a prompt is one that may only sound harmful: to refuse it is to refuse too much."""
    if tags is None:
        return False
    benign = tags.sensitive is not None and tags.sensitive.intent == "benign"
    return benign or (tags.contrast is not None and tags.contrast.side == "safe")


def is_harmful(tags: Tags | None) -> bool:
    """Whether a prompt, or an answer to it, may be harmful to read: pages fold both."""
    if tags is None:
        return False
    sensitive = tags.sensitive is not None and tags.sensitive.intent != "benign"
    unsafe = tags.contrast is not None and tags.contrast.side == "unsafe"
    return sensitive or unsafe or bool(tags.attack)


Values = Callable[[Tags], Iterable[str]]
LabelName = Literal[
    "sensitive", "category", "contrast", "contrast type", "attack", "prefill", "format", "turns"
]
_LABELS: dict[LabelName, Values] = {
    "sensitive": lambda tags: [tags.sensitive.intent] if tags.sensitive else [],
    "category": lambda tags: filter(None, [tags.sensitive.category if tags.sensitive else ""]),
    "contrast": lambda tags: [tags.contrast.side] if tags.contrast else [],
    "contrast type": lambda tags: filter(None, [tags.contrast.type if tags.contrast else ""]),
    "attack": lambda tags: filter(None, [tags.attack]),
    "prefill": lambda tags: [f"{words} words"] if (words := words_of_prefill(tags)) else [],
    "format": lambda tags: dict.fromkeys(rule.rule for rule in tags.format),
    "turns": lambda tags: [str(1 + len(tags.turns))] if tags.turns else [],
}
LABELS = tuple(_LABELS)
"""The names of labels."""


def labels(tags: Tags | None) -> list[str]:
    """What a prompt is found by, such as `sensitive: malicious`, `attack: role play`."""
    if tags is None:
        return []
    return [f"{name}: {value}" for name, values in _LABELS.items() for value in values(tags)]


def has_label(tags: Tags | None, wanted: str) -> bool:
    """Whether a prompt has a label, or one of that name: `sensitive` is any of its values."""
    return any(wanted in (label, label.partition(": ")[0]) for label in labels(tags))
