"""Fetching: nothing gets its final name before it is verified."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.sources.fetching import fetch

CONTENT = b"raw dump\n" * 5000
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:100] if self.path == "/cut" else CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_a_file_url_and_a_path_serve_alike(address: str, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror file"
    mirror.write_bytes(CONTENT)
    for number, url in enumerate([f"{address}/dump", mirror.as_uri(), str(mirror)]):
        output = tmp_path / "out" / f"{number}.7z"
        assert fetch(url, output, SUM) == SUM
        assert output.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "pin", "message"),
    [
        ("/dump", "0" * 64, "has SHA-256"),
        ("/cut", SUM, "cannot fetch"),
        ("/missing", SUM, "404"),
    ],
)
def test_an_altered_cut_or_missing_file_leaves_nothing(
    address: str, tmp_path: Path, path: str, pin: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        fetch(address + path, tmp_path / "dump.7z", pin)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_mirror_and_an_unknown_scheme_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        fetch(str(tmp_path / "nowhere"), tmp_path / "dump")
    with pytest.raises(InputError, match="give http, https, file or a path"):
        fetch("ftp://host/dump", tmp_path / "dump")
