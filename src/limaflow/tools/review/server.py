"""The review page as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from limaflow.records import Message
from limaflow.tools.local_pages.requests import answered, body
from limaflow.tools.review.latex_text import latex
from limaflow.tools.review.review_session import Session

FOLDER = Path(__file__).parent
MESSAGES = TypeAdapter(tuple[Message, ...])
# Raw HTML is shown as text; there is nothing to click or to load.
MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["link", "image", "autolink", "reference"])
    .use(latex)
)


def application(session: Session) -> ASGIApp:
    """The page, its files, and what it asks for."""

    @asynccontextmanager
    async def looking_closer(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work(session)) for work in (_read_originals, _look_closer)]
        yield
        for task in tasks:
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
        asked = await body(request)
        messages = MESSAGES.validate_python(asked["messages"]) if asked.get("messages") else None
        session.decide(
            str(asked["id"]), str(asked["decision"]), str(asked.get("reason", "")), messages
        )
        return _changes(session, int(asked.get("since", 0)))

    async def undo(request: Request) -> Response:
        asked = await body(request)
        return _changes(session, int(asked.get("since", 0)), undone=session.undo())

    routes = [
        file("page.html", "text/html"),
        file("page.css", "text/css"),
        file("page.js", "text/javascript"),
        file("example.js", "text/javascript"),
        file("list.js", "text/javascript"),
        file("text.js", "text/javascript"),
        Route("/api/rows", answered(rows)),
        Route("/api/example/{id}", answered(example)),
        Route("/api/search", answered(search)),
        Route("/api/decide", answered(decide), methods=["POST"]),
        Route("/api/undo", answered(undo), methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=looking_closer)


async def _look_closer(session: Session) -> None:
    """Fill in the list's slower columns while nobody waits."""
    while True:
        for _ in session.look_closer():
            await asyncio.sleep(0)
        await asyncio.sleep(1)


async def _read_originals(session: Session) -> None:
    """Find what the examples were made of while nobody waits."""
    for _ in session.originals.read():
        await asyncio.sleep(0)


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
    found = detail["found"]
    if found:
        found = {**found, "body_html": MARKDOWN.render(found["body"])}
    return {**detail, "messages": messages, "found": found}
