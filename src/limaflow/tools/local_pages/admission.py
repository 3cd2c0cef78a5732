"""Who may talk to a local page on a machine that others use too.

A request must come from the processes of the user who started the page (where the kernel tells
whose a loopback connection is), name this machine as its host (against DNS rebinding), carry the
cookie that the secret address is traded for, and, if it changes anything, come from the page.
"""

import hmac
import os
import re
import secrets
import sys
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?")
"""Any port, as a tunnel may end in another."""
ESTABLISHED = "01"
CONNECTIONS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def policy(scripts: str = "'self'", styles: str = "'self'") -> str:
    """A content policy for hostile data: no script, style or picture but the page's own."""
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def admitting(application: ASGIApp, token: str, *, command: str, policy: str) -> ASGIApp:
    """`application` behind a guard; `/?token=…`, which `command` printed, admits a browser."""
    session = secrets.token_urlsafe(32)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return

        cookie = f"{command.replace(' ', '-')}-{scope['server'][1]}"
        headers = Headers(scope=scope)
        opens = _equal(_offered(scope), token)
        if reason := _refusal(scope, headers):
            answer: ASGIApp = PlainTextResponse(reason, status_code=403)
        elif opens or _equal(HTTPConnection(scope).cookies.get(cookie, ""), session):
            answer = application
        else:
            answer = PlainTextResponse(
                f"Open the address that `{command}` printed.", status_code=403
            )

        async def with_headers(message: ASGIMessage) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                sent.update(HEADERS | {"content-security-policy": policy})
                if answer is application and opens:
                    sent["set-cookie"] = f"{cookie}={session}; Path=/; HttpOnly; SameSite=Strict"
            await send(message)

        await answer(scope, receive, with_headers)

    return guard


def _refusal(scope: Scope, headers: Headers) -> str:
    """Why a request is turned away whatever its cookie; "" if it is admitted."""
    if other_user(scope.get("client"), scope.get("server")):
        return "This page belongs to another user of this machine."
    host = headers.get("host", "")
    if not HOST.fullmatch(host):
        return "Wrong host."
    # An address typed or clicked is no fetch; what a fetch asks for must come from this page.
    fetched_elsewhere = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if fetched_elsewhere and scope["path"] != "/":
        return "Wrong site."
    if scope["method"] not in ("GET", "HEAD") and headers.get("origin") != f"http://{host}":
        return "Wrong origin."
    return ""


def other_user(client: tuple[str, int] | None, server: tuple[str, int] | None) -> bool:
    """Whether the kernel says that a loopback connection was opened by another user, root aside."""
    if client is None or server is None:
        return False
    near, far = _hexadecimal(client), _hexadecimal(server)
    for table in CONNECTIONS:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[1].endswith(near) and fields[2].endswith(far) and fields[3] == ESTABLISHED:
                return int(fields[7]) not in (0, os.getuid())
    return False


def _hexadecimal(address: tuple[str, int]) -> str:
    """An IPv4 address and port as /proc/net/tcp has them, as tcp6 ends its mapped ones."""
    parts = bytes(map(int, address[0].split(".")))
    return f"{int.from_bytes(parts, sys.byteorder):08X}:{address[1]:04X}"


def _offered(scope: Scope) -> str:
    values = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
    return values[0] if scope["path"] == "/" else ""


def _equal(offered: str, secret: str) -> bool:
    return hmac.compare_digest(offered.encode(), secret.encode())
