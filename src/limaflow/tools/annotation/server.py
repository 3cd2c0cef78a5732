"""The page of a packet from a local server, which adds every answer to a file at once.

All that was answered lies in the file and nowhere else, and is read from there for each request, so
a server that ends in any way loses nothing.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from limaflow import journal
from limaflow.errors import InputError
from limaflow.tools.annotation.answers import Answer, Entry, standing, turns_problem
from limaflow.tools.annotation.packet import Packet, turns_of, words_of
from limaflow.tools.annotation.page import page_of
from limaflow.tools.local_pages.requests import Refused, answered, body

ANSWER = TypeAdapter(Answer)


class Desk:
    """One packet, and the file of the answers to it."""

    def __init__(self, packet: Packet, file: Path) -> None:
        """Reads the file, if there is one, and mends its end if that was cut short.

        Raises:
            InputError: the file cannot be written, or holds no answers to this packet.
        """
        self.packet = packet
        self._file = file
        self.mended = journal.prepare(file, Entry)
        if any(entry.packet != packet.hash for entry in self._entries()):
            raise InputError(
                "holds answers to another packet", path=file, fix="give --answers another file"
            )

    def standing(self) -> list[Answer]:
        """The choices that stand, in the order in which they were made."""
        return standing(self._entries())

    def choose(self, answer: Answer) -> None:
        """Add a choice; its time is the server's.

        Raises:
            Refused: there is no such item or choice, or other texts were shown.
            OSError: the file could not be written.
        """
        item, choice = answer.item, answer.choice
        if not 1 <= item <= len(self.packet.items) or choice not in words_of(self.packet):
            raise Refused(f"no item {item} or no choice '{choice}'")
        if answer.hash != self.packet.items[item - 1].hash:
            raise Refused(f"item {item} was shown with other texts; load the page again")
        grades = [word for word, _ in self.packet.turn_choices]
        turns = turns_of(self.packet.items[item - 1]) if grades else []
        if problem := turns_problem(answer, turns, grades):
            raise Refused(f"item {item}: {problem}")
        self._add(answer)

    def undo(self) -> None:
        """Take back the last choice, if any stands.

        Raises:
            OSError: the file could not be written.
        """
        made = self.standing()
        if made:
            self._add(Answer(item=made[-1].item, hash=made[-1].hash, choice="undo"))

    def _entries(self) -> list[Entry]:
        return journal.read(self._file, Entry)[0] if self._file.exists() else []

    def _add(self, answer: Answer) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(
            annotator=self.packet.annotator,
            packet=self.packet.hash,
            **{**asdict(answer), "time": now},
        )
        journal.append(self._file, asdict(entry), Entry)


def application(desk: Desk) -> Starlette:
    """The page, and what it asks for."""
    html = page_of(desk.packet, served=True)

    async def page(_: Request) -> Response:
        return HTMLResponse(html)

    async def answers(_: Request) -> Response:
        return _standing(desk)

    async def answer(request: Request) -> Response:
        asked = await body(request)
        desk.choose(ANSWER.validate_python(asked))
        return _standing(desk)

    async def undo(_: Request) -> Response:
        desk.undo()
        return _standing(desk)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/answers", answered(answers)),
            Route("/api/answer", answered(answer), methods=["POST"]),
            Route("/api/undo", answered(undo), methods=["POST"]),
        ]
    )


def _standing(desk: Desk) -> Response:
    return JSONResponse([asdict(answer) for answer in desk.standing()])
