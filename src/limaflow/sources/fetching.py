"""Fetch a raw file from a URL, its mirrors or a local path, verified before it gets its name.

A download goes into `.<name>.part` beside its place; `.<name>.part.json` says which version of
which address that holds. Cut off or killed, it goes on from there, by an HTTP range that the server
grants for the same version alone (RFC 9110, If-Range): pieces of two versions are never joined.

A file whose checksum nobody has published is pinned by its first fetch: `<name>.sha256` beside it
(as `sha256sum` writes) is what every later fetch must bring.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import tenacity
from tqdm import tqdm

from limaflow.errors import NO_ROOM, InputError
from limaflow.jsonl import read_json, replacing, write_json

PIECE_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60.0
ATTEMPTS = 5
"""Tries of one address in a row that bring not a byte, before the next mirror has its turn."""
LONGEST_WAIT_SECONDS = 60.0
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another try may change."""


@dataclass(frozen=True)
class Version:
    """What a partial file holds: the address, and the server's mark of the file's version."""

    url: str = ""
    mark: str = ""


class Refused(Exception):
    """This address will not give the file; a mirror may."""


class Interrupted(Exception):
    """The transfer broke off; another try may go on. `wait` is what the server asked for."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def fetch(
    url: str,
    output: Path,
    sha256: str | None = None,
    *,
    mirrors: Sequence[str] = (),
    token_env: str | None = None,
    backoff_seconds: float = 1.0,
) -> str:
    """Write what `url`, or else a mirror (http, https, file or a path), serves; return its SHA-256.

    Without `sha256` the checksum of the first fetch holds, which is kept beside `output`.

    The token in the environment variable `token_env` goes to `url` alone.

    Raises:
        InputError: no address gives the file, or gives it with another checksum; the disk is full;
            another process is fetching it. Nothing is left under the final name then.
    """
    part = output.with_name(f".{output.name}.part")
    kept = pinned_by(pin_of(output)) if sha256 is None else None
    reasons = []
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part, output):
            for address in (url, *mirrors):
                token = _token(url, token_env) if address == url else None
                try:
                    is_pinned = sha256 is not None or kept is not None
                    _transfer(address, part, is_pinned, token, backoff_seconds)
                    found = _verified(part, address, sha256, kept, pin_of(output))
                except (Refused, Interrupted) as error:
                    reasons.append(str(error))
                    continue
                if sha256 is None and kept is None:
                    with replacing(pin_of(output)) as pin:
                        pin.write(f"{found}  {output.name}\n")
                part.replace(output)
                _state(part).unlink(missing_ok=True)
                return found
    except OSError as error:
        full = error.errno in NO_ROOM
        raise InputError(
            error.strerror or str(error),
            path=error.filename or output,
            fix="make room; what has come is kept, and the next run goes on" if full else "",
        ) from None
    raise InputError(
        "; ".join(reasons), fix="" if mirrors else "a mirror or a local path serves as well"
    )


def pin_of(output: Path) -> Path:
    """The file that keeps the checksum of the first fetch of `output`."""
    return output.with_name(f"{output.name}.sha256")


def pinned_by(pin: Path) -> str | None:
    """The checksum in such a file; None where there is none.

    Raises:
        InputError: the file holds something else.
    """
    if not pin.is_file():
        return None
    found = re.match(r"([0-9a-f]{64})\b", pin.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise InputError(
            "no SHA-256 of a first fetch", path=pin, line=1, fix="remove it to pin anew"
        )
    return found[1]


def _state(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


@contextlib.contextmanager
def _alone(part: Path, output: Path) -> Iterator[None]:
    """Hold the lock of a partial file, so that no other process writes to it."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("another process is fetching this file", path=output) from None
        try:
            yield
        finally:
            if part.exists() and not part.stat().st_size:
                part.unlink()
                _state(part).unlink(missing_ok=True)


def _token(url: str, token_env: str | None) -> str | None:
    if token_env is None:
        return None
    token = os.environ.get(token_env, "").strip()
    if not token:
        raise InputError(
            f"{url} is gated and {token_env} is not set in the environment",
            fix=f"accept the conditions on its page, make a token, and export {token_env}; or give "
            "the path of a copy that you have",
        )
    return token


