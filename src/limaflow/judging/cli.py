"""`limaflow judge`: verdicts and grades by a judge, recorded ones, and what they come to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from limaflow.endpoints.session import Question, Terms

app = typer.Typer(no_args_is_help=True)

JudgeBlock = Annotated[str, typer.Option("--judge", help="The judge as JSON (config: judges).")]
Identity = Annotated[
    str,
    typer.Option(
        envvar="LIMAFLOW_JUDGE_IDENTITY",
        help="What tells this judge from another of the same model name.",
    ),
]
Prompts = Annotated[Path, typer.Option(help="JSONL of the prompts that were answered.")]
StoreFile = Annotated[
    Path, typer.Option("--store", help="SQLite file with every answer paid for so far.")
]
RoundKey = Annotated[
    Path | None,
    typer.Option("--key", help="Key of `limaflow annotate packet`: only what people are shown."),
]
Template = Annotated[
    Path | None, typer.Option(help="A template of your own instead of the package's.")
]
MaxErrorShare = Annotated[
    float, typer.Option(min=0, max=1, help="More failures than this share, and nothing is written.")
]
Run = Annotated[str, typer.Option(help="Whose budget the calls are counted against.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what asking would cost, and write nothing.")
]
BudgetBlock = Annotated[
    str, typer.Option("--budget", help="judging.budget, as JSON: cost and tokens of the run.")
]
MergeRule = Annotated[
    Literal["strict", "mean"],
    typer.Option("--merge", help="Two orders that disagree are a tie, or count half each."),
]
Bootstrap = Annotated[int, typer.Option(min=1, help="Bootstrap rounds over prompts.")]
Confidence = Annotated[float, typer.Option(min=0.5, max=0.9999, help="Level of the intervals.")]
Seed = Annotated[int, typer.Option(min=0, help="The experiment's seed.")]
Output = Annotated[Path, typer.Option(help="The file to write.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="OURS=THEIRS: what a table calls one of our columns; repeat."),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--value", help="OURS=TEXT: what one of our columns holds in every row; repeat."),
]
Words = Annotated[
    list[str] | None,
    typer.Option("--word", help="THEIRS=OURS: what a table says for first, second, tie; repeat."),
]
Repeats = Annotated[
    bool,
    typer.Option(
        "--repeats", help="Take what stands twice as another reading; else it is refused."
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", help="NAME=annotator,annotator: crowd, authors, …; `expert_*` too; repeat."
    ),
]
GradeFiles = Annotated[list[Path], typer.Argument(help="JSONL of grades.")]
VerdictFiles = Annotated[
    list[Path],
    typer.Argument(help="Verdicts: our JSON lines, or somebody's .csv, .tsv, .json, .parquet."),
]


@app.command()
def compare(
    *,
    judge: JudgeBlock,
    prompts: Prompts,
    first: Annotated[Path, typer.Option(help="JSONL of one model's responses.")],
    second: Annotated[Path, typer.Option(help="JSONL of the other model's responses.")],
    store: StoreFile,
    seed: Seed,
    output: Output,
    orders: Annotated[
        Literal["both", "one"], typer.Option(help="Show each pair in both orders, or in one drawn.")
    ] = "both",
    key: RoundKey = None,
    max_error_share: MaxErrorShare = 0.0,
    identity: Identity = "",
    template: Template = None,
    run: Run = "",
    budget: BudgetBlock = "{}",
    dry_run: DryRun = False,
) -> None:
    """Pairwise verdicts on two models' responses to the same prompts."""
    from functools import partial

    from limaflow.endpoints.client import ask_all
    from limaflow.endpoints.session import Terms
    from limaflow.endpoints.settings import Budget, Judge
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging import pairwise
    from limaflow.judging.instrument import load
    from limaflow.judging.rounds import only, read_key
    from limaflow.mistakes import parse_block
    from limaflow.records import Example, Response

    block = parse_block(Judge, judge, "--judge")
    instrument = load("pairwise", template)
    pairs = pairwise.pairs(
        list(read_records(prompts, Example)),
        list(read_records(first, Response)),
        list(read_records(second, Response)),
        orders=orders,
        seed=seed,
    )
    if key:
        pairs = only(pairs, read_key(key), instrument)
    terms = Terms(
        judge=block,
        store=store,
        identity=identity,
        run=run,
        budget=parse_block(Budget, budget, "--budget"),
        max_error_share=max_error_share,
    )
    if dry_run:
        _say_price(output.stem, [pair.question(instrument) for pair in pairs], terms)
        return
    ask = partial(ask_all, terms=terms)
    verdicts = pairwise.verdicts(pairs, instrument, block.name, ask)
    write_records(output, verdicts)
    _report([v.error for v in verdicts], [v.answered_by for v in verdicts], "verdicts")


