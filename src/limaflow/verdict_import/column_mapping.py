"""How columns and words of a file map to ours, from the options of the command line."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from limaflow.errors import InputError
from limaflow.judging.settings import VerdictLayout
from limaflow.records import Choice

CHOSEN = ("choice", "winner")
GRADE = "value"
"""Of a grade."""
PROMPT = "prompt_id"
"""Of several columns, the texts together are the prompt."""
SCORES = "scores"
"""A column with a number for each answer, the higher for the better one."""
SCORE_OF_EACH = ("first_score", "second_score")
SWAPPED = {f"{name}_swapped" for name in (*CHOSEN, SCORES)}
MARKS: Mapping[str, Choice] = {"first_won": "first", "second_won": "second", "tied": "tie"}
"""Columns of which one holds a 1, and what it says then."""
OUTCOMES = {*CHOSEN, *MARKS, SCORES, *SCORE_OF_EACH}
"""Every column that says who won."""


@dataclass(frozen=True)
class Scale:
    """Numbers that grade a preference: one end is all the first's, the other all the second's."""

    first: float
    second: float

    @property
    def low(self) -> float:
        return min(self.first, self.second)

    @property
    def high(self) -> float:
        return max(self.first, self.second)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Columns, values and words."""

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Our column → what the file calls it; several for `choice`, `winner` or the
    `value` of a grade: an annotator each."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Our column → what it holds in every row."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What the file says in `choice` or `winner` → what we say; "" where the judge failed; a number
    from 0 to 1 is a share of the win. A word that begins with < or > is a bound: `<1.5` means all
    numbers below."""
    scales: Sequence[Scale] = ()
    rows: str = ""
    """Where a JSON document holds its rows, as in `rows.at`; "" for the one array that it holds."""
    repeats: bool = False
    """Whether what stands twice is a further reading."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Model as we call it → as the file does; rows about others are passed over."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Column of the file → what it holds in the rows that are read."""

    def __post_init__(self) -> None:
        """Refuse columns that say two things.

        Raises:
            InputError: several columns are given for one that has one value.
        """
        for ours, theirs in self.columns.items():
            several = ours in CHOSEN and not self.columns.keys() & SWAPPED
            if len(theirs) > 1 and not several and ours not in (GRADE, PROMPT):
                raise InputError(f"--column {ours} is given {len(theirs)} times")


def named(options: Sequence[str] | None, flag: str) -> dict[str, str]:
    """`NAME=VALUE` options of a command line as a mapping.

    Raises:
        InputError: an option has no `=`.
    """
    return dict(_name_and_value(option, flag, option.partition("=")) for option in options or [])


def layout_of(
    columns: Sequence[str] | None,
    values: Sequence[str] | None,
    words: Sequence[str] | None,
    rows: str = "",
    *,
    repeats: bool = False,
    names: Sequence[str] | None = None,
    where: Sequence[str] | None = None,
) -> Layout:
    """The layout that `--column`, `--value`, `--word`, `--rows`, `--name` and `--where` describe.

    Raises:
        InputError: as `named` and `Layout`; a word means a scale and is none.
    """
    theirs: dict[str, list[str]] = defaultdict(list)
    for option in columns or []:
        name, column = _name_and_value(option, "--column", option.partition("="))
        theirs[name].append(column)
    # What a file says may hold a `=`, as in `A=B`; what we say does not.
    meant = dict(
        _name_and_value(option, "--word", option.rpartition("=")) for option in words or []
    )
    scales = [_scale(word, meant.pop(word)) for word in list(meant) if ".." in meant[word]]
    return Layout(
        columns=theirs,
        values=named(values, "--value"),
        words=meant,
        scales=scales,
        rows=rows,
        repeats=repeats,
        names=named(names, "--name"),
        where=named(where, "--where"),
    )


def configured(given: VerdictLayout) -> Layout:
    """The layout that a block of the configuration describes; raises as `layout_of`."""
    return layout_of(
        [
            f"{ours}={name}"
            for ours, theirs in given.columns.items()
            for name in ([theirs] if isinstance(theirs, str) else theirs)
        ],
        [f"{ours}={text}" for ours, text in given.values.items()],
        [f"{theirs}={ours}" for theirs, ours in given.words.items()],
        given.rows,
        repeats=given.repeats,
        names=[f"{ours}={theirs}" for ours, theirs in given.names.items()],
        where=[f"{column}={value}" for column, value in given.where.items()],
    )


def _scale(word: str, meaning: str) -> Scale:
    """`1..2` that means `first..second`, or the other way round."""
    try:
        one, other = map(float, word.split(".."))
        if one != other and isfinite(other - one):
            return {
                "first..second": Scale(first=one, second=other),
                "second..first": Scale(first=other, second=one),
            }[meaning]
    except (ValueError, KeyError):
        pass
    raise InputError(
        f'--word "{word}={meaning}": not a scale',
        fix='a scale is as "1..2=first..second", which gives the first all at 1, nothing at 2',
    )


def _name_and_value(option: str, flag: str, parts: tuple[str, str, str]) -> tuple[str, str]:
    name, equals, value = parts
    if not equals:
        raise InputError(f"{flag} {option}: not of the form NAME=VALUE")
    return name, value
