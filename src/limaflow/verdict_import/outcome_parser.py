"""What a row of somebody's file says of who won: a word, a number, a mark in one of its columns."""

from collections.abc import Mapping
from typing import Any, cast

from limaflow.errors import InputError
from limaflow.records import Choice
from limaflow.verdict_import.column_mapping import CHOSEN, MARKS, Layout
from limaflow.verdict_import.rows import Row

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
        return (_choice_from_marks(row) if not suffix else None), None
    value = row[f"{key}{suffix}"]
    if value in (None, ""):
        return None, None
    word = plain(f"{key}{suffix}", value)
    # Who won, by name or by column; in the other order their answers stood in other places.
    turned = bool(suffix) and key == "winner"
    meant = layout.words.get(str(value), layout.words.get(word))
    if meant is None:
        share = _share(word, layout)
        if share is not None:
            share = 1 - share if turned else share
            return _choice_from_share(share), share
        meant = _meaning_by_bound(word, layout.words)
    if not meant:
        return None, None
    if key == "winner":
        shown = PLACES[::-1] if turned else PLACES
        meant = dict(zip((*PLACES, *models), shown * 2, strict=True)).get(meant, meant)
    if meant in TIES:
        return "tie", None
    if meant not in PLACES:
        known = (
            "first, second or tie" if key == "choice" else f"'{models[0]}', '{models[1]}' or tie"
        )
        raise InputError(
            f"{key}{suffix} '{meant}' is not {known}",
            fix=f'--word "{meant}=first" says what it means; "{meant}=" that the judge failed',
        )
    return cast(Choice, meant), None


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


def _share(word: str, layout: Layout) -> float | None:
    """What part of the win a number gives the first, as far as it lies in a known scale."""
    try:
        number = float(word)
    except ValueError:
        return None
    for scale in layout.scales:
        if scale.low <= number <= scale.high:
            return abs(number - scale.second) / (scale.high - scale.low)
    return None


def _choice_from_share(share: float) -> Choice:
    return "tie" if share == 0.5 else "first" if share > 0.5 else "second"


def _meaning_by_bound(given: str, words: Mapping[str, str]) -> str:
    """What a number means by the side of a bound on which it lies; any other word as it is."""
    for word, meaning in words.items():
        if word[:1] in {"<", ">"}:
            try:
                number, bound = float(given), float(word[1:])
            except ValueError:
                continue
            if number < bound if word[0] == "<" else number > bound:
                return meaning
    return given


def plain(name: str, value: Any) -> str:
    """A word, as the file means it: 1.0 is 1.

    Raises:
        InputError: it is a list or an object.
    """
    if isinstance(value, list | dict):
        raise InputError(f"{name} holds several values", fix=f"name one: --column {name}=THEIRS.0")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