@app.command()
def grade(
    *,
    judge: JudgeBlock,
    prompts: Prompts,
    responses: Annotated[Path, typer.Option(help="JSONL of one model's responses.")],
    store: StoreFile,
    output: Output,
    instrument: Annotated[
        Literal["likert", "quality", "safety"],
        typer.Option(help="1 to 6; excellent, pass or fail; safe or unsafe."),
    ] = "likert",
    key: RoundKey = None,
    max_error_share: MaxErrorShare = 0.0,
    identity: Identity = "",
    template: Template = None,
    run: Run = "",
    budget: BudgetBlock = "{}",
    dry_run: DryRun = False,
) -> None:
    """Grades of one model's responses: helpfulness from 1 to 6, quality, or safety."""
    from functools import partial

    from limaflow.endpoints.client import ask_all
    from limaflow.endpoints.session import Terms
    from limaflow.endpoints.settings import Budget, Judge
    from limaflow.jsonl import read_records, write_records
    from limaflow.judging import grading
    from limaflow.judging.instrument import load
    from limaflow.judging.rounds import only, read_key
    from limaflow.mistakes import parse_block
    from limaflow.records import Example, Response

    block = parse_block(Judge, judge, "--judge")
    text = load(instrument, template)
    shown = grading.graded(
        list(read_records(prompts, Example)), list(read_records(responses, Response))
    )
    if key:
        shown = only(shown, read_key(key), text)
    terms = Terms(
        judge=block,
        store=store,
        identity=identity,
        run=run,
        budget=parse_block(Budget, budget, "--budget"),
        max_error_share=max_error_share,
    )
    if dry_run:
        _say_price(output.stem, [one.question(text) for one in shown], terms)
        return
    ask = partial(ask_all, terms=terms)
    grades = grading.grades(shown, instrument, text, block.name, ask)
    write_records(output, grades)
    _report([g.error for g in grades], [g.answered_by for g in grades], "grades")


