"""The prompts of a split, as every way of answering reads them."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.records import Example


def read_prompts(path: Path) -> list[Example]:
    """The examples of a prompt file. Turns that follow a prompt by its tags are not asked: says so.

    Raises:
        InputError: it is empty, or two of its lines have one id.
    """
    prompts = list(read_records(path, Example))
    if not prompts:
        raise InputError("no prompts", path=path)
    if len({p.id for p in prompts}) < len(prompts):
        raise InputError("two prompts have the same id", path=path)
    if further := sum(bool(p.tags and p.tags.turns) for p in prompts):
        print(f"{path}: of {further} prompts the first turn alone is asked", file=sys.stderr)
    return prompts


def with_prefill(decoding: Mapping[str, Any], prefill: str) -> dict[str, Any]:
    """What a record says of how its response came about, with the beginning that was given."""
    return {**decoding, **({"prefill": prefill} if prefill else {})}


def finder(prompts: Iterable[Example]) -> Callable[[str], str | None]:
    """What tells a prompt's id by that id, by the id that its own file gave it, or by its text.

    What names no prompt, or several, gives None.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for example in prompts:
        for name in (example.id, *example.provenance.ids, example.prompt):
            named[_plain(name)].add(example.id)

    def find(name: str) -> str | None:
        found = named.get(_plain(name), set())
        return next(iter(found)) if len(found) == 1 else None

    return find


def _plain(text: str) -> str:
    return " ".join(text.split())
