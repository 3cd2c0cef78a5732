"""A command run beside a server of its own: the server starts with it and ends with it.

The command finds the server through the variables that the OpenAI client reads. Should this process
be killed, the kernel ends the command too, and this process when its own parent is killed
(PR_SET_PDEATHSIG, Linux), so that no server is left behind.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from limaflow.child_processes import end_with
from limaflow.errors import InputError

if TYPE_CHECKING:
    from starlette.applications import Starlette

_BACKLOG = 512


def run_beside(
    command: list[str], identity: str, application_for: Callable[[str], "Starlette"]
) -> int:
    """Serve `application_for(token)` on a free port of the loopback while `command` runs.

    Returns the command's exit code, 128 + signal if a signal ended it.

    Raises:
        InputError: the command cannot be started.
    """
    end_with(os.getppid())
    token = secrets.token_urlsafe(24)
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
        "OPENAI_API_KEY": token,
        "LIMAFLOW_JUDGE_IDENTITY": identity,
    }
    with listener:
        return asyncio.run(_serve(command, environment, application_for(token), listener))


async def _serve(
    command: list[str],
    environment: dict[str, str],
    application: "Starlette",
    listener: socket.socket,
) -> int:
    import uvicorn

    settings = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(settings)
    this = os.getpid()
    try:
        # Calls that come before the server runs wait in the socket's backlog.
        running = await asyncio.create_subprocess_exec(
            *command, env=environment, preexec_fn=lambda: end_with(this)
        )
    except OSError as error:
        raise InputError(f"cannot run {command[0]}: {error.strerror}") from None
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    ended = asyncio.create_task(running.wait())
    await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        running.terminate()
    code = await ended
    server.should_exit = True
    await serving
    return code if code >= 0 else 128 - code
