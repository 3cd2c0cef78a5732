"""Files that lines are only ever added to, each by one locked write that reaches the disk.

A line that a kill or a full disk cut short was never confirmed: it is moved aside and reported.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from limaflow.errors import InputError
from limaflow.jsonl import Record, adapter_of, line_of


def read(path: Path, kind: type[Record]) -> tuple[list[Record], str | None]:
    """The records of a file in order, and a warning where its last line was cut short.

    Raises:
        InputError: the file is missing, or a whole line is no `kind`; names the line.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    with path.open("rb") as file:
        _lock(file.fileno(), fcntl.LOCK_SH)
        lines = file.read().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(adapter_of(kind).validate_json(line))
        except ValidationError as error:
            if number == len(lines):
                return records, (
                    f"{path}:{number}: the last line is cut short and does not count; "
                    "it was never confirmed"
                )
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "the line"
            raise InputError(
                f"not a valid {kind.__name__}: {key}: {first['msg']}", path=path, line=number
            ) from None
    return records, None


def append(path: Path, fields: Mapping[str, Any], kind: type[Any]) -> str | None:
    """Add one line; when this returns, it is on the disk. Says what was mended before, if any.

    Raises:
        OSError: it could not be written whole; the file is then as it was.
    """
    line = line_of(fields).encode() + b"\n"
    with _locked(path) as file:
        repair = _repaired(file, path, kind)
        size = os.fstat(file).st_size
        try:
            written = os.write(file, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes could be written")
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
    return repair


def prepare(path: Path, kind: type[Any]) -> str | None:
    """See that lines can be added: end the last one, or set aside what of it was cut short.

    Says what was done, if anything was. The bytes set aside are on the disk, in `<file>.cut`,
    before they leave the file.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        repair = None
        if path.exists():
            with _locked(path) as file:
                repair = _repaired(file, path, kind)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from None
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError("cannot be written", path=path)
    return repair


def _repaired(file: int, path: Path, kind: type[Any]) -> str | None:
    data = path.read_bytes()
    start = data.rfind(b"\n") + 1
    tail = data[start:]
    if not tail:
        return None
    try:
        adapter_of(kind).validate_json(tail)
    except ValidationError:
        aside = path.with_name(f"{path.name}.cut")
        with aside.open("ab") as cut:
            cut.write(tail + b"\n")
            cut.flush()
            os.fsync(cut.fileno())
        os.ftruncate(file, start)
        os.fsync(file)
        return f"{path}: the last line was cut short; its {len(tail)} bytes now lie in {aside}"
    os.write(file, b"\n")
    os.fsync(file)
    return f"{path}: the last line lacked its end and has it again"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file, while no other process may write to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _lock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _lock(file: int, kind: int) -> None:
    """Lock as far as the file system knows locks; some clusters' do not."""
    try:
        fcntl.flock(file, kind)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
            raise
