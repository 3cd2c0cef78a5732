"""A reader of generated answers that forgives their form: by rules, without a model.

Exact match asks for the right answer and nothing else in the right place. Where a tuned model says
the same in a sentence, it fails, so much of an exact-match tax is form. This reader asks whether
the reply gives the right answer in any form that a person would take for it:

- a number: the last number of the reply is equal to it (as GSM8K's `flexible-extract` reads);
- a letter among choices: the letter after the last "answer", "option" or "choice", else the letter
  that begins the reply;
- other words: one of the right answers stands in the reply as whole words, without case, accents,
  articles and punctuation (SQuAD's normalisation, Rajpurkar et al. 2016).

It is lenient: a reply that names the right words in passing counts. docs/report.md says what it is
good for.
"""

import re
import unicodedata
from collections.abc import Sequence

NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")
NAMED_LETTER = re.compile(
    r"\b(?:answer|option|choice)s?\b(?:\s+(?:is|would be|must be))?[\s:*(\[]*([A-J])\b"
)
FIRST_LETTER = re.compile(r"^[\s*(\[]*([A-J])\b(?!\s+[a-z])")
LETTER = re.compile(r"[A-J]")
SOLUTION = "####"
"""Before the answer at the end of a solution of GSM8K."""
ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def gives(reply: str, targets: Sequence[str]) -> bool:
    """Whether a reply gives one of the right answers."""
    return any(_gives(reply, target.rpartition(SOLUTION)[2].strip()) for target in targets)


def _gives(reply: str, target: str) -> bool:
    if not target:
        return False
    if NUMBER.fullmatch(target.replace("$", "").replace("%", "")):
        numbers = NUMBER.findall(reply)
        return bool(numbers) and _value(numbers[-1]) == _value(target)
    if bare := LETTER.fullmatch(target.strip("()")):
        return _letter(reply) == bare.group()
    return f" {plain(target)} " in f" {plain(reply)} " if plain(target) else False


def _value(number: str) -> float:
    return float(re.sub(r"[$%,]", "", number))


def _letter(reply: str) -> str | None:
    if named := NAMED_LETTER.findall(reply):
        return str(named[-1])
    first = FIRST_LETTER.match(reply)
    return first.group(1) if first else None


def plain(text: str) -> str:
    """A text as SQuAD compares it: letters and digits alone, in lower case, without articles."""
    split = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in split if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+|_", " ", bare)
    return " ".join(ARTICLES.sub(" ", words).split())
