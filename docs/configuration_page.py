"""Write the page of all configuration keys: `python docs/configuration_page.py FILE`.

Types and defaults come from the classes that validate the configuration, the words from their
docstrings and from the comments of config.yaml.
"""

import ast
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from limaflow.config.experiment import Config

RECIPE = Path(__file__).parents[1] / "config.yaml"
HEAD = """# All configuration keys

Made from the classes that validate the configuration, and from `config.yaml`, whose comments
explain more than fits here; where a key has no default in the classes, the one shown is that of
`config.yaml`. `[]` is an entry of a list, `<name>` a name of yours. `limaflow config check
config.yaml experiments/X.yaml` checks a configuration; `limaflow config schema` prints its schema.
"""
PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    type(None): "null",
}
WITHIN = {list: (0, "list of: "), tuple: (0, "list of: "), dict: (1, "mapping to: ")}
"""Types around others: which of theirs counts, and the words before it."""
COMMENT = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_]\w*):(?P<value>[^#]*)(?:# (?P<said>.*))?$")
LISTED = re.compile(r"^# (?P<names>[a-z_]+(, [a-z_]+)*) {2,}(?P<said>.*)$")
FURTHER = re.compile(r"^# {6,}(?P<said>\S.*)$")
FOLLOWING = re.compile(r"^ {20,}# ?(?P<said>.*)$")


@dataclass(frozen=True)
class Key:
    """One key: where it stands, what it may be, what it is without a word, what it means."""

    path: str
    kind: str
    default: str
    meaning: str


def keys_of(model: type[BaseModel], place: str = "") -> Iterator[Key]:
    """Every key of a block, its blocks' keys after it."""
    said = docstrings_of(model)
    for name, field in model.model_fields.items():
        path = f"{place}{field.alias or name}"
        yield Key(path, words_of(field.annotation), default_of(field), said.get(name, ""))
        for suffix, block in blocks_in(field.annotation):
            if block is not model:
                yield from keys_of(block, f"{path}{suffix}.")


def words_of(annotation: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(words_of, inner)))
    if inner:
        place, before = WITHIN.get(origin, (0, ""))
        return before + words_of(inner[place])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "block"
    return PLAIN.get(annotation, "any value")


def blocks_in(annotation: Any, suffix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The blocks within a type, with what leads from the key to each."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield suffix, annotation
    elif origin in (list, tuple):
        for one in inner:
            yield from blocks_in(one, f"{suffix}[]")
    elif origin is dict:
        yield from blocks_in(inner[1], f"{suffix}.<name>")
    elif origin is Annotated:
        yield from blocks_in(inner[0], suffix)
    elif origin in (Union, types.UnionType):
        for one in inner:
            yield from blocks_in(one, suffix)


def default_of(field: Any) -> str:
    """What holds where the key is not given; "" where it must be."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        return "as below"
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def docstrings_of(model: type) -> dict[str, str]:
    """The text below each field, of the class and of those that it builds on."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one is BaseModel:
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
        except (OSError, TypeError):
            # A class that was made of others while the program runs.
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, text in pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)):
                continue
            if isinstance(field.target, ast.Name) and isinstance(text.value, ast.Constant):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def comments_of(text: str) -> dict[str, tuple[str, str]]:
    """Path of a key in config.yaml → its value there, and the comment beside it."""
    found: dict[str, tuple[str, str]] = {}
    open_keys: list[tuple[int, str]] = []
    last = ""
    for line in text.splitlines():
        if (more := FOLLOWING.match(line)) and last:
            value, said = found[last]
            found[last] = (value, f"{said} {more['said'].strip()}".strip())
            continue
        last = ""
        if match := COMMENT.match(line):
            indent = len(match["indent"])
            open_keys = [*(k for k in open_keys if k[0] < indent), (indent, match["key"])]
            last = ".".join(key for _, key in open_keys)
            found[last] = (match["value"].strip(), (match["said"] or "").strip())
    return found


def lists_of(text: str) -> dict[str, str]:
    """`block[].key` → what config.yaml says of it above the block, in a list of its own."""
    found: dict[str, str] = {}
    said: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if match := LISTED.match(line):
            names, words = match["names"].split(", "), match["said"]
            last = names[-1]
            said |= dict.fromkeys(names, words)
        elif (more := FURTHER.match(line)) and last:
            said[last] += f" {more['said']}"
        elif line and not line.startswith("#") and said:
            found |= {f"{line.partition(':')[0]}[].{name}": words for name, words in said.items()}
            said, last = {}, ""
        elif not line.startswith("#"):
            said, last = {}, ""
        else:
            last = ""
    return found


def page() -> str:
    """The whole page, a section for each block at the top."""
    recipe = RECIPE.read_text(encoding="utf-8")
    beside, above = comments_of(recipe), lists_of(recipe)
    rows: dict[str, Key] = {}
    for key in keys_of(Config):
        value, said = beside.get(key.path, ("", ""))
        meaning = key.meaning or said or above.get(key.path, "")
        default = key.default or (value if len(value) <= 60 else "see config.yaml")
        kind = key.kind
        if (known := rows.get(key.path)) and kind not in known.kind:
            # Kinds of sources and arms share keys, such as `kind` itself.
            kind = f"{known.kind} or {kind}"
        meaning = meaning or (known.meaning if known else "")
        rows[key.path] = Key(key.path, kind, default, meaning)
    sections: dict[str, list[Key]] = {"The experiment": []}
    for path, key in rows.items():
        top = re.split(r"[.\[]", path)[0]
        alone = sum(re.split(r"[.\[]", other)[0] == top for other in rows) == 1
        sections.setdefault("The experiment" if alone else top, []).append(key)
    return "\n".join([HEAD, *(section(name, keys) for name, keys in sections.items())])


def section(name: str, keys: list[Key]) -> str:
    """A heading with the table of its keys."""
    rows = "".join(map(row_of, keys))
    return f"## {name}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{rows}"


def row_of(key: Key) -> str:
    default = f"`{key.default}`" if key.default and key.default != "as below" else key.default
    cells = (f"`{key.path}`", key.kind, default, key.meaning)
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |\n"


def _cell(text: str) -> str:
    code = re.split(r"(`[^`]*`)", text)
    # Outside of code, angle brackets would be read as HTML.
    plain = [part if part.startswith("`") else part.replace("<", "&lt;") for part in code]
    return "".join(plain).replace("|", r"\|")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(), encoding="utf-8")
