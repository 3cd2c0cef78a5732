"""Fetching: what is cut off goes on, and nothing gets its final name before it is verified."""

import hashlib
import http.server
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import py7zr
import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.records import Candidate
from limaflow.sources import fetching
from limaflow.sources.fetching import fetch
from limaflow.sources.settings import RawFile, raw_path

CONTENT = bytes(range(256)) * 4000
OTHER = CONTENT[::-1]
SUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Host:
    """A real server whose manners a test chooses."""

    content: bytes = CONTENT
    etag: str | None = '"one"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off."""
    statuses: list[int] = field(default_factory=list)
    """Statuses of the next answers."""
    retry_after: int = 0
    token: str | None = None
    trickle: bool = False
    after: Callable[["Host"], None] = lambda host: None
    """Called after each answer."""
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        host = self.host
        host.asked.append({"path": self.path, **self.headers})
        if self.path.startswith("/moved-to/"):
            self.send_response(302)
            self.send_header("Location", f"http://{self.path.removeprefix('/moved-to/')}")
            self.end_headers()
            return
        status = host.statuses.pop(0) if host.statuses else 200
        if host.token and self.headers.get("Authorization") != f"Bearer {host.token}":
            status = 401
        if status != 200:
            self.send_response(status)
            self.send_header("Retry-After", str(host.retry_after))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_file(host)
        host.after(host)

    def send_file(self, host: Host) -> None:
        start, wanted = 0, self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, host.etag)
        if host.ranges and wanted and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(host.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(host.content)}")
                self.end_headers()
                return
            self.send_response(206)
            end = len(host.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(host.content)}")
        else:
            self.send_response(200)
        rest = host.content[start:]
        self.send_header("Content-Length", str(len(rest)))
        if host.etag:
            self.send_header("ETag", host.etag)
        self.end_headers()
        rest = rest[: host.cuts.pop(0)] if host.cuts else rest
        for at in range(0, len(rest), 65536):
            self.wfile.write(rest[at : at + 65536])
            time.sleep(0.5 if host.trickle else 0)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Host], Host]]:
    servers = []

    def start(host: Host) -> Host:
        handler = type("Bound", (Handler,), {"host": host})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        host.address = f"http://127.0.0.1:{server.server_port}/dump.7z"
        return host

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


Serve = Callable[[Host], Host]


def quick(url: str, output: Path, sha256: str | None = SUM, **options: object) -> str:
    return fetch(url, output, sha256, backoff_seconds=0.001, **options)


