"""What a row of somebody's file says of who won: a word, a number, a mark, or two scores."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

from limaflow.errors import InputError, shortened
from limaflow.foreign_rows import Row
from limaflow.records import Choice
from limaflow.verdict_import.column_mapping import CHOSEN, MARKS, SCORE_OF_EACH, SCORES, Layout

TIES = ("tie", "neither")
PLACES = ("first", "second")
MARK_VALUES = {"1": True, "true": True, "0": False, "false": False}

Outcome = tuple[Choice | None, float | None]
"""The choice by place, None where the judge failed; the share of the first, where one is given."""


def outcome_of(row: Row, suffix: str, models: tuple[str, str], layout: Layout) -> Outcome:
    """The outcome that the row's columns with this suffix give.

    Args:
        models: in the order of the row's columns.

    Raises:
        InputError: nothing that is known; names the option that explains it.
    """
    key = next((name for name in CHOSEN if f"{name}{suffix}" in row), None)
    if key is None:
        return _choice_without_words(row, suffix, layout), None
    value = row[f"{key}{suffix}"]
    if value in (None, ""):
        return None, None
    word = plain(f"{key}{suffix}", value)
    # Who won, by name or by column; in the other order their answers stood in other places.
    turned = bool(suffix) and key == "winner"
    meant = layout.words.get(str(value), layout.words.get(word))
    if meant is None:
        meant = _meaning_by_bound(word, layout.words)
    share = _share(word, layout) if meant is None else _number(meant)
    if share is not None and not 0 <= share <= 1:
        raise InputError(
            f'--word "{shortened(word)}={meant}": not a share of the win from 0 to 1',
            fix="1 gives the first all, 0 nothing, 0.5 is a tie",
        )
    if share is not None:
        share = 1 - share if turned else share
        return _choice_from_share(share), share
    meant = word if meant is None else meant
    if not meant:
        return None, None
    shown = PLACES[::-1] if turned else PLACES
    if key == "winner":
        meant = dict(zip((*PLACES, *models), shown * 2, strict=True)).get(meant, meant)
    if meant not in PLACES and meant not in TIES:
        known = (
            "first, second or tie"
            if key == "choice"
            else f"'{shortened(models[0])}', '{shortened(models[1])}' or tie"
        )
        named = shortened(meant)
        raise InputError(
            f"{key}{suffix} '{named}' is not {known}",
            fix=f'--word "{named}=first" says what it means; "{named}=" that the judge failed',
        )
    return cast(Choice, "tie" if meant in TIES else meant), None


def _choice_without_words(row: Row, suffix: str, layout: Layout) -> Choice | None:
    """The choice by columns that hold numbers; None where the judge failed."""
    if f"{SCORES}{suffix}" in row:
        return _choice_from_scores(f"{SCORES}{suffix}", row[f"{SCORES}{suffix}"], layout)
    if suffix:
        return None
    if row.keys() & set(SCORE_OF_EACH):
        scores = [row.get(name) for name in SCORE_OF_EACH]
        return _choice_from_scores(" and ".join(SCORE_OF_EACH), scores, layout)
    return _choice_from_marks(row)


def _choice_from_marks(row: Row) -> Choice | None:
    """The choice whose column holds a 1; None where all are empty."""
    marks = {name: row[name] for name in MARKS if name in row}
    if all(value in (None, "") for value in marks.values()):
        return None
    holds = {name: MARK_VALUES.get(plain(name, value).lower()) for name, value in marks.items()}
    chosen = [name for name, mark in holds.items() if mark]
    if len(chosen) != 1 or None in holds.values():
        shown = ", ".join(f"{name} {value!r}" for name, value in marks.items())
        raise InputError(f"one of {', '.join(MARKS)} must be 1 and the others 0, not {shown}")
    return MARKS[chosen[0]]


def _choice_from_scores(name: str, value: Any, layout: Layout) -> Choice | None:
    """The choice by a list of two scores or a text such as `8.0 9.0`; None where the judge failed.

    Of a longer text the first line counts, as in the reviews of Vicuna.
    """
    parts = value if isinstance(value, list) else [value]
    text = " ".join("" if part is None else str(part) for part in parts).strip()
    words = text.partition("\n")[0].strip("[]() ").replace(",", " ").split()
    if not words or layout.words.get(" ".join(words)) == "":
        return None
    scores = [_number(word) for word in words]
    one, other = scores if len(scores) == 2 else (None, None)
    if one is None or other is None:
        found = shortened(" ".join(words))
        raise InputError(
            f"{name} '{found}': not two numbers, the first's score and the second's",
            fix=f'--word "{found}=" says that the judge failed',
        )
    return "tie" if one == other else "first" if one > other else "second"


def _share(word: str, layout: Layout) -> float | None:
    """What part of the win a number gives the first, as far as it lies in a known scale."""
    number = _number(word)
    if number is None:
        return None
    for scale in layout.scales:
        if scale.low <= number <= scale.high:
            return abs(number - scale.second) / (scale.high - scale.low)
    return None


def _choice_from_share(share: float) -> Choice:
    return "tie" if share == 0.5 else "first" if share > 0.5 else "second"


def _meaning_by_bound(given: str, words: Mapping[str, str]) -> str | None:
    """What a number means by the side of a bound on which it lies; None of any other word."""
    number = _number(given)
    for word, meaning in words.items():
        bound = _number(word[1:]) if word[:1] in {"<", ">"} else None
        if number is None or bound is None:
            continue
        if number < bound if word[0] == "<" else number > bound:
            return meaning
    return None


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if isfinite(number) else None


def plain(name: str, value: Any) -> str:
    """A word, as the file means it: 1.0 is 1.

    Raises:
        InputError: it is a list or an object.
    """
    if isinstance(value, list | dict):
        raise InputError(f"{name} holds several values", fix=f"name one: --column {name}=THEIRS.0")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
