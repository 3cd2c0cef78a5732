"""`limaflow analyze`: the alignment tax, claims, figures and tables."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Bootstrap = Annotated[int, typer.Option(min=100, help="Rounds of the bootstrap.")]
Confidence = Annotated[float, typer.Option(min=0.5, max=0.999, help="Confidence of intervals.")]
Seed = Annotated[int, typer.Option(help="Seed of the bootstrap.")]
Lima = Annotated[str, typer.Option(help="The arm whose view is taken: analysis.lima_arm.")]
StandsFor = Annotated[
    list[str] | None,
    typer.Option(help="The arm that is a baseline of the paper's, as BASELINE=ARM; repeat."),
]
MeasuredBase = Annotated[
    str, typer.Option(help="The arm that scores and answers are compared with.")
]
Described = Annotated[
    list[str] | None, typer.Option(help="What an arm is, as ARM=WORDS, beside its name; repeat.")
]
Roles = Annotated[
    list[str] | None, typer.Option(help="An arm that plays a part, as PART=ARM; repeat.")
]
Miniature = Annotated[bool, typer.Option("--miniature", help="Label it as the invented world's.")]
Input = Annotated[
    list[str], typer.Option("--input", help="An input file as NAME=PATH; repeat for several.")
]


@app.command()
def tax(
    *,
    tuned: Annotated[list[Path], typer.Argument(help="items.jsonl of the tuned arms.")],
    base: Annotated[Path, typer.Option(help="items.jsonl of the base.")],
    bootstrap: Bootstrap,
    confidence: Confidence,
    seed: Seed,
    output: Annotated[Path, typer.Option(help="Writes tax.json.")],
    results: Annotated[
        list[Path] | None,
        typer.Option(help="results.json of base and tuned arms: how each was measured; repeat."),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option(help="ARM=items.jsonl of one of its training seeds, the first too; repeat."),
    ] = None,
    graded: Annotated[
        list[Path] | None,
        typer.Option(help="What a judge or people say of the replies (JSONL); repeat."),
    ] = None,
    contaminated: Annotated[
        list[Path] | None,
        typer.Option(
            help="A list of items that training data hold: columns task, item and, where it is of "
            "one arm alone, arm; repeat."
        ),
    ] = None,
    shared: Annotated[
        list[str] | None,
        typer.Option(help="ARM=contamination.jsonl of its training data; repeat."),
    ] = None,
    searched: Annotated[
        list[str] | None,
        typer.Option(help="An arm from whose training data shared texts were removed; repeat."),
    ] = None,
) -> None:
    """Benchmarks before and after tuning, with paired differences."""
    from dataclasses import asdict

    from limaflow.analysis.contaminated_items import read_contaminated
    from limaflow.analysis.measured_tasks import Results
    from limaflow.analysis.tax import alignment_tax
    from limaflow.analysis.tax_over_seeds import over_seeds
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_json, read_records, write_json
    from limaflow.records import AnswerGrade

    rows = alignment_tax(
        base,
        tuned,
        rounds=bootstrap,
        confidence=confidence,
        seed=seed,
        results=results or (),
        contaminated=read_contaminated(
            contaminated or (), _paths_by_name("--shared", shared), searched or ()
        ),
        graded=[grade for path in graded or () for grade in read_records(path, AnswerGrade)],
    )
    rows = over_seeds(
        rows,
        base,
        _paths_by_name("--seeds", seeds),
        {found.model: found for found in (read_json(path, Results) for path in results or ())},
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [asdict(row) for row in rows])
    for row in rows:
        d = row.difference
        found = f"{d.estimate:+.4f} [{d.low:+.4f}, {d.high:+.4f}]" if d else "not paired"
        print(f"{row.asked_arm}: {row.task}: {found}{row.unpaired and f': {row.unpaired}'}")
        if row.contaminated:
            print(f"  {row.contaminated} of {row.items} items stand in training data")


def _paths_by_name(option: str, words: list[str] | None) -> dict[str, list[Path]]:
    """Files from NAME=PATH words."""
    from limaflow.analysis.named_values import grouped

    return {name: list(map(Path, paths)) for name, paths in grouped(option, words or []).items()}


@app.command()
def seeds(
    *,
    further_seed: Annotated[
        list[str],
        typer.Option(
            help="FURTHER=ARM: an arm that is another, trained with another seed; repeat."
        ),
    ],
    merge: Annotated[str, typer.Option(help="As `limaflow judge summarize` takes it.")],
    output: Annotated[Path, typer.Option(help="Writes seeds.json.")],
    preferences: Annotated[Path, typer.Option(help="preferences.json.")],
    graded: Annotated[Path, typer.Option(help="grades.json.")],
    tax: Annotated[Path | None, typer.Option(help="tax.json.")] = None,
    verdicts: Annotated[
        list[Path] | None, typer.Option(help="Verdicts of every seed's comparisons; repeat.")
    ] = None,
    grades: Annotated[
        list[Path] | None, typer.Option(help="Grades of every seed's responses; repeat.")
    ] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="File of an own instrument; repeat.")
    ] = None,
    base: Annotated[Path | None, typer.Option(help="items.jsonl of the base.")] = None,
    items: Annotated[
        list[Path] | None, typer.Option(help="items.jsonl of every seed; repeat.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="results.json of the base and of every seed: its main format; repeat."),
    ] = None,
) -> None:
    """What each training seed of an arm came to, beside the arm's interval."""
    from dataclasses import asdict

    from limaflow.analysis.tax import alignment_tax
    from limaflow.analysis.training_seeds import spreads
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_json, read_records, write_json
    from limaflow.judging.instrument import known
    from limaflow.measures.grade_means import grade_summaries
    from limaflow.measures.outcomes import renumbered
    from limaflow.measures.preferences import preferences as summarized
    from limaflow.measures.summaries import MERGES, GradeSummary, Preference, TaskTax
    from limaflow.measures.training_seeds import arms_trained_again
    from limaflow.records import Grade, Verdict

    # Of a single seed the estimate alone is shown.
    resampling = Resampling(rounds=1, confidence=0.95, seed=0)
    rule = next(known_rule for known_rule in MERGES if known_rule == merge)
    found = spreads(
        arms_trained_again(further_seed),
        read_json(preferences, list[Preference]),
        read_json(graded, list[GradeSummary]),
        [] if tax is None else read_json(tax, list[TaskTax]),
        of_seeds=(
            [
                summary
                for path in verdicts or ()
                for summary in summarized(
                    renumbered(read_records(path, Verdict)),
                    rule=rule,
                    resampling=resampling,
                    comparison=path.stem,
                )
            ],
            grade_summaries(
                [grade for path in grades or () for grade in read_records(path, Grade)],
                known(instrument or ()),
                resampling,
            ),
            alignment_tax(
                base, items or [], rounds=1, confidence=0.95, seed=0, results=results or ()
            )
            if base
            else [],
        ),
    )
    write_json(output, [asdict(row) for row in found])
    for row in found:
        listed = ", ".join(f"{seed.arm} {seed.estimate:.3f}" for seed in row.seeds)
        print(f"{row.arm}, {row.quantity}, {row.subject}: {listed}")