def _verified(part: Path, address: str, sha256: str | None, kept: str | None, pin: Path) -> str:
    """SHA-256 of the partial file, which goes if it is another one than `sha256`, or than that of
    the first fetch, `kept` in `pin`."""
    with part.open("r+b") as file:
        os.fsync(file.fileno())
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is not None and found != sha256.lower():
        _start_over(part)
        raise Refused(
            f"{address} has SHA-256 {found}, not {sha256}: it was altered or cut; correct the pin "
            "only if you trust the new file"
        )
    if kept is not None and found != kept:
        _start_over(part)
        raise Refused(
            f"{address} has SHA-256 {found}, and at the first fetch it had {kept}: it is another "
            f"file now; remove {pin} only if you want the new one"
        )
    return found


def _start_over(part: Path) -> None:
    os.truncate(part, 0)
    _state(part).unlink(missing_ok=True)


def _transfer(address: str, part: Path, pinned: bool, token: str | None, backoff: float) -> None:
    """Bring the partial file to its full length.

    Raises:
        Refused: the address has no such file, or gives it to others only.
        Interrupted: it breaks off again and again, `ATTEMPTS` times without a byte.
    """
    scheme = urlsplit(address).scheme
    if scheme in ("", "file"):
        _start_over(part)
        return _copy(Path(unquote(urlsplit(address).path) if scheme else address), part)
    if scheme not in ("http", "https"):
        raise Refused(f"cannot fetch {address}: give http, https, file or a path")
    held, fruitless = part.stat().st_size, 0

    def give_up(_: tenacity.RetryCallState) -> bool:
        nonlocal held, fruitless
        before, held = held, part.stat().st_size
        fruitless = fruitless + 1 if held <= before else 0
        return fruitless >= ATTEMPTS

    pause = tenacity.wait_random_exponential(multiplier=backoff, max=LONGEST_WAIT_SECONDS)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, Interrupted) else 0.0
        return max(pause(state), min(asked, LONGEST_WAIT_SECONDS))

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Interrupted), stop=give_up, wait=wait, reraise=True
    )
    return retrying(_download, address, part, pinned, token)


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise Refused(f"{source}: no such file")
    with source.open("rb") as read, part.open("wb") as file:
        shutil.copyfileobj(read, file, PIECE_BYTES)


def _download(address: str, part: Path, pinned: bool, token: str | None) -> None:
    """One request that goes on where the partial file ends, if that is safe, or starts over."""
    version = read_json(_state(part), Version) if _state(part).is_file() else Version()
    mark = version.mark if version.url == address else ""
    # Without a mark two versions might be joined: then only a checksum can tell.
    start = part.stat().st_size if mark or pinned else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-"} | ({"If-Range": mark} if mark else {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with httpx.stream(
            "GET", address, headers=headers, follow_redirects=True, timeout=TIMEOUT_SECONDS
        ) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start:
                if response.headers.get("Content-Range", "") == f"bytes */{start}":
                    return
                _start_over(part)
                raise Interrupted(f"{address} is shorter than what came of it before")
            _accept(response, address, token)
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                start = 0
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                _start_over(part)
                raise Interrupted(f"{address} answers with another range than asked for")
            write_json(_state(part), Version(address, _mark(response)))
            _write(response, part, start)
    except httpx.InvalidURL as error:
        raise Refused(f"cannot fetch {address}: {error}") from None
    except httpx.HTTPError as error:
        raise Interrupted(f"cannot fetch {address}: {error or type(error).__name__}") from None


def _accept(response: httpx.Response, address: str, token: str | None) -> None:
    status = f"{response.status_code} {response.reason_phrase}".strip()
    if response.status_code in PASSING:
        wait = response.headers.get("Retry-After", "")
        raise Interrupted(f"cannot fetch {address}: {status}", float(wait) if wait.isdigit() else 0)
    if response.status_code in (401, 403):
        why = "the token gives no access to it" if token else "it is gated; see token_env"
        raise Refused(f"cannot fetch {address}: {status}: {why}")
    if not response.is_success:
        raise Refused(f"cannot fetch {address}: {status}")


def _mark(response: httpx.Response) -> str:
    """What If-Range may name: a strong ETag, else a date of change a minute before the answer."""
    etag = str(response.headers.get("ETag", ""))
    if etag.startswith('"'):
        return etag
    changed = str(response.headers.get("Last-Modified", ""))
    try:
        dates = [parsedate_to_datetime(text) for text in (changed, response.headers["Date"])]
        settled = (dates[1] - dates[0]).total_seconds() >= 60
    except (KeyError, TypeError, ValueError):
        return ""
    return changed if settled else ""


def _write(response: httpx.Response, part: Path, start: int) -> None:
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    name = part.stem.removeprefix(".")
    with part.open("r+b") as file:
        file.truncate(start)
        file.seek(start)
        with tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name) as progress:
            for piece in response.iter_raw():
                file.write(piece)
                progress.update(len(piece))