@app.command()
def turns(
    file: Annotated[Path, typer.Argument(help="JSONL of conversations: `messages`.")],
    *,
    model: Annotated[str, typer.Option(help="Whose the assistant's turns are.")],
    prompts: Annotated[Path, typer.Option(help="Writes what was said before each turn.")],
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


@app.command("price")
def say_price(
    files: Annotated[list[Path], typer.Argument(help="config.yaml and overlays, later ones win.")],
    results: Annotated[
        Path | None, typer.Option(help="The experiment's results; by default results/NAME.")
    ] = None,
) -> None:
    """What an experiment's judges and endpoints would cost, as far as it has come; asks nobody."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.endpoints.spending import unsettled
    from limaflow.endpoints.store import Store
    from limaflow.judging.pricing import of_experiment

    config = parse(merged(files), origin=" + ".join(map(str, files)))
    prices, lacking = of_experiment(config, results or Path("results") / config.experiment)
    for one in prices:
        print(one.line())
    print(
        f"together: {sum(p.to_ask for p in prices):,} questions to ask, cost "
        f"{sum(p.cost for p in prices):.2f}, at most {sum(p.cost_at_most for p in prices):.2f}"
    )
    if lacking:
        print(f"not priced, since responses are not there yet: {'; '.join(lacking)}")
    if Path(config.judging.store).exists():
        with Store(Path(config.judging.store)) as store:
            spent, reserved = store.spent(config.experiment), store.reserved(config.experiment)
        print(f"so far: {spent.of(config.judging.budget)}")
        if besides := unsettled(reserved):
            print(f"besides: {besides}")


@app.command()
def adopt(
    file: Annotated[
        Path,
        typer.Argument(
            help="Verdicts that someone made: JSONL, or a .csv, .tsv or .parquet of them."
        ),
    ],
    prompts: Prompts,
    first: Annotated[str, typer.Option(help="Name of one model.")],
    second: Annotated[str, typer.Option(help="Name of the other model.")],
    output: Output,
) -> None:
    """Take in recorded verdicts, checked against the prompts."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example
    from limaflow.verdict_import.checks import checked
    from limaflow.verdict_import.tables import read_verdicts

    asked = list(read_records(prompts, Example))
    recorded, _ = read_verdicts(file)
    try:
        verdicts = checked(recorded, asked, first, second)
    except InputError as error:
        raise InputError(str(error), path=file) from None
    write_records(output, verdicts)
    judged = len({verdict.prompt_id for verdict in verdicts})
    print(f"{len(verdicts)} verdicts on {judged} of {len(asked)} prompts")


@app.command()
def summarize(
    verdicts: VerdictFiles,
    *,
    output: Output,
    seed: Seed,
    merge: MergeRule = "strict",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    responses: Annotated[
        list[Path] | None, typer.Option(help="JSONL of the responses judged, for their lengths.")
    ] = None,
    strengths: Annotated[
        Path | None, typer.Option(help="Also write Bradley–Terry strengths of the models.")
    ] = None,
    pool: Annotated[
        str, typer.Option(help="Take all annotators of a file as one crowd of this name.")
    ] = "",
    column: Columns = None,
    value: Values = None,
    word: Words = None,
    repeats: Repeats = False,
) -> None:
    """Win, tie and lose rates with intervals over prompts, and how far to trust the judge."""
    import dataclasses

    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_json
    from limaflow.measures.intervals import Resampling
    from limaflow.measures.outcomes import pooled, renumbered
    from limaflow.measures.preferences import length_of, preferences
    from limaflow.measures.strengths import strengths_by_judge
    from limaflow.records import Response
    from limaflow.verdict_import.column_mapping import layout_of
    from limaflow.verdict_import.tables import read_verdicts

    chars: dict[str, int] = {}
    for path in responses or []:
        chars |= length_of(read_records(path, Response))
    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    layout = layout_of(column, value, word)
    summaries, everything = [], []
    for path in verdicts:
        records, lengths = read_verdicts(path, layout)
        if repeats:
            records = renumbered(records)
        if pool:
            records = pooled(records, pool)
        everything += records
        try:
            summaries += preferences(
                records,
                rule=merge,
                resampling=resampling,
                chars=chars | lengths,
                comparison=path.stem,
            )
        except InputError as error:
            raise InputError(str(error), path=path) from None
    write_json(output, [dataclasses.asdict(summary) for summary in summaries])
    for s in summaries:
        graded = f", graded {s.graded_win.estimate:.2%}" if s.graded_win else ""
        needed = f"; five points take {s.power.prompts_needed} prompts" if s.power else ""
        print(
            f"{s.comparison} ({s.judge}): {s.prompts} prompts, win {s.win.estimate:.1%}, "
            f"tie {s.tie.estimate:.1%}, lose {s.lose.estimate:.1%}{graded}, "
            f"p = {s.p_value:.3g}{needed}"
        )
    if strengths is not None:
        found = strengths_by_judge(everything, rule=merge, resampling=resampling)
        write_json(strengths, [dataclasses.asdict(of_judge) for of_judge in found])
        for of_judge in found:
            ranked = sorted(of_judge.estimates.items(), key=lambda model: -model[1])
            told = ", ".join(f"{name} {strength:+.2f}" for name, strength in ranked)
            if of_judge.refused:
                told = f"{told}; no intervals: {of_judge.refused}" if told else of_judge.refused
            print(f"Bradley–Terry ({of_judge.judge}): {told}")


@app.command()
def agreement(
    verdicts: VerdictFiles,
    *,
    output: Output,
    seed: Seed,
    merge: MergeRule = "strict",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    group: Groups = None,
    column: Columns = None,
    value: Values = None,
    word: Words = None,
    repeats: Repeats = False,
) -> None:
    """How far people, models, and a judge with itself agree on the same pairs of responses."""
    import dataclasses

    from limaflow.jsonl import write_json
    from limaflow.measures.intervals import Resampling
    from limaflow.measures.outcomes import passes
    from limaflow.measures.ratings import default_groups
    from limaflow.measures.verdict_agreement import agreements
    from limaflow.verdict_import.column_mapping import layout_of, named
    from limaflow.verdict_import.tables import read_verdicts

    layout = layout_of(column, value, word)
    files = [read_verdicts(path, layout)[0] for path in verdicts]
    if repeats:
        files = [of_pass for records in files for of_pass in passes(records)]
    groups = {name: told.split(",") for name, told in named(group, "--group").items()}
    found = agreements(
        files,
        groups or default_groups(verdict for records in files for verdict in records),
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
        merge,
    )
    write_json(output, [dataclasses.asdict(row) for row in found])
    for row in found:
        kappa = f", kappa {row.cohen.estimate:.3f}" if row.cohen else ""
        alpha = f", alpha {row.alpha.estimate:.3f}" if row.alpha else ""
        print(
            f"{row.relation}: {row.first}, {row.second}: {row.items} items, "
            f"{row.agreement.estimate:.1%} agree, "
            f"{row.tie_discounted.estimate:.1%} tie-discounted{kappa}{alpha}"
        )
    if not found:
        print("no two verdicts are on the same item")


@app.command("summarize-grades")
def summarize_grades(
    grades: GradeFiles,
    output: Output,
    seed: Seed,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """Mean grade of each model with an interval over prompts, and the count of each level."""
    import dataclasses

    from limaflow.jsonl import read_records, write_json
    from limaflow.measures.intervals import Resampling
    from limaflow.measures.preferences import grade_summaries
    from limaflow.records import Grade

    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    records = [record for path in grades for record in read_records(path, Grade)]
    summaries = grade_summaries(records, resampling)
    write_json(output, [dataclasses.asdict(summary) for summary in summaries])
    for s in summaries:
        print(f"{s.model} ({s.judge}): {s.prompts} prompts, mean {s.mean.estimate:.2f}")


@app.command("agreement-of-grades")
def agreement_of_grades(
    grades: GradeFiles,
    *,
    output: Output,
    seed: Seed,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    group: Groups = None,
) -> None:
    """How far people, models, and a judge with itself agree on grades of the same responses."""
    import dataclasses

    from limaflow.jsonl import read_records, write_json
    from limaflow.measures.grade_agreement import grade_agreements
    from limaflow.measures.intervals import Resampling
    from limaflow.measures.ratings import default_groups
    from limaflow.records import Grade
    from limaflow.verdict_import.column_mapping import named

    files = [list(read_records(path, Grade)) for path in grades]
    groups = {name: told.split(",") for name, told in named(group, "--group").items()}
    found = grade_agreements(
        files,
        groups or default_groups(grade for records in files for grade in records),
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [dataclasses.asdict(row) for row in found])
    for row in found:
        weighted = "" if row.weights == "none" else f"{row.weights} "
        kappa = f", {weighted}kappa {row.cohen.estimate:.3f}" if row.cohen else ""
        alpha = f", {row.metric} alpha {row.alpha.estimate:.3f}" if row.alpha else ""
        print(
            f"{row.scale}, {row.relation}: {row.first}, {row.second}: {row.items} responses, "
            f"{row.agreement.estimate:.1%} agree{kappa}{alpha}"
        )
    if not found:
        print("no two grades are of the same response")


def _say_price(job: str, questions: "list[Question]", terms: "Terms") -> None:
    from limaflow.judging.pricing import price

    print(price(job, questions, terms).line())


def _report(errors: list[str | None], answered_by: list[str], noun: str) -> None:
    """Print how many records there are, how many failed, and who answered."""
    from collections import Counter

    failed = sum(error is not None for error in errors)
    print(f"{len(errors)} {noun}, {failed} errors")
    answering = Counter(name for name in answered_by if name)
    if len(answering) > 1:
        told = ", ".join(f"{name} ({count})" for name, count in answering.most_common())
        print(f"the endpoint's model changed in the middle: {told}")
