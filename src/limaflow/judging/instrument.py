"""Instruments: one Markdown file each, with front matter, that tells an annotator how to judge.

The front matter says what is asked and on which scale. What stands before the next line `---` says
how to choose and is the same for people and models; what follows holds the material and the form of
the reply, and ends with the words of the scale, each alone on a line. Each place `{name}` stands
alone on a line and receives a text as a block (`delimiters.enclose`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from limaflow.errors import InputError
from limaflow.judging.delimiters import enclose
from limaflow.judging.front_matter import Form, FrontMatter, read_front_matter
from limaflow.judging.last_word import last_word
from limaflow.judging.transcripts import transcript
from limaflow.mistakes import nearest
from limaflow.records import Example, asked_turns
from limaflow.seeds import digest
from limaflow.tags import has_label

PLACES: Mapping[Form, tuple[str, ...]] = {
    "pairwise": ("question", "answer_1", "answer_2"),
    "grade": ("question", "answer"),
    "turn": ("conversation", "answer"),
    "item": ("question", "right_answers", "answer"),
}
"""What a text has a place for."""
OURS = (
    "pairwise",
    "likert",
    "quality",
    "safety",
    "refusal",
    "right-answer",
    "pairwise-bare",
    "likert-bare",
    "dialogues",
)
"""The package's own instruments; the bare ones say what the paper says and no more."""
DIVIDER = re.compile(r"^---[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Instrument:
    """One instrument, checked."""

    name: str
    """The stem of its file, which stands in the paths of grades."""
    head: FrontMatter
    text: str
    """All after the front matter."""
    hash: str
    """Of the whole file: part of every verdict and grade."""

    @property
    def key(self) -> str:
        """Hash of what a judge reads and may reply, for the store; labels are not part of it."""
        return digest(self.text, list(self.head.words.items()))

    @property
    def guidance(self) -> str:
        """The part on how to choose, fit for a person's eyes; all of a text without `---`."""
        return DIVIDER.split(self.text, maxsplit=1)[0].strip()

    def render(self, **texts: str) -> str:
        """The whole message, each place filled by the text of that name as a block."""
        names = "|".join(PLACES[self.head.form])
        places = re.compile(rf"^\{{({names})\}}[ \t]*$", re.MULTILINE)
        # One pass: a place's name inside a text that was put in stays text.
        return places.sub(lambda place: enclose(place[1], texts[place[1]]), self.text)

    def value_of(self, reply: str) -> int | None:
        """The value of the word that a reply ends with, or None where it ends with none."""
        word = last_word(reply, list(self.head.words))
        return None if word is None else self.head.words[word]

    def labels(self) -> dict[str, str]:
        """Word → how people see it."""
        named = self.head.labels
        return {word: named.get(word, word[0].upper() + word[1:]) for word in self.head.words}

    def asks_about(self, prompt: Example) -> bool:
        """Whether a prompt is judged by this instrument; prompts without tags always are."""
        wanted, tags = self.head.prompts, prompt.tags
        return not wanted or tags is None or any(has_label(tags, label) for label in wanted)


def name_of(named: str) -> str:
    """The name of an instrument that is named by itself or by the path of its file."""
    return Path(named).stem if is_instrument_path(named) else named


def is_instrument_path(named: str) -> bool:
    """Whether this is the path of a user's own instrument."""
    return named.endswith(".md")


def load(named: str) -> Instrument:
    """An instrument of the package by its name, or a user's own by the path of its file.

    Raises:
        InputError: there is no such instrument; the file is not UTF-8; its front matter is not
            valid; a place is absent, repeated or not alone; the text does not end with the words.
    """
    if is_instrument_path(named):
        path = Path(named)
        try:
            return parsed(path.stem, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError("no such instrument", path=path) from None
        except UnicodeDecodeError:
            raise InputError("not UTF-8", path=path) from None
        except InputError as error:
            raise InputError(str(error), path=path) from None
    if named not in OURS:
        raise InputError(
            f"no instrument is named '{named}'{nearest(named, list(OURS))}",
            fix="the path of your own ends with .md",
        )
    source = files("limaflow.judging").joinpath("instruments", f"{named}.md")
    return parsed(named, source.read_text(encoding="utf-8"))


def known(named: Iterable[str]) -> dict[str, Instrument]:
    """Name → instrument: the package's own and these, which replace those of the same name.

    Raises:
        InputError: as `load`.
    """
    return {name_of(one): load(one) for one in (*OURS, *named)}


def numbered_scale(name: str, scale: str) -> Instrument | None:
    """What is known of grades on a scale such as `1-to-7` that someone else gave: its numbers.

    None where the scale is not of that form.
    """
    ends = re.fullmatch(r"(\d+)-to-(\d+)", scale)
    if ends is None or int(ends[1]) >= int(ends[2]):
        return None
    words = {str(level): level for level in range(int(ends[1]), int(ends[2]) + 1)}
    head = FrontMatter(form="grade", title=name, scale=scale, words=words, ordered=True)
    return Instrument(name, head, "", "")


def parsed(name: str, source: str) -> Instrument:
    """The instrument whose file holds `source`.

    Raises:
        InputError: as `load`, without the file's path.
    """
    parts = DIVIDER.split(source, maxsplit=2)
    if len(parts) < 3 or parts[0]:
        raise InputError(
            "begins with no front matter between two lines ---",
            fix="start from a copy of an instrument in limaflow/judging/instruments/",
        )
    head = read_front_matter(parts[1])
    text = parts[2].removeprefix("\n")
    for place in PLACES[head.form]:
        alone = len(re.findall(rf"^\{{{place}\}}[ \t]*$", text, re.MULTILINE))
        if alone != 1 or text.count(f"{{{place}}}") != 1:
            raise InputError(
                f"an instrument of form {head.form} needs {{{place}}} exactly once, alone on its "
                "line"
            )
    if text.rstrip().splitlines()[-len(head.words) - 1 :] != ["", *head.words]:
        raise InputError(
            "must end with an empty line and the words, each alone on a line and in the order of "
            f"the front matter: {', '.join(head.words)}"
        )
    return Instrument(name, head, text, digest(source))


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
    return turns[0].content if len(turns) == 1 else conversation(prompt)


def conversation(prompt: Example) -> str:
    """Every turn up to the last user turn as a block named after who speaks."""
    return transcript(asked_turns(prompt))
