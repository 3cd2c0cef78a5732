"""`limaflow judge`: verdicts on pairs and grades of single responses by a model."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(no_args_is_help=True)

JudgeBlock = Annotated[str, typer.Option("--judge", help="The judge as JSON (config: judges).")]
Prompts = Annotated[Path, typer.Option(help="JSONL of the prompts that were answered.")]
StoreFile = Annotated[
    Path, typer.Option("--store", help="SQLite file with every answer paid for so far.")
]
Output = Annotated[Path, typer.Option(help="The file to write.")]
RoundKey = Annotated[
    Path | None,
    typer.Option("--key", help="Key of `limaflow annotate packet`: only what people are shown."),
]
MaxErrorShare = Annotated[
    float, typer.Option(min=0, max=1, help="More failures than this share, and nothing is written.")
]
Identity = Annotated[
    str,
    typer.Option(
        envvar="LIMAFLOW_JUDGE_IDENTITY",
        help="Distinguishes this judge from another of the same model name.",
    ),
]
Run = Annotated[str, typer.Option(help="Whose budget the calls are counted against.")]
BudgetBlock = Annotated[
    str, typer.Option("--budget", help="judging.budget, as JSON: cost and tokens of the run.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what asking would cost, and write nothing.")
]
Without = Annotated[
    list[str] | None,
    typer.Option(help="Leave out prompts with this tag or label (`sensitive`); repeat."),
]
INSTRUMENT = "One of ours by name, or the path of your own (.md)."


@app.command()
def compare(
    *,
    judge: JudgeBlock,
    prompts: Prompts,
    first: Annotated[Path, typer.Option(help="JSONL of one model's responses.")],
    second: Annotated[Path, typer.Option(help="JSONL of the other model's responses.")],
    store: StoreFile,
    seed: Annotated[int, typer.Option(min=0, help="The experiment's seed.")],
    output: Output,
    instrument: Annotated[str, typer.Option(help=INSTRUMENT)] = "pairwise",
    orders: Annotated[
        Literal["both", "one"], typer.Option(help="Show each pair in both orders, or in one drawn.")
    ] = "both",
    key: RoundKey = None,
    without: Without = None,
    max_error_share: MaxErrorShare = 0.0,
    identity: Identity = "",
    run: Run = "",
    budget: BudgetBlock = "{}",
    dry_run: DryRun = False,
) -> None:
    """Pairwise verdicts on two models' responses to the same prompts."""
    from limaflow.judging.job import carry_out, read_job, terms_of
    from limaflow.judging.pairwise import pairs, verdicts

    job = read_job(
        instrument=instrument,
        forms=("pairwise",),
        prompts=prompts,
        responses=(first, second),
        key=key,
        without=without or (),
        terms=terms_of(
            judge=judge,
            store=store,
            identity=identity,
            run=run,
            budget=budget,
            max_error_share=max_error_share,
        ),
    )
    shown = pairs(job.prompts, *job.responses, orders=orders, seed=seed)
    carry_out(job, job.of_round(shown), verdicts, output, dry_run=dry_run)


@app.command()
def grade(
    *,
    judge: JudgeBlock,
    prompts: Prompts,
    responses: Annotated[Path, typer.Option(help="JSONL of responses, of one model or several.")],
    store: StoreFile,
    output: Output,
    instrument: Annotated[str, typer.Option(help=INSTRUMENT)] = "likert",
    key: RoundKey = None,
    more_responses: Annotated[
        list[Path] | None, typer.Option(help="JSONL of further models; repeat.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only prompts with this tag or label, or another one named; repeat."),
    ] = None,
    without: Without = None,
    max_error_share: MaxErrorShare = 0.0,
    identity: Identity = "",
    run: Run = "",
    budget: BudgetBlock = "{}",
    dry_run: DryRun = False,
) -> None:
    """Grades of single responses to the prompts, which every model must have answered."""
    from limaflow.judging.grading import graded, grades
    from limaflow.judging.job import carry_out, read_job, terms_of

    job = read_job(
        instrument=instrument,
        forms=("grade", "turn"),
        prompts=prompts,
        responses=(responses, *(more_responses or ())),
        key=key,
        only=only or (),
        without=without or (),
        terms=terms_of(
            judge=judge,
            store=store,
            identity=identity,
            run=run,
            budget=budget,
            max_error_share=max_error_share,
        ),
    )
    answered = [response for of_file in job.responses for response in of_file]
    # Prompts may be named by tags that none of them has.
    shown = graded(job.prompts, answered) if job.prompts else []
    carry_out(job, job.of_round(shown), grades, output, dry_run=dry_run)


@app.command()
def items(
    *,
    judge: JudgeBlock,
    items: Annotated[Path, typer.Option(help="items.jsonl of one model's benchmarks.")],
    store: StoreFile,
    output: Output,
    instrument: Annotated[str, typer.Option(help=INSTRUMENT)] = "right-answer",
    max_error_share: MaxErrorShare = 0.0,
    identity: Identity = "",
    run: Run = "",
    budget: BudgetBlock = "{}",
    dry_run: DryRun = False,
) -> None:
    """Whether replies to benchmark items are right, by a judge that sees the right answers."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records
    from limaflow.judging.item_grading import answer_grades, item_replies
    from limaflow.judging.job import Job, carry_out, load_of, terms_of
    from limaflow.records import BenchmarkItem

    terms = terms_of(
        judge=judge,
        store=store,
        identity=identity,
        run=run,
        budget=budget,
        max_error_share=max_error_share,
    )
    loaded = load_of(instrument, ("item",))
    found = list(read_records(items, BenchmarkItem))
    try:
        shown = item_replies(found)
    except InputError as error:
        raise InputError(str(error), path=items) from None
    job = Job(instrument=loaded, prompts=[], responses=[], key=None, terms=terms)
    carry_out(job, shown, answer_grades, output, dry_run=dry_run)


@app.command()
def release(
    store: StoreFile,
    run: Annotated[
        str | None, typer.Option(help="Only what this run reserved; in the workflow: experiment.")
    ] = None,
) -> None:
    """Give back to budgets what calls of processes that have ended had reserved.

    Such calls may have been charged; look at the provider's bill before you count on the room.
    """
    from limaflow.endpoints.store import Store
    from limaflow.errors import InputError

    if not store.exists():
        raise InputError("no such store", path=store)
    with Store(store) as opened:
        released = opened.release_dead(run)
        left = opened.runs_with_reservations(run)
    for name, held in released.items():
        print(
            f"{name or 'without a run'}: released cost {held.cost:.2f} and {held.tokens:,} tokens"
        )
    if not released:
        print("nothing to release: no ended process holds a reservation")
    if left:
        print(f"still reserved, by processes at work and batches: {', '.join(map(repr, left))}")


@app.command()
def turns(
    file: Annotated[Path, typer.Argument(help="JSONL of conversations: `messages`.")],
    *,
    model: Annotated[str, typer.Option(help="Whose the assistant's turns are.")],
    prompts: Annotated[Path, typer.Option(help="Writes the turns before each turn of the model.")],
    responses: Annotated[Path, typer.Option(help="Writes the turns, as responses.")],
) -> None:
    """Split recorded conversations, so that each turn of the model can be judged."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging.conversation_turns import Chat
    from limaflow.judging.conversation_turns import turns as turns_of

    try:
        asked, answered = turns_of(list(read_records(file, Chat)), model)
    except InputError as error:
        raise InputError(str(error), path=file) from None
    write_records(prompts, asked, key=lambda prompt: prompt.id)
    count = write_records(responses, answered, key=lambda r: (r.prompt_id, r.sample))
    print(f"{count} turns of {model}")
