"""Grades from a file, whoever made them: a table or JSON, in whatever columns and words.

    prompt_id   what was asked; grades on one prompt are not independent
    model       whose response was graded
    value       a whole number or a word of the scale; empty where the annotator failed
    scale       of one of our instruments (`likert-6`), or the ends of any other: `1-to-7`
    instrument  what was asked; that of the scale, or the file's name where there is none
    annotator, annotator_kind, sample
                as of verdicts

Other columns that our own records have are read, the rest is left alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError, listed, shortened
from limaflow.foreign_rows import Row, chosen, read_rows
from limaflow.judging.instrument import Instrument, numbered_scale
from limaflow.records import Grade
from limaflow.verdict_import.column_mapping import Layout
from limaflow.verdict_import.outcome_parser import plain
from limaflow.verdict_import.tables import (
    NUMBER,
    Find,
    missing_column,
    our_name,
    prompt_id,
    readings,
)

NEEDED = ("prompt_id", "model", "scale")
NAMES = (*NEEDED, "annotator", "instrument")
_ADAPTER = TypeAdapter(Grade)


def read_grades(
    path: Path,
    layout: Layout,
    instruments: Mapping[str, Instrument],
    find: Find | None = None,
) -> list[Grade]:
    """The grades of a file, sorted by model, prompt, sample and annotator.

    Args:
        instruments: by name; grades on the scale of one of them are by it.
        find: as of `read_verdicts`.

    Raises:
        InputError: as `read_rows`; a column is missing, a value is not of the scale, or a grade
            stands twice; names the line.
    """
    grades: list[Grade] = []
    seen: set[tuple[str, str, str, str, int]] = set()
    for line, raw in chosen(read_rows(path, layout.rows), layout.where, path):
        try:
            for row in readings({**raw, NUMBER: line}, layout):
                grade = _grade(row, path.stem, layout, instruments, find)
                place = (
                    *(grade.model, grade.prompt_id, grade.annotator, grade.instrument),
                    grade.sample,
                )
                if place in seen:
                    raise InputError(
                        f"prompt {shortened(grade.prompt_id)}, sample {grade.sample}: a second "
                        f"grade of '{shortened(grade.model)}' by '{shortened(grade.annotator)}'",
                        fix="--column sample=THEIRS tells several answers to a prompt apart; what "
                        "was graded again belongs into a file of its own",
                    )
                seen.add(place)
                grades.append(grade)
        except InputError as error:
            raise InputError(str(error), path=path, line=line) from None
    if not grades:
        raise InputError("holds no grades", path=path)
    return sorted(grades, key=lambda g: (g.model, g.prompt_id, g.sample, g.annotator))


def _grade(
    row: Row,
    stem: str,
    layout: Layout,
    instruments: Mapping[str, Instrument],
    find: Find | None,
) -> Grade:
    given = {key: value for key, value in row.items() if value not in (None, "")}
    for name in (*NEEDED, "value"):
        if name not in (row if name == "value" else given):
            raise InputError(
                missing_column(name, row),
                fix="--value scale=1-to-5 says its ends"
                if name == "scale"
                else f"--column {name}=THEIRS names it, --value {name}=TEXT is for all rows",
            )
    names = {name: plain(name, given[name]) for name in NAMES if name in given}
    names["model"] = our_name(names["model"], layout)
    names["prompt_id"] = prompt_id(names["prompt_id"], find)
    instrument = _instrument(names["scale"], names.get("instrument"), stem, instruments)
    value = _value(row["value"], layout.words, instrument)
    place = f"{names['prompt_id']}/{given.get('sample', 0)}/{names['model']}"
    filled = {"annotator": stem, "sample": 0, "response_id": place, **given, **names}
    filled |= {"instrument": instrument.name, "value": value}
    if value is None:
        filled.setdefault("error", "no grade")
    try:
        return _ADAPTER.validate_python(filled)
    except ValidationError as refused:
        problem = refused.errors()[0]
        raise InputError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _instrument(
    scale: str, name: str | None, stem: str, instruments: Mapping[str, Instrument]
) -> Instrument:
    """The instrument of this name, else that of the scale, else whole numbers between two ends."""
    if name is not None and name in instruments:
        found = instruments[name]
        if found.head.scale != scale:
            raise InputError(
                f"the scale of '{name}' is {found.head.scale}, not {shortened(scale)}",
                fix="--value instrument=NAME calls yours otherwise",
            )
        return found
    of_scale = [i for i in instruments.values() if i.head.scale == scale and not name]
    found_scale = of_scale[0] if of_scale else numbered_scale(name or stem, scale)
    if found_scale is None:
        known = sorted({i.head.scale for i in instruments.values() if i.head.form != "pairwise"})
        raise InputError(
            f"'{shortened(scale)}' is no known scale ({', '.join(known)})",
            fix="--value scale=1-to-5 says its ends, --instrument FILE brings its words",
        )
    return found_scale


def _value(given: object, words: Mapping[str, str], instrument: Instrument) -> int | None:
    """The value of what the file says; None where the annotator failed."""
    if given in (None, ""):
        return None
    word = plain("value", given)
    meant = words.get(word, word)
    if meant == "":
        return None
    values: Sequence[int] = list(instrument.head.words.values())
    named = instrument.head.words.get(meant)
    if named is not None:
        return named
    if not meant.lstrip("-").isdigit() or int(meant) not in values:
        raise InputError(
            f"value '{shortened(meant)}' is not on the scale {instrument.head.scale}: "
            f"{listed(instrument.head.words)}",
            fix=f'--word "{shortened(word)}={values[0]}" says what it means; '
            f'"{shortened(word)}=" that the annotator failed',
        )
    return int(meant)
