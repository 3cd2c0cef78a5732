"""The head of an instrument's file: the question, the scale, and what it is in the paper."""

import re
from itertools import pairwise
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from limaflow.errors import InputError
from limaflow.mistakes import messages, nearest
from limaflow.settings import Name, Settings
from limaflow.yaml_file import UniqueKeys

Form = Literal["pairwise", "grade", "turn", "item"]
"""Two answers are compared; an answer is graded; a turn of a conversation is graded; an answer to a
benchmark item is held against the right ones."""
RIGHT, WRONG, NO_ANSWER = 1, 0, -1
"""Values of the three words of an instrument of form `item`."""


class FrontMatter(Settings):
    """The keys of the head."""

    form: Form
    title: str
    """The question, as people read it."""
    scale: Name
    """What the words are together; seeds of intervals derive from it."""
    words: dict[str, int]
    """What a reply ends with → its value: numbers ascending, other words from the best to the
    worst. Of a pairwise instrument the first answer is better (1), the second (-1), neither (0)."""
    ordered: bool
    """Whether the values are more or less of one thing, so that two of them can be near."""
    labels: dict[str, str] = Field(default={})
    """How people see a word; else as it is, with a capital."""
    prompts: list[str] = Field(default=[])
    """Tags of the prompts that are judged, or labels (`sensitive: malicious`); empty is all."""
    paper: str = ""
    """What the paper says, and what the text adds."""

    @field_validator("words")
    @classmethod
    def _in_order(cls, words: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        values = list(words.values())
        if any(word != word.strip() or not word or "\n" in word for word in words):
            raise ValueError("a word must stand on one line, without spaces around it")
        if info.data.get("form") == "pairwise":
            if values != [1, -1, 0]:
                raise ValueError(
                    "the three words of a pairwise instrument have the values 1, -1, 0: first, "
                    "second, neither"
                )
        elif info.data.get("form") == "item":
            if values != [RIGHT, WRONG, NO_ANSWER]:
                raise ValueError(
                    "the three words of an instrument of form item have the values 1, 0, -1: "
                    "right, wrong, no answer"
                )
        elif len(words) < 2:
            raise ValueError("a scale has two words or more")
        elif all(re.fullmatch(r"-?\d+", word) for word in words):
            if values != sorted(map(int, words)) or values != [int(word) for word in words]:
                raise ValueError("numbers must ascend, each with itself as its value")
        elif any(one <= other for one, other in pairwise(values)):
            raise ValueError("words must stand from the best to the worst, with falling values")
        return words

    @field_validator("labels")
    @classmethod
    def _of_words(cls, labels: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        words = list(info.data.get("words", labels))
        if unknown := [word for word in labels if word not in words]:
            raise ValueError(f"'{unknown[0]}' is none of the words{nearest(unknown[0], words)}")
        return labels


class _StringLoader(UniqueKeys, yaml.BaseLoader):
    """All values as strings: `yes` and `no` may be words of a scale."""


def read_front_matter(source: str) -> FrontMatter:
    """The front matter in this YAML.

    Raises:
        InputError: it is not valid; names the line or the key.
    """
    raw: Any
    try:
        raw = yaml.load(source, _StringLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise InputError(
            f"{line}front matter is not YAML: {getattr(error, 'problem', error)}"
        ) from None
    try:
        return FrontMatter.model_validate(raw)
    except ValidationError as error:
        found = "; ".join(dict.fromkeys(messages(error, FrontMatter, raw)))
        raise InputError(f"front matter: {found}") from None
