"""Messages for mistakes in a configuration: the key's path and the nearest known key."""

import difflib
import json
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from limaflow.errors import InputError
from limaflow.settings import Block

Value = TypeVar("Value")


def parse_block(kind: type[Block], text: str, origin: str) -> Block:
    """One block from the JSON of a command line flag such as `--recipe`.

    Raises:
        InputError: not JSON, or not a block of that kind.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{origin} is not JSON: {error}") from None
    return validated(kind, raw, origin)


def validated(kind: type[Block], raw: Any, origin: str) -> Block:
    """`raw` as a block of `kind`; an `InputError` that begins with `origin` lists its mistakes."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = list(dict.fromkeys(messages(error, kind, raw)))
        raise InputError(f"{origin}: " + "\n  ".join(["not valid:", *lines])) from None


def parse_value(kind: type[Value], text: str, flag: str) -> Value:
    """A value of a plain type, such as `dict[str, int]`, from the JSON of a command line flag.

    Raises:
        InputError: not JSON, or not of that type.
    """
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise InputError(f"{flag}{place and f' {place}'}: {problem['msg']}, got {text}") from None


def messages(error: ValidationError, kind: type[BaseModel], raw: Any) -> list[str]:
    """A line for each mistake that pydantic found in `raw`."""
    lines = []
    for problem in error.errors():
        place = _place(problem["loc"], raw)
        if problem["type"] == "extra_forbidden":
            key = str(problem["loc"][-1])
            keys = _keys_beside(kind, problem["loc"][:-1])
            lines.append(f"{place}: unknown key{nearest(key, keys)}")
        elif problem["type"] == "missing":
            lines.append(f"{place}: missing")
        elif problem["type"] == "union_tag_not_found":
            lines.append(f"{place}.{_unquoted(problem['ctx']['discriminator'])}: missing")
        elif problem["type"] == "union_tag_invalid":
            known = [_unquoted(tag) for tag in problem["ctx"]["expected_tags"].split(", ")]
            key, word = _unquoted(problem["ctx"]["discriminator"]), problem["ctx"]["tag"]
            lines.append(f"{place}.{key}: unknown '{word}'{nearest(word, known)}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            shown = problem.get("input")
            value = f", got {shown!r}" if isinstance(shown, (str, int, float, bool)) else ""
            lines.append(f"{place}: {message}{value}" if place else message + value)
    return lines


def _unquoted(word: str) -> str:
    return word.strip("'")


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """The dotted path of a key; list entries go by their name, union tags are left out."""
    parts: list[str] = []
    for index, step in enumerate(loc):
        if isinstance(step, int) and isinstance(raw, (list, tuple)) and step < len(raw):
            raw = raw[step]
            named = isinstance(raw, dict) and "name" in raw
            parts.append(str(raw["name"]) if named else str(step))
        elif isinstance(raw, dict) and step in raw:
            raw = raw[step]
            parts.append(str(step))
        elif index == len(loc) - 1 and not (isinstance(raw, dict) and raw.get("kind") == step):
            parts.append(str(step))
    return ".".join(parts)


def _keys_beside(kind: Any, loc: tuple[int | str, ...]) -> list[str]:
    """The keys that a block at `loc` under `kind` may have."""
    blocks = _blocks_in(kind)
    for step in loc:
        if isinstance(step, int):
            continue
        tagged = [b for b in blocks if step in _tags(b)]
        inner = [
            found
            for b in blocks
            if step in b.model_fields
            for found in _blocks_in(b.model_fields[step].annotation)
        ]
        blocks = tagged or inner or blocks
    return sorted({key for block in blocks for key in block.model_fields})


def _tags(block: type[BaseModel]) -> tuple[Any, ...]:
    field = block.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _blocks_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks_in(part)]


def nearest(word: str, known: list[str]) -> str:
    """What may have been meant by a word that is not known, to end a message with."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"
