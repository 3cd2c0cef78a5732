"""The rules of our own: lines, items, words, JSON, beginnings and ends."""

import json
import re
from typing import Any

from pydantic import Field

from limaflow.format_checks.rule import Nothing, Relation, Rule, holds
from limaflow.settings import Settings

ITEM = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
"""A line of a list: a bullet or a number, and something after it."""
FENCE = re.compile(r"\A```[a-zA-Z]*\n(.*?)\n?```\Z", re.DOTALL)


class Count(Settings):
    """How many there are to be."""

    count: int = Field(ge=0)
    relation: Relation = "exactly"


class Text(Settings):
    """A text that stands somewhere, whatever its case."""

    text: str = Field(min_length=1)


class JsonForm(Settings):
    """What the JSON has to be."""

    type: str = Field(default="any", pattern=r"^(any|object|array)$")
    keys: list[str] = Field(default_factory=list)
    """That the object has, perhaps beside others."""


def lines(response: str, wanted: Count) -> bool:
    """Lines that are not blank."""
    found = sum(bool(line.strip()) for line in response.splitlines())
    return holds(found, wanted.relation, wanted.count)


def items(response: str, wanted: Count) -> bool:
    """Lines that begin with a bullet or a number."""
    return holds(len(ITEM.findall(response)), wanted.relation, wanted.count)


def words(response: str, wanted: Count) -> bool:
    """Runs of characters between blanks that hold a letter or a digit."""
    found = sum(any(map(str.isalnum, word)) for word in response.split())
    return holds(found, wanted.relation, wanted.count)


def paragraphs(response: str, wanted: Count) -> bool:
    """Texts between empty lines."""
    found = sum(bool(part.strip()) for part in re.split(r"\n[ \t]*\n", response))
    return holds(found, wanted.relation, wanted.count)


def one_word(response: str, _: Nothing) -> bool:
    """One word, with or without marks around it."""
    return words(response, Count(count=1)) and len(response.split()) == 1


def is_json(response: str, wanted: JsonForm) -> bool:
    """JSON and nothing else, bare or in one code block."""
    text = response.strip()
    if fenced := FENCE.match(text):
        text = fenced[1]
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    kinds = {"any": (object,), "object": (dict,), "array": (list,)}
    if not isinstance(value, kinds[wanted.type]):
        return False
    return not wanted.keys or (isinstance(value, dict) and value.keys() >= set(wanted.keys))


def starts_with(response: str, wanted: Text) -> bool:
    """Begins with a text."""
    return response.strip().casefold().startswith(wanted.text.strip().casefold())


def ends_with(response: str, wanted: Text) -> bool:
    """Ends with a text."""
    return response.strip().casefold().endswith(wanted.text.strip().casefold())


OWN: dict[str, Rule[Any]] = {
    "lines": Rule(check=lines, arguments=Count, asks="so many lines, blank ones aside"),
    "items": Rule(check=items, arguments=Count, asks="so many lines with a bullet or a number"),
    "words": Rule(check=words, arguments=Count, asks="so many words"),
    "paragraphs": Rule(check=paragraphs, arguments=Count, asks="so many paragraphs"),
    "one_word": Rule(check=one_word, arguments=Nothing, asks="one word"),
    "json": Rule(check=is_json, arguments=JsonForm, asks="JSON alone, perhaps with these keys"),
    "starts_with": Rule(check=starts_with, arguments=Text, asks="begins with the text"),
    "ends_with": Rule(check=ends_with, arguments=Text, asks="ends with the text"),
}
