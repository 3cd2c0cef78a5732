"""Instruments: the text that tells an annotator how to judge, with places for the material.

A template is a file of two parts. What stands before the first line `---` says how to choose and
is the same for people and models; what follows holds the material and the form of the reply.
Each place `{name}` stands alone on a line and receives the text as a block (`blocks.enclose`).
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from limaflow.errors import InputError
from limaflow.judging.delimiters import enclose
from limaflow.judging.settings import Grading
from limaflow.records import Example, asked_turns
from limaflow.seeds import digest

InstrumentName = Literal["pairwise"] | Grading
PLACES: dict[InstrumentName, tuple[str, ...]] = {
    "pairwise": ("question", "answer_1", "answer_2"),
    "likert": ("question", "answer"),
    "quality": ("question", "answer"),
    "safety": ("question", "answer"),
}


@dataclass(frozen=True)
class Instrument:
    """One template, checked."""

    name: InstrumentName
    text: str

    @property
    def hash(self) -> str:
        """Content hash of the text: part of every verdict and grade, and of the store's keys."""
        return digest(self.text)

    @property
    def guidance(self) -> str:
        """The part on how to choose, fit for a person's eyes; all of a template without `---`."""
        return re.split(r"^---[ \t]*$", self.text, maxsplit=1, flags=re.MULTILINE)[0].strip()

    def render(self, **texts: str) -> str:
        """The whole message, each place filled by the text of that name as a block."""
        places = re.compile(rf"^\{{({'|'.join(PLACES[self.name])})\}}[ \t]*$", re.MULTILINE)
        # One pass: a place's name inside a text that was put in stays text.
        return places.sub(lambda place: enclose(place[1], texts[place[1]]), self.text)


def load(name: InstrumentName, path: Path | None = None) -> Instrument:
    """The instrument `name`: the package's own, or a template of the user's.

    Raises:
        InputError: the file is missing or not UTF-8, or a place is absent, repeated or not alone.
    """
    if path is None:
        source = files("limaflow.judging").joinpath("instruments", f"{name}.md")
        return Instrument(name, source.read_text(encoding="utf-8"))
    if not path.is_file():
        raise InputError("no such template", path=path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    for place in PLACES[name]:
        alone = len(re.findall(rf"^\{{{place}\}}[ \t]*$", text, re.MULTILINE))
        if alone != 1 or text.count(f"{{{place}}}") != 1:
            raise InputError(
                f"a {name} template needs {{{place}}} exactly once, alone on its line",
                path=path,
                fix=f"start from a copy of limaflow/judging/instruments/{name}.md",
            )
    return Instrument(name, text)


def question_of(prompt: Example) -> str:
    """What was asked, for people: the one user turn, or the turns up to the last, each named.

    Raises:
        InputError: there is no user turn.
    """
    turns = asked_turns(prompt)
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in turns)


def delimited(prompt: Example) -> str:
    """What was asked, for a judge: a turn of a conversation cannot pose as another one."""
    turns = asked_turns(prompt)
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(enclose(turn.role, turn.content) for turn in turns)
