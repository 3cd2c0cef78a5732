"""Choices and grades held against the replies they were read from, before they are counted.

A model's record holds its whole reply and the hash of its instrument: the choice can be read
again. What people answered, and what was recorded elsewhere, has no reply; it is counted and named.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from limaflow.errors import InputError, shortened
from limaflow.judging.instrument import Instrument, known
from limaflow.judging.pairwise import choice_of
from limaflow.records import Grade, Judgment, Response, Verdict

Judged = TypeVar("Judged", Verdict, Grade)
NO_REPLY = "have no reply to check them by (people's, or recorded elsewhere)"
NO_INSTRUMENT = "were made by an instrument that is not here, and are not checked by their replies"
MADE_ANEW = "delete the file and ask Snakemake for it: paid answers come from the store"


class Replies:
    """Checks the records of several files, and counts those that cannot be checked."""

    def __init__(self, instruments: Iterable[str] = ()) -> None:
        """Args:
        instruments: files of instruments that are not the package's own.
        """
        self._by_hash = {i.hash: i for i in known(instruments).values()}
        self._unchecked: Counter[str] = Counter()
        self._made = 0

    def check_verdicts(self, path: Path, verdicts: Sequence[Verdict]) -> None:
        """See that each choice is the one that its reply ends with.

        Raises:
            InputError: one is not; names the line.
        """
        self._check(path, verdicts, lambda verdict: verdict.choice, choice_of)

    def check_grades(self, path: Path, grades: Sequence[Grade]) -> None:
        """See that each grade is the one that its reply ends with.

        Raises:
            InputError: one is not; names the line.
        """
        self._check(path, grades, lambda grade: grade.value, _value_of)

    def notes(self) -> list[str]:
        """What could not be checked, for people."""
        return [
            f"{count} of {self._made} judgments {reason}"
            for reason, count in self._unchecked.most_common()
        ]

    def _check(
        self,
        path: Path,
        judged: Sequence[Judged],
        stated: Callable[[Judged], object],
        read: Callable[[str, Instrument], object],
    ) -> None:
        for index, one in enumerate(judged):
            if one.error is not None:
                continue
            self._made += 1
            instrument = self._by_hash.get(one.template)
            if not one.reply:
                self._unchecked[NO_REPLY] += 1
            elif instrument is None:
                self._unchecked[NO_INSTRUMENT] += 1
            elif stated(one) != read(one.reply, instrument):
                raise InputError(
                    f"says {stated(one)}, and the reply beside it ends with "
                    f"'{shortened(_end_of(one))}'",
                    path=path,
                    line=line_of(path, index),
                    fix=MADE_ANEW,
                )


def check_responses(
    path: Path, verdicts: Sequence[Verdict], responses: Mapping[str, Iterable[Response]]
) -> None:
    """See that verdicts were given on the responses that lie here now.

    A response's id is the hash of its content. Ids of others may be anything, so that verdicts of
    no instrument are left out.

    Args:
        responses: by model.

    Raises:
        InputError: a verdict is on another text; names the line.
    """
    ids = {model: {response.id for response in of_model} for model, of_model in responses.items()}
    for index, verdict in enumerate(verdicts):
        pair = (
            (verdict.first, verdict.first_response_id),
            (verdict.second, verdict.second_response_id),
        )
        for model, response_id in pair:
            if verdict.template and model in ids and response_id not in ids[model]:
                raise InputError(
                    f"is on response {response_id} of '{model}' to prompt {verdict.prompt_id}, "
                    "which is not among its responses: they were changed or made again",
                    path=path,
                    line=line_of(path, index),
                    fix=MADE_ANEW,
                )


def line_of(path: Path, index: int) -> int:
    """The line of the record of this index; empty lines hold none."""
    with path.open("rb") as file:
        lines = [number for number, line in enumerate(file, start=1) if line.strip()]
    return lines[index]


def _value_of(reply: str, instrument: Instrument) -> int | None:
    return instrument.value_of(reply)


def _end_of(judgment: Judgment) -> str:
    return judgment.reply.strip().splitlines()[-1] if judgment.reply.strip() else ""