def test_a_url_a_file_url_and_a_path_serve_alike(serve: Serve, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror file"
    mirror.write_bytes(CONTENT)
    for number, url in enumerate([serve(Host()).address, mirror.as_uri(), str(mirror)]):
        output = tmp_path / "out" / f"{number}.7z"
        assert quick(url, output) == SUM
        assert output.read_bytes() == CONTENT
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_connection_that_breaks_goes_on_where_it_broke(serve: Serve, tmp_path: Path) -> None:
    host = serve(Host(cuts=[200_000, 0, 300_000]))
    assert quick(host.address, tmp_path / "dump") == SUM
    assert [asked.get("Range") for asked in host.asked] == [
        None,
        "bytes=200000-",
        "bytes=200000-",
        "bytes=500000-",
    ]
    assert {asked.get("If-Range") for asked in host.asked[1:]} == {'"one"'}
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_breaking_off_any_number_of_times_is_no_failure_while_bytes_come(
    serve: Serve, tmp_path: Path
) -> None:
    host = serve(Host(cuts=[100_000] * 9))
    assert quick(host.address, tmp_path / "dump") == SUM


def test_without_ranges_the_file_comes_from_its_start(serve: Serve, tmp_path: Path) -> None:
    host = serve(Host(ranges=False, cuts=[200_000]))
    assert quick(host.address, tmp_path / "dump") == SUM


def changed(host: Host) -> None:
    host.content, host.etag = OTHER, '"two"' if host.etag else None


@pytest.mark.parametrize("etag", ['"one"', None])
def test_a_file_that_changes_meanwhile_is_never_glued_together(
    serve: Serve, tmp_path: Path, etag: str | None
) -> None:
    host = serve(Host(etag=etag, cuts=[200_000], after=changed))
    quick(host.address, tmp_path / "dump", None)
    assert (tmp_path / "dump").read_bytes() == OTHER


def test_without_a_version_a_pinned_file_goes_on_and_its_checksum_decides(
    serve: Serve, tmp_path: Path
) -> None:
    host = serve(Host(etag=None, cuts=[200_000]))
    assert quick(host.address, tmp_path / "a") == SUM
    assert host.asked[1]["Range"] == "bytes=200000-"
    host = serve(Host(etag=None, cuts=[200_000], after=changed))
    with pytest.raises(InputError, match=f"has SHA-256 [0-9a-f]{{64}}, not {SUM}"):
        quick(host.address, tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_server_that_is_busy_is_asked_again_after_the_time_it_names(
    serve: Serve, tmp_path: Path
) -> None:
    host = serve(Host(statuses=[503, 429], retry_after=1))
    start = time.monotonic()
    assert quick(host.address, tmp_path / "dump") == SUM
    assert time.monotonic() - start >= 2


@pytest.mark.parametrize(
    ("manners", "message", "requests"),
    [
        ({"statuses": [404]}, "404 Not Found", 1),
        ({"statuses": [503] * 9}, "503 Service Unavailable", fetching.ATTEMPTS),
        ({"cuts": [0] * 9}, "cannot fetch", fetching.ATTEMPTS),
        ({"content": OTHER}, f"has SHA-256 [0-9a-f]{{64}}, not {SUM}", 1),
    ],
)
def test_a_missing_cut_or_altered_file_leaves_nothing(
    serve: Serve, tmp_path: Path, manners: dict[str, object], message: str, requests: int
) -> None:
    host = serve(Host(**manners))
    with pytest.raises(InputError, match=message):
        quick(host.address, tmp_path / "dump.7z")
    assert list(tmp_path.iterdir()) == []
    assert len(host.asked) == requests


def test_mirrors_are_tried_in_turn_and_all_failures_told(serve: Serve, tmp_path: Path) -> None:
    gone, altered, good = serve(Host(statuses=[404])), serve(Host(content=OTHER)), serve(Host())
    mirrors = [altered.address, good.address]
    assert quick(gone.address, tmp_path / "dump", mirrors=mirrors) == SUM
    with pytest.raises(InputError, match=r"404.*; .*has SHA-256.*; .*no such file"):
        gone.statuses = [404]
        quick(gone.address, tmp_path / "b", mirrors=[altered.address, str(tmp_path / "nowhere")])


def test_an_unknown_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give http, https, file or a path"):
        fetch("ftp://host/dump", tmp_path / "dump")


COMMAND = (sys.executable, "-c", "from limaflow.cli import main; main()", "source", "fetch")


def test_a_killed_download_goes_on_and_a_second_one_beside_it_is_refused(
    serve: Serve, tmp_path: Path
) -> None:
    host, output = serve(Host(trickle=True)), tmp_path / "dump"
    command = [*COMMAND, "--url", host.address, "--output", str(output), "--sha256", SUM]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    part = tmp_path / ".dump.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    beside = subprocess.run(command, capture_output=True, text=True, check=False)
    assert beside.returncode == 1
    assert "another process is fetching this file" in beside.stderr
    running.send_signal(signal.SIGKILL)
    running.wait()
    held = part.stat().st_size
    assert not output.exists()
    assert 200_000 < held < len(CONTENT)
    host.trickle = False
    subprocess.run(command, check=True, capture_output=True)
    assert output.read_bytes() == CONTENT
    assert host.asked[-1]["Range"] == f"bytes={held}-"


def test_a_gated_file_takes_its_token_from_the_environment_and_never_shows_it(
    serve: Serve, tmp_path: Path
) -> None:
    host = serve(Host(token="hf_secret"))
    command = [*COMMAND, "--url", host.address, "--output", str(tmp_path / "x")]
    gated = [*command, "--token-env", "HF_TOKEN"]

    def run(words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "HF_TOKEN"} | variables
        return subprocess.run(words, capture_output=True, text=True, env=environment, check=False)

    for words, variables, message in [
        (command, {}, "gated; see token_env"),
        (gated, {}, "HF_TOKEN is not set in the environment (accept the conditions"),
        (gated, {"HF_TOKEN": "hf_wrong"}, "the token gives no access"),
    ]:
        refused = run(words, **variables)
        assert refused.returncode == 1
        assert message in refused.stderr
        assert "hf_" not in refused.stderr
    done = run(gated, HF_TOKEN="hf_secret")
    assert done.returncode == 0
    assert "hf_secret" not in done.stdout + done.stderr
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_the_authors_rows_come_through_the_gate_into_candidates(
    serve: Serve, tmp_path: Path
) -> None:
    rows = [
        {"conversations": ["Why?", "Because."], "source": "stackexchange"},
        {"conversations": ["Hi", "Hello", "Bye", "Farewell"], "source": "multi_turn"},
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    host = serve(Host(content=content, token="hf_secret"))
    raw, output = tmp_path / "train.jsonl", tmp_path / "candidates.jsonl"
    words = ["--url", host.address, "--output", str(raw), "--token-env", "HF_TOKEN"]
    subprocess.run(
        [*COMMAND, *words],
        env=os.environ | {"HF_TOKEN": "hf_secret"},
        check=True,
        capture_output=True,
    )
    extract = [*COMMAND[:-1], "extract", "--kind", "released", "--source", "released"]
    words = ["--shard", "single-turn", "--output", str(output), str(raw)]
    done = subprocess.run([*extract, *words], check=True, capture_output=True, text=True)
    assert done.stdout == "released/single-turn: 1 candidates; 1 row of the shape dialogues\n"
    [candidate] = read_records(output, Candidate)
    assert (candidate.title, candidate.response, candidate.stratum) == (
        "Why?",
        "Because.",
        "stackexchange",
    )


def test_a_sites_archive_comes_over_http_is_pinned_and_read(
    serve: Serve, shared_data: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "made.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(shared_data / "stackexchange/beer/Posts.xml", "Posts.xml")
    host = serve(Host(content=archive.read_bytes()))
    raw, output = tmp_path / "beer.stackexchange.com.7z", tmp_path / "candidates.jsonl"
    words = ["--url", host.address, "--output", str(raw)]
    first, again = (
        subprocess.run([*COMMAND, *words], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    )
    pin = hashlib.sha256(host.content).hexdigest()
    assert f"write sha256: {pin} beside its url" in first
    assert again == f"{pin}  {raw}\n"
    extract = [*COMMAND[:-1], "extract", "--kind", "stackexchange", "--source", "beer"]
    words = ["--shard", "beer", "--output", str(output), str(raw)]
    subprocess.run([*extract, *words], check=True, capture_output=True)
    assert len(list(read_records(output, Candidate))) > 500


def test_the_token_goes_to_no_mirror_and_follows_no_redirect(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    gone, mirror = serve(Host(statuses=[404])), serve(Host())
    quick(gone.address, tmp_path / "a", mirrors=[mirror.address], token_env="HF_TOKEN")
    assert gone.asked[0]["Authorization"] == "Bearer hf_secret"
    assert "Authorization" not in mirror.asked[0]
    elsewhere = mirror.address.removeprefix("http://").replace("127.0.0.1", "localhost")
    moved = gone.address.replace("/dump.7z", f"/moved-to/{elsewhere}")
    quick(moved, tmp_path / "b", token_env="HF_TOKEN")
    assert "Authorization" not in mirror.asked[-1]


def test_a_full_disk_is_one_line_and_the_download_goes_on_later(
    serve: Serve, tmp_path: Path
) -> None:
    host, output = serve(Host()), tmp_path / "dump"
    command = [*COMMAND, "--url", host.address, "--output", str(output), "--sha256", SUM]
    small = ["bash", "-c", 'ulimit -f 256; exec "$@"', "bash", *command]
    full = subprocess.run(small, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "File too large (make room" in full.stderr.splitlines()[-1]
    assert "Traceback" not in full.stderr
    assert not output.exists()
    subprocess.run(command, check=True, capture_output=True)
    assert host.asked[-1]["Range"] == f"bytes={256 * 1024}-"


def test_what_nobody_has_pinned_is_pinned_by_its_first_fetch(serve: Serve, tmp_path: Path) -> None:
    host, output = serve(Host()), tmp_path / "site.7z"
    fetch(host.address, output)
    pin = tmp_path / "site.7z.sha256"
    assert pin.read_text() == f"{SUM}  site.7z\n"
    output.unlink()
    assert fetch(host.address, output) == SUM
    output.unlink()
    host.content = OTHER
    with pytest.raises(InputError, match=f"at the first fetch it had {SUM}.*remove .*sha256"):
        fetch(host.address, output)
    assert not output.exists()
    pin.unlink()
    assert fetch(host.address, output) == hashlib.sha256(OTHER).hexdigest()


def test_a_pin_of_the_configuration_goes_before_that_of_a_first_fetch(
    serve: Serve, tmp_path: Path
) -> None:
    host, output = serve(Host()), tmp_path / "site.7z"
    fetch(host.address, output)
    host.content = OTHER
    pinned = hashlib.sha256(OTHER).hexdigest()
    assert fetch(host.address, output, pinned) == pinned
    assert (tmp_path / "site.7z.sha256").read_text().startswith(SUM)
    with pytest.raises(InputError, match="at the first fetch"):
        fetch(host.address, output)
    (tmp_path / "site.7z.sha256").write_text("damaged")
    with pytest.raises(InputError, match=r"site\.7z\.sha256:1: no SHA-256 of a first fetch"):
        fetch(host.address, output)


def test_two_urls_of_one_file_name_have_a_place_each() -> None:
    one, other = (
        raw_path(RawFile(url=f"https://example.org/{folder}/data.jsonl"), "mine", ".")
        for folder in ("a", "b")
    )
    assert one != other
    assert one.startswith("resources/mine/") and one.endswith("/data.jsonl")


@pytest.mark.parametrize("name", ["a%20(1).jsonl?x=1", "$(touch%20x).zst", "-rf", ""])
def test_a_url_gives_a_name_that_a_shell_takes_as_it_is(name: str) -> None:
    path = raw_path(RawFile(url=f"https://example.org/{name}"), "mine", ".")
    assert shlex.quote(path) == path
