"""Two models' responses to a few prompts, and a round of packets made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from limaflow.jsonl import write_json, write_records
from limaflow.judging.rounds import Key, read_key
from limaflow.records import Example, Message, Response, example_id
from limaflow.tools.annotation import cli
from limaflow.tools.annotation.packet import Packet, read_packet


def prompt(question: str) -> Example:
    messages = (Message(role="user", content=question),)
    return Example(id=example_id(messages), messages=messages, source="test", split="test")


def response(asked: Example, model: str, text: str) -> Response:
    return Response(
        prompt_id=asked.id,
        model=model,
        sample=0,
        text=text,
        tokens=len(text.split()),
        finish_reason="stop",
    )


@dataclass(frozen=True)
class Round:
    """A folder of packets, and the files that they were made of."""

    folder: Path
    prompts: Path
    ours: Path
    theirs: Path

    @property
    def key(self) -> Key:
        return read_key(self.folder)

    def packet_file(self, annotator: str) -> Path:
        return self.folder / "packets" / f"{annotator}.json"

    def packet(self, annotator: str) -> Packet:
        return read_packet(self.packet_file(annotator))


Begin = Callable[..., Round]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Write responses and make packets: `{question: (answer of ours, answer of theirs)}`."""

    def make(
        answers: dict[str, tuple[str, str]], annotators: tuple[str, ...] = ("ann",), **options: Any
    ) -> Round:
        made = Round(tmp_path / "round", *(tmp_path / f"{n}.jsonl" for n in ("prompts", "a", "b")))
        asked = [prompt(question) for question in answers]
        write_records(made.prompts, asked)
        for path, model, place in ((made.ours, "ours", 0), (made.theirs, "theirs", 1)):
            pairs = zip(asked, answers.values(), strict=True)
            write_records(path, [response(p, model, texts[place]) for p, texts in pairs])
        cli.packet(
            prompts=made.prompts,
            first=[made.ours],
            second=[made.theirs],
            annotator=list(annotators),
            output=made.folder,
            **{"seed": 7, **options},
        )
        return made

    return make


@pytest.fixture
def beer(begin: Begin) -> Round:
    """Four questions for two people; `ours` says yes, `theirs` no."""
    answers = {f"Is {drink} brewed?": (f"Yes: {drink}.", f"No: {drink}.") for drink in DRINKS}
    return begin(answers, ("ann", "bob"))


DRINKS = ("ale", "bock", "cider", "dubbel")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of answers as the page does: `{item: choice}`, what was recorded likewise."""
    from limaflow.tools.annotation.answers import Answer, Answers, answers_hash

    def write(
        packet: Packet, choices: dict[int, Any], name: str = "", **recorded: dict[int, Any]
    ) -> Path:
        answers = tuple(
            Answer(
                item=n,
                hash=packet.items[n - 1].hash,
                choice=choice,
                time="2026-01-01",
                **{field: of[n] for field, of in recorded.items() if n in of},
            )
            for n, choice in choices.items()
        )
        path = tmp_path / (name or f"{packet.annotator}.answers.json")
        write_json(
            path,
            Answers(
                format="limaflow answers 2",
                annotator=packet.annotator,
                packet=packet.hash,
                answers=answers,
                hash=answers_hash(packet.annotator, packet.hash, answers),
            ),
        )
        return path

    return write
