"""Verdicts from a file, whoever made it: our own JSON lines, or a table with the same columns.

    prompt_id   what was judged; verdicts on one prompt are not independent
    first       name of the model whose answer was shown first; `second` likewise
    choice      first, second or tie (neither); empty where the judge failed
    winner      instead of `choice`: a model's name, or tie
    first_won, second_won, tied
                instead of `choice`: 1 in the column that holds, 0 in the others
    scores      instead of `choice`: two numbers, "8.0 9.0" or a list, the first's and the second's;
                or `first_score` and `second_score`
    first_share what part of the win the judge gives the first, from 0 to 1, where it says more
                than a choice
    choice_swapped, winner_swapped, scores_swapped
                the verdict of the same judge with the two shown the other way round, where the
                same row holds it; all but `winner_swapped` are by the place in which they were
                shown then
    annotator   who judged; the file's name where there is no such column
    annotator_kind
                person or model
    sample      number of the response to this prompt, if there are several; 0
    first_chars, second_chars
                lengths of the two answers, for what length does
    first_text, second_text
                the answers themselves, instead of their lengths; they are kept

Other columns that our own records have (`error`, `cost`, `answered_by`, …) are read, the rest is
left alone.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError, listed, shortened
from limaflow.foreign_rows import Row, at, chosen, joined, read_rows
from limaflow.records import Verdict
from limaflow.seeds import digest
from limaflow.verdict_import.checks import numbered_readings
from limaflow.verdict_import.column_mapping import OUTCOMES, PROMPT, SWAPPED, Layout
from limaflow.verdict_import.outcome_parser import Outcome, outcome_of, plain

Find = Callable[[str], str | None]
NEEDED = ("prompt_id", "first", "second")
NUMBER = "#"
"""Calls the number of a row's line, for files whose rows are each of another prompt."""
NAMES = ("prompt_id", "first", "second", "annotator")
_ADAPTER = TypeAdapter(Verdict)


def read_verdicts(
    path: Path, layout: Layout | None = None, find: Find | None = None
) -> list[Verdict]:
    """The verdicts of a file, with the lengths of the responses where the file has them.

    Args:
        find: tells a prompt's id by whatever the file calls the prompt; None: as the file does.

    Raises:
        InputError: as `read_rows`; a column is missing, or a row makes no verdict; names the line.
    """
    layout = layout or Layout()
    verdicts: list[Verdict] = []
    chars: dict[str, int] = {}
    for line, raw in chosen(read_rows(path, layout.rows), layout.where, path):
        try:
            for row in readings({**raw, NUMBER: line}, layout):
                made = _verdicts(row, path.stem, layout, find)
                _check_lengths(made[0], chars)
                verdicts += made
        except InputError as error:
            raise InputError(str(error), path=path, line=line) from None
    if not verdicts:
        raise InputError("holds no verdicts", path=path)
    return numbered_readings(verdicts) if layout.repeats else verdicts


def readings(raw: Row, layout: Layout) -> Iterator[Row]:
    """The row in our words, once for each annotator whose choice or grade stands in it.

    Raises:
        InputError: a column that the layout names is missing.
    """
    # A column that was named is meant, whatever the file's own `choice` may be.
    stale = OUTCOMES if layout.columns.keys() & OUTCOMES else ()
    row = {key: value for key, value in raw.items() if key not in stale} | dict(layout.values)
    apart: list[Row] = [{}]
    for ours, theirs in layout.columns.items():
        try:
            together = ours == PROMPT and len(theirs) > 1
            found = [joined(raw, theirs)] if together else [at(raw, name) for name in theirs]
        except KeyError as absent:
            raise InputError(missing_column(str(absent.args[0]), raw)) from None
        if len(found) > 1:
            named = zip(theirs, found, strict=True)
            apart = [{"annotator": name, ours: value} for name, value in named]
        else:
            row[ours] = found[0]
    for reading in apart:
        yield row | reading


