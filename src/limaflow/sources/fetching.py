"""Fetch a raw file from a URL or a local mirror, verified before it gets its name."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from tqdm import tqdm

from limaflow.errors import InputError

PIECE_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60.0


def fetch(url: str, output: Path, sha256: str | None = None) -> str:
    """Write what `url` (http, https, file or a path) serves to `output`; return its SHA-256.

    Raises:
        InputError: the server or the file does not answer, the transfer ends too early, or the
            checksum is another one. Nothing is left under the final name then.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.{os.getpid()}.part")
    hasher = hashlib.sha256()
    try:
        with _opened(url) as (size, pieces), temporary.open("wb") as file:
            with tqdm(total=size, unit="B", unit_scale=True, desc=output.name) as progress:
                for piece in pieces:
                    file.write(piece)
                    hasher.update(piece)
                    progress.update(len(piece))
            file.flush()
            os.fsync(file.fileno())
        found = hasher.hexdigest()
        if sha256 is not None and found != sha256.lower():
            raise InputError(
                f"{url} has SHA-256 {found}, not {sha256}",
                fix="the file was altered or cut; correct the pin only if you trust the new one",
            )
        temporary.replace(output)
    except OSError as error:
        raise InputError(error.strerror or str(error), path=error.filename or output) from None
    finally:
        temporary.unlink(missing_ok=True)
    return found


@contextmanager
def _opened(url: str) -> Iterator[tuple[int | None, Iterator[bytes]]]:
    """Size in bytes, if known, and the pieces of what `url` names."""
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        try:
            with httpx.stream(
                "GET", url, follow_redirects=True, timeout=TIMEOUT_SECONDS
            ) as response:
                response.raise_for_status()
                length = response.headers.get("Content-Length")
                yield int(length) if length else None, response.iter_bytes(PIECE_BYTES)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InputError(f"cannot fetch {url}: {error}") from None
    elif scheme in ("", "file"):
        path = Path(unquote(urlsplit(url).path) if scheme else url)
        with path.open("rb") as file:
            yield path.stat().st_size, iter(lambda: file.read(PIECE_BYTES), b"")
    else:
        raise InputError(f"cannot fetch {url}: give http, https, file or a path")