@app.command()
def claims(
    *,
    lima: Lima,
    bootstrap: Bootstrap,
    confidence: Confidence,
    seed: Seed,
    output: Annotated[Path, typer.Option(help="Writes claims.json.")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="The part that an arm plays in claims, as ROLE=ARM; repeat."),
    ] = None,
    stands_for: StandsFor = None,
    teaches: Annotated[
        list[str] | None,
        typer.Option(
            help="A task about facts of an arm's examples that the base's corpus lacks, as "
            "ARM=TASK; repeat."
        ),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="The test prompts (JSONL): others are set aside.")
    ] = None,
    responses: Annotated[
        list[Path] | None,
        typer.Option(help="Test responses: who answered, and how many were cut; repeat."),
    ] = None,
    trained: Annotated[
        list[Path] | None, typer.Option(help="training.json of every tuned arm; repeat.")
    ] = None,
    adapted: Annotated[
        list[Path] | None,
        typer.Option(help="chosen.json of every arm that was tuned by an adapter; repeat."),
    ] = None,
    training_seeds: Annotated[
        list[str] | None,
        typer.Option(help="With how many seeds an arm was trained, as ARM=NUMBER; repeat. Else 1."),
    ] = None,
    further_seed: Annotated[
        list[str] | None,
        typer.Option(
            help="FURTHER=ARM: an arm among the grades that is another, trained with another seed; "
            "repeat."
        ),
    ] = None,
    seeds: Annotated[Path | None, typer.Option(help="seeds.json.")] = None,
    contamination: Annotated[
        list[Path] | None,
        typer.Option(help="What the LIMA arm's examples share with benchmarks (JSONL); repeat."),
    ] = None,
    preferences: Annotated[Path | None, typer.Option(help="preferences.json.")] = None,
    agreement: Annotated[Path | None, typer.Option(help="agreement.json.")] = None,
    agreement_of_grades: Annotated[
        Path | None, typer.Option(help="agreement_of_grades.json.")
    ] = None,
    graded: Annotated[Path | None, typer.Option(help="grades.json.")] = None,
    grades: Annotated[
        list[Path] | None, typer.Option(help="Grades of test responses (JSONL); repeat.")
    ] = None,
    tax: Annotated[Path | None, typer.Option(help="tax.json.")] = None,
    tax_from_lima: Annotated[
        Path | None,
        typer.Option(help="The same with the LIMA arm in place of the base, of other arms."),
    ] = None,
    formats: Annotated[Path | None, typer.Option(help="formats.json.")] = None,
    token_shift: Annotated[Path | None, typer.Option(help="token_shift.json.")] = None,
    training: Annotated[
        Path | None, typer.Option(help="training.json of the LIMA arm (dev perplexities).")
    ] = None,
    dev_grades: Annotated[
        list[Path] | None, typer.Option(help="Dev grades of the LIMA arm; repeat.")
    ] = None,
    dialogues: Annotated[Path | None, typer.Option(help="dialogues.json.")] = None,
    resistance: Annotated[Path | None, typer.Option(help="resistance.json.")] = None,
    started_from: Annotated[
        list[str] | None,
        typer.Option(help="Tuned arm and the arm that it started from, ARM=START; repeat."),
    ] = None,
    safety: Annotated[Path | None, typer.Option(help="safety.json.")] = None,
    with_dialogues: Annotated[
        list[str] | None,
        typer.Option(help="Arm tuned on dialogues too and the one without, ARM=WITHOUT; repeat."),
    ] = None,
    claims: Annotated[
        list[Path] | None, typer.Option(help="More claims (YAML), beside the paper's; repeat.")
    ] = None,
    miniature: Miniature = False,
) -> None:
    """Hold the claims of the paper, of its critics and of your own against what was measured."""
    from limaflow.analysis.arm_facts import arm_facts
    from limaflow.analysis.claims import Claims, decided
    from limaflow.analysis.epochs import after_lowest_perplexity
    from limaflow.analysis.evidence import Evidence
    from limaflow.analysis.named_values import grouped, numbers
    from limaflow.analysis.paper import paper
    from limaflow.analysis.training_seeds import Spread
    from limaflow.dialogue.measure import Dialogues
    from limaflow.format_checks.summary import Formats
    from limaflow.jsonl import read_json, read_records, write_json
    from limaflow.measures.summaries import (
        Agreement,
        GradeAgreement,
        GradeSummary,
        Preference,
        TaskTax,
    )
    from limaflow.measures.training_seeds import arms_trained_again
    from limaflow.records import Example, Grade, Match
    from limaflow.refusals.resistance import Resistance
    from limaflow.refusals.safety import Safety
    from limaflow.token_shift.summaries import Shift

    after_lowest = None
    if training is not None:
        after_lowest = after_lowest_perplexity(
            training, dev_grades or [], rounds=bootstrap, confidence=confidence, seed=seed
        )
    evidence = Evidence(
        lima=lima,
        roles=grouped("--role", role or []),
        stands_for=grouped("--stands-for", stands_for or []),
        teaches=grouped("--teaches", teaches or []),
        arms=arm_facts(
            responses or [],
            trained or [],
            numbers("--training-seeds", training_seeds or []),
            adapted or [],
        ),
        prompt_ids=frozenset(example.id for example in read_records(prompts, Example))
        if prompts
        else frozenset(),
        miniature=miniature,
        contaminated=frozenset(
            match.against for path in contamination or [] for match in read_records(path, Match)
        ),
        preferences=[] if preferences is None else read_json(preferences, list[Preference]),
        agreements=[] if agreement is None else read_json(agreement, list[Agreement]),
        grade_agreements=[]
        if agreement_of_grades is None
        else read_json(agreement_of_grades, list[GradeAgreement]),
        graded=[] if graded is None else read_json(graded, list[GradeSummary]),
        grades=[grade for path in grades or [] for grade in read_records(path, Grade)],
        tax=[] if tax is None else read_json(tax, list[TaskTax]),
        tax_from_lima=[] if tax_from_lima is None else read_json(tax_from_lima, list[TaskTax]),
        formats=None if formats is None else read_json(formats, Formats),
        seeds=[] if seeds is None else read_json(seeds, list[Spread]),
        trained_again=arms_trained_again(further_seed or []),
        token_shift=None if token_shift is None else read_json(token_shift, Shift),
        after_lowest=after_lowest,
        dialogues=None if dialogues is None else read_json(dialogues, Dialogues),
        resistance=None if resistance is None else read_json(resistance, Resistance),
        started_from={
            arm: starts[0] for arm, starts in grouped("--started-from", started_from or []).items()
        },
        dialogue_pairs={
            arm: without[0]
            for arm, without in grouped("--with-dialogues", with_dialogues or []).items()
        },
        safety=None if safety is None else read_json(safety, Safety),
        rounds=bootstrap,
        confidence=confidence,
        seed=seed,
    )
    found = decided(claims or [], evidence, paper())
    write_json(output, Claims(miniature=miniature, confidence=confidence, claims=found))
    for claim in found:
        print(f"{claim.id}: {claim.summary}")


