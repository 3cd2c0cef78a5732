"""Compressed dumps as streams: the members of a .7z that are wanted, the lines of a .zst.

Archives are taken as hostile: no member name becomes a path, sizes are bounded before anything is
written, and a file that ends too early is an error and never a shorter text.
"""

import io
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from limaflow.errors import NO_ROOM, InputError
from limaflow.foreign_json import MAX_LINE_BYTES

WINDOW_BYTES = 2**31
"""Pushshift's dumps are compressed with zstd's longest window, 2 GiB."""
# A zstd block of 4 bytes can stand for 128 KiB: small pieces bound a step's text, to 32 MiB.
PIECE_BYTES = 1024


@contextmanager
def members_of_7z(
    archive: Path, wanted: Collection[str], scratch: Path
) -> Iterator[dict[str, Path]]:
    """The files of `wanted` that a 7z archive holds, unpacked into a temporary folder in `scratch`.

    Raises:
        InputError: the archive is broken, encrypted, holds none of them, or does not fit the disk.
    """
    import py7zr

    with tempfile.TemporaryDirectory(dir=scratch, prefix=".unpacked-") as folder:
        try:
            with py7zr.SevenZipFile(archive) as opened:
                if opened.needs_password():
                    raise InputError("the archive is encrypted", path=archive)
                found = [entry for entry in opened.list() if entry.filename in wanted]
                sizes = {entry.filename: entry.uncompressed for entry in found}
                if not sizes or len(sizes) < len(found) or any(e.is_directory for e in found):
                    names = " or ".join(wanted)
                    raise InputError(f"holds no single file {names}", path=archive)
                size, free = sum(sizes.values()), shutil.disk_usage(folder).free
                if size > free:
                    raise InputError(
                        f"{', '.join(sizes)}: {size} bytes unpacked, {free} are free in {scratch}",
                        path=archive,
                    )
                opened.extract(folder, targets=list(sizes))
        except InputError:
            raise
        except Exception as error:  # the library trusts headers: damage surfaces as any exception
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise InputError("no room to unpack the archive", path=scratch) from None
            what = f"{type(error).__name__} {error}".strip()
            raise InputError(
                f"not a sound 7z archive: {what}", path=archive, fix="fetch it again"
            ) from None
        unpacked = {name: Path(folder) / name for name in sizes}
        for name, file in unpacked.items():
            if file.is_symlink() or not file.is_file() or file.stat().st_size != sizes[name]:
                raise InputError(f"{name} is not a plain file of {sizes[name]} bytes", path=archive)
        yield unpacked


def lines_of_zst(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line of a zstd-compressed text, of one frame or several.

    Long stretches of empty lines are counted and left out.

    Raises:
        InputError: the file is not zstd, ends inside a frame, or holds an endless line.
    """
    number, line = 1, bytearray()
    for piece in _unpacked(path):
        if not line and piece.isspace():
            number += piece.count(b"\n")
            continue
        # Not `split`: a list of the lines of a piece takes 40 times the room of empty ones.
        for part in io.BytesIO(piece):
            line += part
            if len(line) >= MAX_LINE_BYTES:
                raise InputError(f"line of over {MAX_LINE_BYTES} bytes", path=path, line=number)
            if part.endswith(b"\n"):
                yield number, bytes(line[:-1])
                number += 1
                line.clear()
    if line:
        yield number, bytes(line)


def _unpacked(path: Path) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
    frame, inside = decompressor.decompressobj(), True
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            while piece:
                try:
                    yield frame.decompress(piece)
                except zstandard.ZstdError as error:
                    raise InputError(f"not sound zstd: {error}", path=path) from None
                inside, piece = not frame.eof, frame.unused_data
                if frame.eof:
                    frame = decompressor.decompressobj()
    if inside:
        raise InputError("the zstd file ends too early", path=path, fix="fetch it again")
