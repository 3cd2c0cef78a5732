"""Whether a response is right, by answers that are known: its first answer, and all of it.

A list of right and wrong answers decides, as whole words in any case. It is a rule over words, not
a reader: a response that denies a wrong answer names it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from limaflow.errors import InputError
from limaflow.generation.cutting import parts
from limaflow.jsonl import read_records
from limaflow.records import Example


@dataclass(frozen=True, kw_only=True)
class KnownAnswer:
    """A line of the file `analysis.answers`: what is right and what is wrong of one prompt."""

    prompt: str = ""
    """Its text, where `prompt_id` does not name it."""
    prompt_id: str = ""
    right: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    """What the prompt asks about."""
    other_subjects: tuple[str, ...] = ()
    """A text that names one of these and not `subject` is about something else, and not right."""

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [_any_of(w) for w in (self.right, self.wrong, self.subject, self.other_subjects)]

    def answers(self, text: str) -> bool:
        """Whether a text names a right or a wrong answer."""
        right, wrong, *_ = self._patterns
        return bool(right.search(text) or wrong.search(text))

    def is_right(self, text: str) -> bool:
        """Whether a text names a right answer, no wrong one, and is not about something else."""
        right, wrong, subject, others = self._patterns
        if not right.search(text) or wrong.search(text):
            return False
        return bool(subject.search(text)) or not others.search(text)

    def first_is_right(self, text: str) -> bool:
        """Whether the first sentence that answers is right."""
        first = next((part for part in parts(text, "sentence") if self.answers(part)), "")
        return self.is_right(first)


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    """Any of some words or phrases, whole and in any case."""
    longest_first = sorted(words, key=len, reverse=True)
    listed = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE)


def read_answers(path: Path, prompts: Sequence[Example]) -> Mapping[str, KnownAnswer]:
    """Prompt id → what is right of it, as far as the file says.

    Raises:
        InputError: a line has no right answer, two name one prompt, or none names one of these.
    """
    by_text = {example.prompt.strip(): example.id for example in prompts}
    asked = set(by_text.values())
    found: dict[str, KnownAnswer] = {}
    for line, answer in enumerate(read_records(path, KnownAnswer), start=1):
        name = answer.prompt_id or by_text.get(answer.prompt.strip(), "")
        if not any(word.strip() for word in answer.right):
            raise InputError("names no right answer", path=path, line=line)
        if name in found:
            raise InputError(f"prompt {name} stands twice", path=path, line=line)
        if name in asked:
            found[name] = answer
    if not found:
        raise InputError(
            "none of its lines names a test prompt",
            path=path,
            fix="give each line the `prompt_id`, or the `prompt` word for word",
        )
    return found
