"""The frozen data set: train, dev and test as JSON lines, the same bytes from the same examples.

Rows are examples with `messages`, which `datasets.load_dataset` and TRL read as they are. That
reader takes the types of the columns from the first rows. Hence rows that fill a field which all
rows before them leave empty stand first; the others follow by id.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from limaflow.jsonl import write_records
from limaflow.records import Example, Split


def freeze(
    folder: Path, splits: Mapping[Split, Sequence[Example]], licences: Mapping[str, str]
) -> None:
    """Write `<split>.jsonl` of each split into `folder`.

    Args:
        licences: source → the licence of its rows that name none.
    """
    for split, examples in splits.items():
        licensed = [_licensed(example, licences) for example in examples]
        write_records(folder / f"{split}.jsonl", new_fields_first(licensed))


def response_alone(example: Example) -> Example:
    """An example with empty user turns, under its own id: response tuning.

    After Hewitt et al. 2024, "Instruction Following without Instruction Tuning" (arXiv 2409.14254);
    the paper that is named "Response Tuning" is another one, by An and Kim. The turns themselves
    stay, so that the chat template does.
    """
    messages = tuple(
        dataclasses.replace(turn, content="") if turn.role == "user" else turn
        for turn in example.messages
    )
    return dataclasses.replace(example, messages=messages)


def _licensed(example: Example, licences: Mapping[str, str]) -> Example:
    origin = example.provenance
    if origin.licence or example.source not in licences:
        return example
    named = dataclasses.replace(origin, licence=licences[example.source])
    return dataclasses.replace(example, provenance=named)


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
