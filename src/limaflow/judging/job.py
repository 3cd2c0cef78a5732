"""One command that asks a judge: what its options name, read and checked, and its records."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from limaflow.endpoints import control_tokens
from limaflow.endpoints.answer import kinds
from limaflow.endpoints.client import Ask, ask_all
from limaflow.endpoints.session import Terms
from limaflow.endpoints.settings import Budget, Judge
from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.judging.front_matter import Form
from limaflow.judging.grading import Graded
from limaflow.judging.instrument import Instrument, load
from limaflow.judging.item_grading import ItemReply
from limaflow.judging.pairwise import Pair
from limaflow.judging.pricing import price
from limaflow.judging.response_index import concerned
from limaflow.judging.rounds import Key, only, read_key
from limaflow.mistakes import parse_block
from limaflow.records import AnswerGrade, Example, Grade, Response, Verdict

OfRound = TypeVar("OfRound", Pair, Graded)
Material = TypeVar("Material", Pair, Graded, ItemReply)
Judged = TypeVar("Judged", Verdict, Grade, AnswerGrade)
COMMANDS: Mapping[Form, str] = {
    "pairwise": "compare",
    "grade": "grade",
    "turn": "grade",
    "item": "items",
}
"""Which command of `limaflow judge` asks by an instrument of each form."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is asked, about which prompts, and on which terms."""

    instrument: Instrument
    prompts: list[Example]
    """Those that the instrument asks about; none of benchmark items."""
    responses: list[list[Response]]
    """To these prompts, of each file."""
    key: Key | None
    """Of a round of annotation whose items alone are judged."""
    terms: Terms

    def of_round(self, shown: Sequence[OfRound]) -> Sequence[OfRound]:
        """What is judged of all that could be shown."""
        return only(shown, self.key, self.instrument) if self.key else shown


def read_job(
    *,
    instrument: str,
    forms: Sequence[Form],
    prompts: Path,
    responses: Sequence[Path],
    key: Path | None,
    terms: Terms,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Job:
    """What `compare` and `grade` ask about; `only` and `without` as of `concerned`.

    Raises:
        InputError: as the readers of each; the instrument is of another form.
    """
    loaded = load_of(instrument, forms)
    files = [list(read_records(path, Response)) for path in responses]
    everything = list(read_records(prompts, Example))
    asked, answered = concerned(loaded, everything, files, only=only, without=without)
    return Job(
        instrument=loaded,
        prompts=asked,
        responses=answered,
        key=read_key(key) if key else None,
        terms=terms,
    )


def load_of(instrument: str, forms: Sequence[Form]) -> Instrument:
    """An instrument of one of these forms.

    Raises:
        InputError: as `load`, or it is of another form.
    """
    loaded = load(instrument)
    if loaded.head.form not in forms:
        raise InputError(
            f"the instrument {instrument} is of form {loaded.head.form}",
            fix=f"`limaflow judge {COMMANDS[loaded.head.form]}` asks by it",
        )
    return loaded


def terms_of(
    *, judge: str, store: Path, identity: str, run: str, budget: str, max_error_share: float
) -> Terms:
    """On which terms a judge is asked; `judge` and `budget` are blocks as JSON.

    Raises:
        InputError: one is no such block.
    """
    return Terms(
        judge=parse_block(Judge, judge, "--judge"),
        store=store,
        identity=identity,
        run=run,
        budget=parse_block(Budget, budget, "--budget"),
        max_error_share=max_error_share,
    )


def carry_out(
    job: Job,
    shown: Sequence[Material],
    judgments: Callable[[Sequence[Material], Instrument, str, Ask], list[Judged]],
    output: Path,
    *,
    dry_run: bool,
) -> None:
    """Ask about all that is shown and write the records; on a dry run print the price alone."""
    questions = [one.question(job.instrument) for one in shown]
    if notice := control_tokens.notice((q.text for q in questions), job.terms.judge.name):
        print(notice)
    if dry_run:
        print(price(output.stem, questions, job.terms).line())
        return
    ask = partial(ask_all, terms=job.terms)
    made = judgments(shown, job.instrument, job.terms.judge.name, ask)
    write_records(output, made)
    noun = "verdicts" if job.instrument.head.form == "pairwise" else "grades"
    errors = [one.error for one in made if one.error is not None]
    print(f"{len(made)} {noun}, {len(errors)} errors" + f": {kinds(errors)}" * bool(errors))
    answering = Counter(one.answered_by for one in made if one.answered_by)
    if len(answering) > 1:
        counts = ", ".join(f"{name} ({count})" for name, count in answering.most_common())
        print(f"the endpoint's model changed in the middle: {counts}")