def _verdicts(row: Row, stem: str, layout: Layout, find: Find | None) -> list[Verdict]:
    """The verdict of a row, and that in the other order where it holds one."""
    if not row.keys() & {*OUTCOMES, "error"}:
        grades = "; of grades, `limaflow judge import-grades`" if "value" in row else ""
        raise InputError(
            missing_column("choice", row), fix=f"--column choice=THEIRS names it{grades}"
        )
    given = {key: value for key, value in row.items() if value not in (None, "")}
    for name in NEEDED:
        if name not in given:
            raise InputError(
                missing_column(name, row),
                fix=f"--column {name}=THEIRS names it, --value {name}=TEXT is for all rows",
            )
    names = {name: plain(name, given[name]) for name in NAMES if name in given}
    first, second = names["first"], names["second"]
    if first == second:
        raise InputError(f"'{shortened(first)}' is compared with itself")
    names |= {"first": our_name(first, layout), "second": our_name(second, layout)}
    names["prompt_id"] = prompt_id(names["prompt_id"], find)
    texts = {f"{place}_text": _text(row, place) for place in ("first", "second")}
    about = (names["prompt_id"], given.get("sample", 0))
    filled = {
        "annotator": stem,
        "sample": 0,
        **given,
        **names,
        **texts,
        "first_chars": _length(row, "first", texts["first_text"]),
        "second_chars": _length(row, "second", texts["second_text"]),
        "first_response_id": given.get("first_response_id")
        or _response_id(*about, names["first"], texts["first_text"]),
        "second_response_id": given.get("second_response_id")
        or _response_id(*about, names["second"], texts["second_text"]),
    }
    turned = dict(filled)
    for name in ("", "_response_id", "_chars", "_text"):
        turned[f"first{name}"], turned[f"second{name}"] = (
            filled[f"second{name}"],
            filled[f"first{name}"],
        )
    made = [_verdict(filled, outcome_of(row, "", (first, second), layout))]
    if row.keys() & SWAPPED:
        turned.pop("first_share", None)
        made.append(_verdict(turned, outcome_of(row, "_swapped", (first, second), layout)))
    return made


def our_name(model: str, layout: Layout) -> str:
    """A model as we call it."""
    return next((ours for ours, theirs in layout.names.items() if theirs == model), model)


def prompt_id(given: str, find: Find | None) -> str:
    """The id of a prompt that a file names.

    Raises:
        InputError: it names none of the prompts.
    """
    found = find(given) if find else given
    if found is None:
        raise InputError(
            f"'{shortened(given)}' is not among the prompts",
            fix="prompt_id names one by its id, by the `id` of your own file, or by its text",
        )
    return found


def _verdict(filled: Row, outcome: Outcome) -> Verdict:
    choice, share = outcome
    error = filled.get("error", None if choice else "no verdict")
    graded = {} if share is None else {"first_share": share}
    try:
        made = _ADAPTER.validate_python({**filled, **graded, "choice": choice, "error": error})
    except ValidationError as refused:
        problem = refused.errors()[0]
        name = ".".join(map(str, problem["loc"]))
        raise InputError(
            f"{name}: {problem['msg']}",
            fix=f"a column of our own records is called so; --value {name}= leaves it out",
        ) from None
    if made.first_share is not None and not 0 <= made.first_share <= 1:
        raise InputError(f"first_share: {made.first_share:g} is no share from 0 to 1")
    return made


def _check_lengths(verdict: Verdict, chars: dict[str, int]) -> None:
    """See that a response has one length wherever it stands."""
    for name, response, length in (
        ("first", verdict.first_response_id, verdict.first_chars),
        ("second", verdict.second_response_id, verdict.second_chars),
    ):
        if length is not None and chars.setdefault(response, length) != length:
            raise InputError(
                f"{name}_chars is {length}, before it was {chars[response]} (prompt "
                f"{shortened(verdict.prompt_id)}, sample {verdict.sample})",
                fix="--column sample=THEIRS tells several answers to a prompt apart",
            )


def _text(row: Row, place: str) -> str | None:
    value = row.get(f"{place}_text")
    return None if value is None else plain(f"{place}_text", value)


def _response_id(prompt_id: str, sample: Any, model: str, text: str | None) -> str:
    """As `Response.id` where the text is known; else by its place."""
    if text is None:
        return f"{prompt_id}/{sample}/{model}"
    return digest(prompt_id, model, _sample_number(sample), text)


def _sample_number(sample: Any) -> Any:
    """As a number, where it is one; what is none is refused with the verdict."""
    return int(sample) if str(sample).isdigit() else sample


def _length(row: Row, place: str, text: str | None) -> int | None:
    """The length of a response, from its text or from the column that holds the number."""
    if text is not None:
        return len(text)
    key = f"{place}_chars"
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


def missing_column(name: str, row: Row) -> str:
    """What to say of a row without this column."""
    names = [key for key in row if key != NUMBER]
    return f"no '{name}'; this row has {listed(names) or 'nothing'}"