@app.command()
def claims_table(
    claims: Annotated[Path, typer.Argument(help="claims.json.")],
    *,
    output: Annotated[Path, typer.Option(help="Writes this file: .csv, .md or .tex.")],
) -> None:
    """The claims as a table for another document."""
    from limaflow.analysis.claims import Claims
    from limaflow.analysis.claims_table import write_claims
    from limaflow.jsonl import read_json

    write_claims(read_json(claims, Claims).claims, output)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="As in results/<experiment>/figures.")],
    *,
    inputs: Input,
    output: Annotated[Path, typer.Option(help="Writes this SVG file, and a .csv beside it.")],
    lima: Lima = "",
    stands_for: StandsFor = None,
    base: MeasuredBase = "",
    described: Described = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    miniature: Miniature = False,
) -> None:
    """One figure as SVG, with a CSV of its numbers beside it."""
    from limaflow.analysis.exhibit import Options, files_of, named, write_figure
    from limaflow.analysis.exhibits.catalogue import FIGURES
    from limaflow.analysis.named_values import grouped, texts

    exhibit = named(FIGURES, name)
    options = Options(
        lima=lima,
        stands_for=grouped("--stands-for", stands_for or []),
        base=base,
        described=texts("--described", described or []),
        rounds=bootstrap,
        confidence=confidence,
        seed=seed,
    )
    write_figure(exhibit, files_of(inputs), options, output, miniature=miniature)


