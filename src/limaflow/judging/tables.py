"""Verdicts from a file, whoever made it: our own JSON lines, or a table with the same columns.

    prompt_id   what was judged; verdicts on one prompt are not independent
    first       name of the model whose answer was shown first; `second` likewise
    choice      first, second or tie (neither); empty where the judge failed
    winner      instead of `choice`: a model's name, or tie
    choice_swapped, winner_swapped
                what the same judge said with the two shown the other way round, where that stands
                in the same row; `choice_swapped` is by the place in which they were shown then
    annotator   who judged; the file's name where there is no such column
    sample      number of the response to this prompt, if there are several; 0
    first_chars, second_chars
                lengths of the two answers, for what length does
    first_text, second_text
                the answers themselves, instead of their lengths

Other columns that our own records have (`error`, `cost`, `answered_by`, …) are read, the rest is
left alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError
from limaflow.judging.layout import SAID, SWAPPED, Layout
from limaflow.judging.rows import Row, at, read_rows
from limaflow.records import Verdict

NEEDED = ("prompt_id", "first", "second")
NAMES = ("prompt_id", "first", "second", "annotator")
TIES = ("tie", "neither")
_ADAPTER = TypeAdapter(Verdict)


def read_verdicts(path: Path, layout: Layout | None = None) -> tuple[list[Verdict], dict[str, int]]:
    """The verdicts of a file, and response id → length in characters.

    Raises:
        InputError: as `read_rows`; a column is missing, or a row makes no verdict; names the line.
    """
    layout = layout or Layout()
    verdicts: list[Verdict] = []
    chars: dict[str, int] = {}
    for line, raw in read_rows(path):
        try:
            for row in _readings(raw, layout):
                made = _verdicts(row, path.stem, layout.words)
                _measure(row, made[0], chars)
                verdicts += made
        except InputError as error:
            raise InputError(str(error), path=path, line=line) from None
    if not verdicts:
        raise InputError("holds no verdicts", path=path)
    return verdicts, chars


def _readings(raw: Row, layout: Layout) -> Iterator[Row]:
    """The row in our words, once for each annotator whose choice stands in it."""
    # A column that was named is meant, whatever the file's own `choice` may be.
    stale = SAID if layout.columns.keys() & set(SAID) else ()
    row = {key: value for key, value in raw.items() if key not in stale} | dict(layout.values)
    apart: list[Row] = [{}]
    for ours, theirs in layout.columns.items():
        try:
            found = [at(raw, name) for name in theirs]
        except KeyError as absent:
            raise InputError(_absent(str(absent.args[0]), raw)) from None
        if len(found) > 1:
            told = zip(theirs, found, strict=True)
            apart = [{"annotator": name, ours: value} for name, value in told]
        else:
            row[ours] = found[0]
    for reading in apart:
        yield row | reading


def _verdicts(row: Row, stem: str, words: Mapping[str, str]) -> list[Verdict]:
    """The verdict of a row, and that in the other order where it holds one."""
    if not row.keys() & {*SAID, "error"}:
        raise InputError(_absent("choice", row), fix="--column choice=THEIRS names it")
    told = {key: value for key, value in row.items() if value not in (None, "")}
    for name in NEEDED:
        if name not in told:
            raise InputError(
                _absent(name, row),
                fix=f"--column {name}=THEIRS names it, --value {name}=TEXT is for all rows",
            )
    names = {name: _plain(name, told[name]) for name in NAMES if name in told}
    first, second = names["first"], names["second"]
    if first == second:
        raise InputError(f"'{first}' is compared with itself")
    place = f"{names['prompt_id']}/{told.get('sample', 0)}"
    filled = {
        "annotator": stem,
        "sample": 0,
        **told,
        **names,
        "first_response_id": told.get("first_response_id", f"{place}/{first}"),
        "second_response_id": told.get("second_response_id", f"{place}/{second}"),
    }
    turned = {
        **filled,
        **{"first": second, "second": first},
        "first_response_id": filled["second_response_id"],
        "second_response_id": filled["first_response_id"],
    }
    made = [_verdict(filled, _choice(row, "", (first, second), words))]
    if row.keys() & SWAPPED:
        made.append(_verdict(turned, _choice(row, "_swapped", (first, second), words)))
    return made


def _verdict(filled: Row, choice: str | None) -> Verdict:
    error = filled.get("error", None if choice else "no verdict")
    try:
        return _ADAPTER.validate_python({**filled, "choice": choice, "error": error})
    except ValidationError as refused:
        problem = refused.errors()[0]
        raise InputError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _choice(row: Row, suffix: str, models: tuple[str, str], words: Mapping[str, str]) -> str | None:
    """By the place in which the two were shown; `models` is the order of the row's columns."""
    key = next((name for name in SAID if f"{name}{suffix}" in row), None)
    value = row[f"{key}{suffix}"] if key else None
    if value in (None, ""):
        return None
    said = _plain(f"{key}{suffix}", value)
    said = words.get(str(value), words.get(said, _by_bound(said, words)))
    if not said:
        return None
    places = ("first", "second")
    if key == "winner":
        # Who won, by name or by column; in the other order their answers stood in other places.
        shown = places if not suffix else places[::-1]
        said = dict(zip((*places, *models), shown * 2, strict=True)).get(said, said)
    if said in TIES:
        return "tie"
    if said not in places:
        known = (
            "first, second or tie" if key == "choice" else f"'{models[0]}', '{models[1]}' or tie"
        )
        raise InputError(
            f"{key}{suffix} '{said}' is not {known}",
            fix=f'--word "{said}=first" says what it means; "{said}=" that the judge failed',
        )
    return said


def _by_bound(said: str, words: Mapping[str, str]) -> str:
    """What a number means by the side of a bound on which it lies; any other word as it is."""
    for word, meaning in words.items():
        if word[:1] in {"<", ">"}:
            try:
                number, bound = float(said), float(word[1:])
            except ValueError:
                continue
            if number < bound if word[0] == "<" else number > bound:
                return meaning
    return said


def _measure(row: Row, verdict: Verdict, chars: dict[str, int]) -> None:
    """Take note of the lengths that a row tells."""
    for response, name in (
        (verdict.first_response_id, "first"),
        (verdict.second_response_id, "second"),
    ):
        text = row.get(f"{name}_text")
        length = len(text) if isinstance(text, str) else _length(row, f"{name}_chars")
        if length is not None and chars.setdefault(response, length) != length:
            raise InputError(f"{name}_chars is {length}, before it was {chars[response]}")


def _length(row: Row, key: str) -> int | None:
    value = row.get(key)
    if value in (None, ""):
        return None
    try:
        length = int(str(value))
    except ValueError:
        length = -1
    if length < 0:
        raise InputError(f"{key}: {value!r} is no length in characters")
    return length


def _plain(name: str, value: Any) -> str:
    """A word, as the file means it: 1.0 is 1."""
    if isinstance(value, list | dict):
        raise InputError(f"{name} holds several values", fix=f"name one: --column {name}=THEIRS.0")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _absent(name: str, row: Row) -> str:
    return f"no '{name}'; this row has {', '.join(map(str, row)) or 'nothing'}"
