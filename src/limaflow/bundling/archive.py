"""A bundle's files as a ZIP of always the same bytes, and read again as hostile input.

Members are stored, not deflated: the bytes depend on no version of zlib, and an archive cannot grow
when it is opened. Names are sorted, and times and permissions are fixed.
"""

import contextlib
import io
import os
import stat
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from limaflow.errors import InputError, shortened

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a ZIP can name."""
REGULAR = (stat.S_IFREG | 0o644) << 16
MOST_FILES = 200_000
MOST_READ = 1 << 30
"""Bytes of a file that is read into memory: records, sums, tables."""
LONGEST_NAME = 500
LOCAL_HEADER = 30
"""Bytes before a member's name and its bytes; the last four hold the lengths of name and extra."""


@dataclass(frozen=True)
class Bundle:
    """The files of a bundle, of a ZIP or of a folder that was unpacked from one."""

    path: Path
    sizes: Mapping[str, int]
    archive: zipfile.ZipFile | None

    def open(self, name: str) -> BinaryIO:
        """One of its files, for reading."""
        if self.archive is None:
            return (self.path / name).open("rb")
        # Not through zipfile, whose CRC stops at the first changed file: the sums name them all.
        return io.BufferedReader(_Stored(self.path, self.archive.getinfo(name)))

    def read(self, name: str) -> bytes:
        """All bytes of one of its files.

        Raises:
            InputError: it is too large for one.
        """
        if self.sizes[name] > MOST_READ:
            raise InputError(f"{name} is larger than {MOST_READ >> 20} MiB", path=self.path)
        with self.open(name) as file:
            return file.read(MOST_READ + 1)


class _Stored(io.RawIOBase):
    """The bytes of a member that is stored as it is."""

    def __init__(self, path: Path, entry: zipfile.ZipInfo) -> None:
        self.file = path.open("rb")
        self.file.seek(entry.header_offset)
        head = self.file.read(LOCAL_HEADER).ljust(LOCAL_HEADER, b"\0")
        name, extra = struct.unpack("<HH", head[-4:])
        self.file.seek(name + extra, os.SEEK_CUR)
        self.left = entry.file_size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self.file.read(min(len(buffer), self.left))
        buffer[: len(block)] = block
        self.left -= len(block)
        return len(block)

    def close(self) -> None:
        self.file.close()
        super().close()


def write_archive(path: Path, members: Mapping[str, Path | bytes]) -> None:
    """Write a ZIP that is a function of the members' names and bytes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(members):
                check_name(name, path)
                _add(archive, name, members[name])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, content: Path | bytes) -> None:
    entry = zipfile.ZipInfo(name, FIXED_TIME)
    entry.create_system = 3
    entry.external_attr = REGULAR
    entry.file_size = len(content) if isinstance(content, bytes) else content.stat().st_size
    with archive.open(entry, "w") as target:
        if isinstance(content, bytes):
            target.write(content)
            return
        with content.open("rb") as source:
            while block := source.read(1 << 20):
                target.write(block)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A bundle, once its names, kinds and sizes were looked at; nothing is unpacked.

    Raises:
        InputError: there is none, or it holds what no bundle holds.
    """
    if path.is_dir():
        yield Bundle(path, dict(_files_of(path)), None)
        return
    if not path.is_file():
        raise InputError("no such bundle", path=path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield Bundle(path, _members_of(archive, path), archive)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"not a ZIP that can be read: {shortened(error)}", path=path) from None


def _members_of(archive: zipfile.ZipFile, path: Path) -> dict[str, int]:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise InputError(f"holds {len(entries)} files; {MOST_FILES} at most", path=path)
    for entry in entries:
        check_name(entry.filename, path)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG):
            raise InputError(f"{shortened(entry.filename)} is no plain file", path=path)
        # A stored member is as large as the archive says: nothing unfolds.
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise InputError(
                f"{shortened(entry.filename)} is compressed or encrypted, as no bundle's file is",
                path=path,
                fix="unpack it, and verify the folder",
            )
    sizes = {entry.filename: entry.file_size for entry in entries}
    if len(sizes) < len(entries):
        raise InputError("holds two files of one name", path=path)
    if sum(sizes.values()) > path.stat().st_size:
        raise InputError("its files overlap", path=path)
    return sizes


def _files_of(folder: Path) -> Iterable[tuple[str, int]]:
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            shown = path.relative_to(folder).as_posix()
            check_name(shown, folder)
            kind = path.lstat().st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                raise InputError(f"{shortened(shown)} is a link, or no plain file", path=folder)
            if stat.S_ISREG(kind):
                yield shown, path.stat().st_size


def check_name(name: str, path: Path) -> None:
    """See that a name leads to a place below the bundle's folder, on any system.

    Raises:
        InputError: it leads elsewhere, or cannot stand in a list of sums.
    """
    parts = PurePosixPath(name).parts
    plain = "/".join(parts) == name and not {"..", "."} & set(parts) and name.isprintable()
    if not (plain and parts) or name[0] in "/~" or set(name) & set('\\:*?"<>|'):
        raise InputError(f"the name {shortened(ascii(name))} is none of a bundle's file", path=path)
    if len(name) > LONGEST_NAME:
        raise InputError(f"a name of {len(name)} characters", path=path)
