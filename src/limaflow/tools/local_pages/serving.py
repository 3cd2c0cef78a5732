"""A page on the loopback interface, for the one person who started it."""

import getpass
import secrets
import socket

import uvicorn
from starlette.types import ASGIApp

from limaflow.errors import InputError
from limaflow.tools.local_pages.admission import admitting, policy


def serve(
    application: ASGIApp, *, command: str, title: str, port: int, policy: str = policy()
) -> None:
    """Show `application` until interrupted, and print its address; port 0 takes a free one.

    Raises:
        InputError: the port is taken.
    """
    token = secrets.token_urlsafe(32)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be used: {error.strerror}", fix="leave --port out"
            ) from None
        listener.listen()
        _announce(title, listener.getsockname()[1], token)
        settings = uvicorn.Config(
            admitting(application, token, command=command, policy=policy),
            access_log=False,  # its lines would hold the token
            log_level="warning",
            proxy_headers=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(settings).run(sockets=[listener])


def _announce(title: str, port: int, token: str) -> None:
    """Say where the page can be opened, also from another machine."""
    print(title)
    print(f"  Open  http://127.0.0.1:{port}/?token={token}")
    print(
        "  From another machine, first:  "
        f"ssh -N -L {port}:127.0.0.1:{port} {getpass.getuser()}@{socket.gethostname()}"
    )
    print("  The address is a secret; only you can open it. Ctrl+C ends the session.", flush=True)