@app.command()
def artifact(
    name: Annotated[str, typer.Argument(help="As its target: fig1, table1, appendix_e, claims.")],
    *,
    inputs: Input,
    output: Annotated[
        Path, typer.Option(help="Writes this SVG file, and .pdf, .png, .csv, .md and .tex beside.")
    ],
    lima: Lima = "",
    stands_for: StandsFor = None,
    role: Roles = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    miniature: Miniature = False,
) -> None:
    """One figure, table or appendix of the paper: ours beside the paper's, in every format."""
    from limaflow.analysis.artifacts.artifact import write_artifact
    from limaflow.analysis.artifacts.catalogue import ARTIFACTS
    from limaflow.analysis.exhibit import Options, files_of, named
    from limaflow.analysis.named_values import grouped

    made = named(ARTIFACTS, name)
    options = Options(
        lima=lima,
        stands_for=grouped("--stands-for", stands_for or []),
        roles=grouped("--role", role or []),
        rounds=bootstrap,
        confidence=confidence,
        seed=seed,
    )
    write_artifact(made, files_of(inputs), options, output, miniature=miniature)
    print(f"{made.title}: {output.with_suffix('')}.{{svg,pdf,png,csv,md,tex}}")


@app.command()
def paper_table(
    artifacts: Annotated[list[Path], typer.Argument(help="CSV files of artifacts, in order.")],
    *,
    output: Annotated[Path, typer.Option(help="Writes this CSV, and .md and .tex beside it.")],
    missing: Annotated[
        list[str] | None, typer.Option(help="NAME=WHY of an artifact that is not made; repeat.")
    ] = None,
) -> None:
    """Every number of the artifacts in one table, with what could not be made, and why."""
    from limaflow.analysis.artifacts.whole_paper import write_whole

    for line in write_whole(artifacts, missing or [], output):
        print(line)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="As in results/<experiment>/tables.")],
    *,
    inputs: Input,
    output: Annotated[Path, typer.Option(help="Writes this CSV file.")],
    lima: Lima = "",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
) -> None:
    """One table as CSV."""
    from limaflow.analysis.exhibit import Options, files_of, named, write_table
    from limaflow.analysis.exhibits.catalogue import TABLES

    exhibit = named(TABLES, name)
    options = Options(lima=lima, rounds=bootstrap, confidence=confidence, seed=seed)
    write_table(exhibit, files_of(inputs), options, output)
