"""The review page as an ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from limaflow.errors import InputError
from limaflow.records import Message
from limaflow.review.edits import Refused
from limaflow.review.session import Session

FOLDER = Path(__file__).parent
MAX_BODY_BYTES = 8 * 1024 * 1024
MESSAGES = TypeAdapter(tuple[Message, ...])
# Raw HTML is shown as text; there is nothing to click or to load.
MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["link", "image", "autolink", "reference"])
)
Handler = Callable[[Request], Awaitable[Response]]


def application(session: Session) -> ASGIApp:
    """The page, its files, and what it asks for."""

    @asynccontextmanager
    async def looking_closer(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_look_closer(session))
        yield
        task.cancel()

    def file(name: str, kind: str) -> Route:
        async def send(_: Request) -> Response:
            return FileResponse(FOLDER / name, media_type=kind)

        return Route("/" if name == "page.html" else f"/{name}", send)

    async def rows(request: Request) -> Response:
        session.refresh()
        return _changes(session, int(request.query_params.get("since", "0")))

    async def example(request: Request) -> Response:
        return JSONResponse(_rendered(session.detail(request.path_params["id"])))

    async def search(request: Request) -> Response:
        return JSONResponse(session.search(request.query_params.get("text", "")))

    async def decide(request: Request) -> Response:
        asked = await _body(request)
        messages = MESSAGES.validate_python(asked["messages"]) if asked.get("messages") else None
        session.decide(
            str(asked["id"]), str(asked["decision"]), str(asked.get("reason", "")), messages
        )
        return _changes(session, int(asked.get("since", 0)))

    async def undo(request: Request) -> Response:
        asked = await _body(request)
        return _changes(session, int(asked.get("since", 0)), undone=session.undo())

    routes = [
        file("page.html", "text/html"),
        file("page.css", "text/css"),
        file("page.js", "text/javascript"),
        file("example.js", "text/javascript"),
        file("list.js", "text/javascript"),
        file("text.js", "text/javascript"),
        Route("/api/rows", _answered(rows)),
        Route("/api/example/{id}", _answered(example)),
        Route("/api/search", _answered(search)),
        Route("/api/decide", _answered(decide), methods=["POST"]),
        Route("/api/undo", _answered(undo), methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=looking_closer)


async def _look_closer(session: Session) -> None:
    """Fill in the list's slower columns while nobody waits."""
    while True:
        for _ in session.look_closer():
            await asyncio.sleep(0)
        await asyncio.sleep(1)


def _answered(handler: Handler) -> Handler:
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


async def _body(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(f"more than {MAX_BODY_BYTES} bytes")
    asked = json.loads(body)
    if not isinstance(asked, dict):
        raise ValueError("not an object")
    return asked


def _changes(session: Session, since: int, **more: Any) -> Response:
    return JSONResponse(
        {
            "dataset": session.material.dataset,
            "reviewer": session.reviewer,
            "ledger": str(session.material.ledger),
            "version": session.version,
            "rows": [asdict(row) for row in session.rows(since)],
            "gone": session.gone(since),
            "empty": session.empty_places(),
            "reasons": session.reasons(),
            "warnings": session.warnings,
            **more,
        }
    )


def _rendered(detail: dict[str, Any]) -> dict[str, Any]:
    """The detail with its conversation as HTML too, of which the page takes tags it knows alone."""
    messages = [{**m, "html": MARKDOWN.render(m["content"])} for m in detail["messages"]]
    return {**detail, "messages": messages}
