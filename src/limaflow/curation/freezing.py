"""The frozen data set: train, dev and test as JSON lines, the same bytes from the same examples.

Rows are examples with `messages`, which `datasets.load_dataset` and TRL read as they are. That
reader takes the types of the columns from the first rows, so rows in which a field is not empty
that was empty before stand first; the others follow by id.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from limaflow.jsonl import write_records
from limaflow.records import Example, Split


def freeze(folder: Path, splits: Mapping[Split, Sequence[Example]]) -> None:
    """Write `<split>.jsonl` of each split into `folder`."""
    for split, examples in splits.items():
        write_records(folder / f"{split}.jsonl", new_fields_first(examples))


def new_fields_first(examples: Sequence[Example]) -> list[Example]:
    """The examples by id, but first those that fill a field which all before them leave empty."""
    seen: set[str] = set()
    first: list[Example] = []
    rest: list[Example] = []
    for example in sorted(examples, key=lambda e: e.id):
        new = set(_filled(dataclasses.asdict(example))) - seen
        seen |= new
        (first if new else rest).append(example)
    return first + rest


def _filled(value: object, path: str = "") -> Iterator[str]:
    """Paths of the fields that hold something."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _filled(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _filled(inner, f"{path}[]")
    elif value is not None:
        yield path
