"""Requests of a page to its local server: reads bodies, reports errors as one sentence."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from limaflow.errors import InputError

MAX_BODY_BYTES = 8 * 1024 * 1024
Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """What cannot be done; the message is for the one at the page."""


def answered(handler: Handler) -> Handler:
    """`handler` with its errors as messages for the page."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refusal:
            return JSONResponse({"error": str(refusal)}, status_code=409)
        except (KeyError, ValueError, ValidationError):
            return JSONResponse({"error": "not a request of this page"}, status_code=400)
        except (InputError, OSError) as error:
            saved = "Not saved: " if request.method == "POST" else ""
            return JSONResponse({"error": f"{saved}{error}"}, status_code=503)

    return answer


async def body(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings.

    Raises:
        Refused: it is too large.
        ValueError: it is no JSON object.
    """
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY_BYTES:
            raise Refused(f"more than {MAX_BODY_BYTES} bytes")
    fields = json.loads(received)
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    return fields
