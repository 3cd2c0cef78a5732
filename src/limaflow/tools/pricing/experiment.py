"""The price of every job of an experiment that asks an endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.endpoints.session import Question, Terms
from limaflow.jsonl import read_records
from limaflow.judging.grading import graded
from limaflow.judging.instrument import Instrument, load
from limaflow.judging.item_grading import item_replies
from limaflow.judging.pairwise import pairs
from limaflow.judging.pricing import Price, price, price_of_responses
from limaflow.judging.response_index import concerned
from limaflow.records import BenchmarkItem, Example, Response
from limaflow.results import Results

Subjects = list[tuple[str, tuple[Path, ...]]]
"""What is judged, by name, and the files of it."""


def prices_of(config: Config, root: Path) -> tuple[list[Price], list[str]]:
    """A price for each job that asks an endpoint, and the names of those that cannot be priced yet.

    Jobs of judges need their responses; an arm with an endpoint that has answered costs nothing.
    """
    prices: list[Price] = []
    unpriced: list[str] = []
    results = Results(root)
    prompts = results.prompts("test")
    for arm in config.arms:
        if arm.endpoint is None or results.responses("test", arm.name).exists():
            continue
        if prompts.exists():
            examples = list(read_records(prompts, Example))
            prices.append(price_of_responses(arm.endpoint, examples, config.generation.decoding))
        else:
            unpriced.append(f"responses of {arm.name}")
    for job in _jobs(config, results):
        if not all(path.exists() for path in (job.prompts, *job.responses)):
            unpriced.append(job.name)
            continue
        terms = Terms(judge=config.judge(job.judge), store=Path(config.judging.store))
        prices.append(price(job.name, _questions(job, config), terms))
    return prices, unpriced


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One file of verdicts or grades that the workflow asks a judge for."""

    name: str
    judge: str
    instrument: Instrument
    prompts: Path
    """Of benchmark items the items themselves."""
    responses: tuple[Path, ...]


def _jobs(config: Config, results: Results) -> Iterator[_Job]:
    judging = config.judging
    answers = {arm.name: results.responses("test", arm.name) for arm in config.arms}
    pairs_of_arms: Subjects = [
        (c.name, (answers[c.first], answers[c.second]))
        for c in config.comparisons
        if not c.verdicts
    ]
    responses_of_arms: Subjects = [
        (f"{arm}, {{instrument}}", (path,)) for arm, path in answers.items()
    ]
    replies_of_arms: Subjects = [
        (f"replies of {arm} to benchmarks, {{instrument}}", (results.benchmark_items(arm),))
        for arm in config.benchmarks.arms
    ]
    used = {name: load(file) for name, file in judging.files.items() if judging.judges(name)}
    for name, instrument in used.items():
        subjects: Subjects = responses_of_arms
        if instrument.head.form == "pairwise":
            subjects = pairs_of_arms
        elif instrument.head.form == "item":
            subjects = replies_of_arms
        for judge in judging.judges(name):
            for job, responses in subjects:
                yield _Job(
                    name=f"{job.format(instrument=name)} by {judge}",
                    judge=judge,
                    instrument=instrument,
                    prompts=responses[0]
                    if instrument.head.form == "item"
                    else results.prompts("test"),
                    responses=responses,
                )
    for tuned in (arm.name for arm in config.arms if arm.is_trained):
        yield _Job(
            name=f"{tuned} after each epoch by {judging.selection.judge}",
            judge=judging.selection.judge,
            instrument=load(judging.files[judging.selection.instrument]),
            prompts=results.prompts("dev"),
            responses=(results.responses("dev", tuned),),
        )


def _questions(job: _Job, config: Config) -> list[Question]:
    if job.instrument.head.form == "item":
        replies = item_replies(read_records(job.responses[0], BenchmarkItem))
        return [reply.question(job.instrument) for reply in replies]
    examples = list(read_records(job.prompts, Example))
    files = [list(read_records(path, Response)) for path in job.responses]
    prompts, responses = concerned(job.instrument, examples, files)
    if job.instrument.head.form == "pairwise":
        shown = pairs(prompts, *responses, orders=config.judging.orders, seed=config.seed)
        return [pair.question(job.instrument) for pair in shown]
    return [item.question(job.instrument) for item in graded(prompts, *responses)]
