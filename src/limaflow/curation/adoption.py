"""Ready-made files as examples: a data set or prompts that the user brings as JSON lines."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from limaflow.conversations import conversation, json_rows
from limaflow.errors import InputError
from limaflow.records import Example, Provenance, Split, example_id

EXAMPLE = TypeAdapter(Example)


def adopted(path: Path, split: Split) -> list[Example]:
    """The conversations of `path`, sorted by id; rows that are examples keep what they say.

    In "train", every conversation ends with a response.

    Raises:
        InputError: a row holds no conversation, lacks a response, or repeats another row.
    """
    examples: dict[str, Example] = {}
    for line, example in _examples(path, split):
        if split == "train" and example.messages[-1].role != "assistant":
            raise InputError("the conversation does not end with a response", path=path, line=line)
        if example.id in examples:
            raise InputError("the same conversation stands twice", path=path, line=line)
        examples[example.id] = example
    if not examples:
        raise InputError("holds no conversation", path=path)
    return [examples[key] for key in sorted(examples)]


def _examples(path: Path, split: Split) -> Iterator[tuple[int, Example]]:
    for line, row in json_rows(path):
        try:
            if row.keys() >= {"id", "messages", "source", "split"}:
                ready = EXAMPLE.validate_python(row)
                yield line, replace(ready, id=example_id(ready.messages), split=split)
                continue
            messages = conversation(row)
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(map(str, problem["loc"]))
            raise InputError(f"{key}: {problem['msg']}", path=path, line=line) from None
        except ValueError as error:
            raise InputError(str(error), path=path, line=line) from None
        source, licence = (str(row.get(key) or "") for key in ("source", "licence"))
        yield (
            line,
            Example(
                id=example_id(messages),
                messages=messages,
                source=source or path.stem,
                split=split,
                stratum=str(row.get("stratum") or ""),
                provenance=Provenance(
                    ids=(str(row["id"]),) if "id" in row else (), licence=licence
                ),
            ),
        )
