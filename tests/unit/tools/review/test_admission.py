"""Nobody but the reviewer gets in, on a machine that others use too."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from limaflow.tools.local_pages.admission import other_user

Start = Callable[..., Any]


def test_only_the_loopback_interface_is_served(start: Start) -> None:
    port = f":{start().port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [s[1] for s in sockets if s[3] == "0A" and s[1].endswith(port)]
    assert listening == [f"0100007F{port}"]
    for fields in map(str.split, Path("/proc/net/tcp6").read_text().splitlines()[1:]):
        assert not (fields[3] == "0A" and fields[1].endswith(port))


@pytest.mark.parametrize("path", ["/", "/page.js", "/api/rows", "/api/search?text=malt"])
def test_without_the_token_nothing_is_shown(start: Start, path: str) -> None:
    answer = httpx.get(start().origin + path)
    assert answer.status_code == 403
    assert "malt" not in answer.text


@pytest.mark.parametrize("token", ["", "x", "ü", "a" * 43])
def test_a_wrong_token_opens_nothing(start: Start, token: str) -> None:
    answer = httpx.get(start().origin, params={"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_token_is_traded_for_a_cookie_that_scripts_cannot_read(start: Start) -> None:
    server = start()
    answer = httpx.get(server.address)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert server.token not in cookie
    assert server.client().get("/api/rows").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": ""},
        {"Host": "["},
        {"Host": "127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_hosts_and_sites_are_turned_away(start: Start, headers: dict[str, str]) -> None:
    assert start().client().get("/api/rows", headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_only_the_page_itself_may_decide(start: Start, origin: str) -> None:
    client = start().client()
    assert client.post("/api/undo", json={}, headers={"Origin": origin}).status_code == 403
    assert client.post("/api/undo", json={}).status_code == 200


def test_through_a_tunnel_the_port_may_be_another(start: Start) -> None:
    headers = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    assert start().client().post("/api/undo", json={}, headers=headers).status_code == 200


def test_answers_forbid_scripts_frames_and_storing(start: Start) -> None:
    headers = start().client().get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_token_is_in_no_output_but_the_address(start: Start) -> None:
    server = start()
    server.client().get("/api/rows")
    httpx.get(server.address, headers={"Host": "evil.example"})
    server.client().post("/api/decide", content=b"{", headers={"Origin": server.origin})
    server.process.terminate()
    assert server.process.stdout
    later = server.process.stdout.read()
    assert server.token not in later
    assert "".join(server.output).count(server.token) == 1


def test_the_kernel_tells_whose_a_connection_is() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as own,
    ):
        assert not other_user(own.getsockname(), listener.getsockname())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_turned_away_even_with_the_token(start: Start) -> None:
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    command.append(start().address)

    def status(**as_whom: Any) -> str:
        done = subprocess.run(command, check=True, capture_output=True, text=True, **as_whom)
        return str(done.stdout)

    assert status() == "200"
    assert status(user=65534, group=65534, extra_groups=[]) == "403"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'{"id": "x", "decision": "keep"}', 409), (b"{}", 400)],
)
def test_what_the_page_would_not_ask_is_refused(start: Start, body: bytes, status: int) -> None:
    answer = start().client().post("/api/decide", content=body)
    assert answer.status_code == status
    assert "error" in answer.json()
