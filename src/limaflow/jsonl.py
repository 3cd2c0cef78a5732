"""Records as files: JSON lines and JSON, validated when read; written completely or not at all."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError

Record = TypeVar("Record")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes its final name only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _fields(record: object) -> dict[str, Any]:
    """Far faster than `dataclasses.asdict`, which copies every value."""
    if dataclasses.is_dataclass(record):
        return vars(record)
    raise TypeError(f"a {type(record).__name__} is no record")


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=_fields)


def line_of(record: object) -> str:
    """One record as one line of canonical JSON, without the line's end."""
    # A lone surrogate cannot be encoded as UTF-8; scraped text holds some.
    return _CANONICAL.encode(record).encode("utf-8", "replace").decode()


def write_records(
    path: Path, records: Iterable[object], key: Callable[[Any], Any] | None = None
) -> int:
    """Write `records` one a line, sorted by `key` if given, and return their number."""
    rows = records if key is None else sorted(records, key=key)
    count = 0
    with replacing(path) as file:
        for count, record in enumerate(rows, start=1):  # noqa: B007 - the last number is the answer
            file.write(line_of(record) + "\n")
    return count


_adapters: dict[object, TypeAdapter[Any]] = {}


def adapter_of(kind: type[Record]) -> TypeAdapter[Record]:
    """What validates a `kind`, made once."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def read_records(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of a JSON-lines file in order.

    Raises:
        InputError: the file is missing, or a line is not a `kind`; names the line and the key.
    """
    if not path.is_file():
        # On a shared file system it may appear late.
        raise InputError("no such file", path=path, may_pass=True)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield adapter_of(kind).validate_json(line.decode("utf-8"))
            except ValidationError as error:
                first = error.errors()[0]
                key = ".".join(map(str, first["loc"])) or "the line"
                raise InputError(
                    f"not a valid {kind.__name__}: {key}: {first['msg']}", path=path, line=number
                ) from None
            except UnicodeDecodeError:
                raise InputError("not UTF-8", path=path, line=number) from None


def write_json(path: Path, value: object) -> None:
    """Write one value (a dataclass or plain data) as indented JSON."""
    plain = (
        dataclasses.asdict(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
        else value
    )
    with replacing(path) as file:
        json.dump(plain, file, ensure_ascii=False, indent=2, sort_keys=True)
        file.write("\n")


def read_json(path: Path, kind: type[Record]) -> Record:
    """Read one value of `kind` from a JSON file.

    Raises:
        InputError: the file is missing or holds something else.
    """
    if not path.is_file():
        # On a shared file system it may appear late.
        raise InputError("no such file", path=path, may_pass=True)
    try:
        return adapter_of(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"not a valid {getattr(kind, '__name__', kind)}: {key}: {first['msg']}", path=path
        ) from None
