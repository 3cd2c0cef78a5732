"""Compressed dumps as streams: the one member of a .7z that is wanted, the lines of a .zst.

Archives are taken as hostile: no member name becomes a path, sizes are bounded before anything is
written, and a file that ends too early is an error and never a shorter text.
"""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limaflow.errors import NO_ROOM, InputError
from limaflow.foreign_json import MAX_LINE_BYTES

WINDOW_BYTES = 2**31
"""Pushshift's dumps are compressed with zstd's longest window, 2 GiB."""
# A zstd block of 4 bytes can stand for 128 KiB: small pieces bound a step's text, to 32 MiB.
PIECE_BYTES = 1024


@contextmanager
def member_of_7z(archive: Path, member: str, scratch: Path) -> Iterator[Path]:
    """The file `member` of a 7z archive, unpacked into a temporary folder under `scratch`.

    Raises:
        InputError: the archive is broken, encrypted, lacks the member, or does not fit the disk.
    """
    import py7zr

    with tempfile.TemporaryDirectory(dir=scratch, prefix=".unpacked-") as folder:
        try:
            with py7zr.SevenZipFile(archive) as opened:
                if opened.needs_password():
                    raise InputError("the archive is encrypted", path=archive)
                found = [entry for entry in opened.list() if entry.filename == member]
                if len(found) != 1 or found[0].is_directory:
                    raise InputError(f"holds no single file {member}", path=archive)
                size, free = found[0].uncompressed, shutil.disk_usage(folder).free
                if size > free:
                    raise InputError(
                        f"{member} takes {size} bytes unpacked, {free} are free in {scratch}",
                        path=archive,
                    )
                opened.extract(folder, targets=[member])
        except InputError:
            raise
        except Exception as error:  # the library trusts headers: damage surfaces as any exception
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise InputError(f"no room for {member}", path=scratch) from None
            what = f"{type(error).__name__} {error}".strip()
            raise InputError(
                f"not a sound 7z archive: {what}", path=archive, fix="fetch it again"
            ) from None
        unpacked = Path(folder) / member
        if unpacked.is_symlink() or not unpacked.is_file() or unpacked.stat().st_size != size:
            raise InputError(f"{member} is not a plain file of {size} bytes", path=archive)
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
