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
) -> None:
    """Benchmarks before and after tuning, with paired differences."""
    from dataclasses import asdict

    from limaflow.analysis.tax import alignment_tax
    from limaflow.jsonl import write_json

    rows = alignment_tax(
        base, tuned, rounds=bootstrap, confidence=confidence, seed=seed, results=results or ()
    )
    write_json(output, [asdict(row) for row in rows])
    for row in rows:
        d = row.difference
        found = f"{d.estimate:+.4f} [{d.low:+.4f}, {d.high:+.4f}]" if d else "not paired"
        print(f"{row.arm}: {row.task}: {found}{row.unpaired and f': {row.unpaired}'}")


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
    training_seeds: Annotated[
        list[str] | None,
        typer.Option(help="With how many seeds an arm was trained, as ARM=NUMBER; repeat. Else 1."),
    ] = None,
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
    training: Annotated[
        Path | None, typer.Option(help="training.json of the LIMA arm (dev perplexities).")
    ] = None,
    dev_grades: Annotated[
        list[Path] | None, typer.Option(help="Dev grades of the LIMA arm; repeat.")
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
    from limaflow.jsonl import read_json, read_records, write_json
    from limaflow.measures.summaries import (
        Agreement,
        GradeAgreement,
        GradeSummary,
        Preference,
        TaskTax,
    )
    from limaflow.records import Example, Grade, Match

    after_lowest = None
    if training is not None:
        after_lowest = after_lowest_perplexity(
            training, dev_grades or [], rounds=bootstrap, confidence=confidence, seed=seed
        )
    evidence = Evidence(
        lima=lima,
        roles=grouped("--role", role or []),
        stands_for=grouped("--stands-for", stands_for or []),
        arms=arm_facts(
            responses or [], trained or [], numbers("--training-seeds", training_seeds or [])
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
        after_lowest=after_lowest,
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
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    miniature: Miniature = False,
) -> None:
    """One figure as SVG, with a CSV of its numbers beside it."""
    from limaflow.analysis.exhibit import Options, files_of, named, write_figure
    from limaflow.analysis.exhibits.catalogue import FIGURES
    from limaflow.analysis.named_values import grouped

    exhibit = named(FIGURES, name)
    options = Options(
        lima=lima,
        stands_for=grouped("--stands-for", stands_for or []),
        rounds=bootstrap,
        confidence=confidence,
        seed=seed,
    )
    write_figure(exhibit, files_of(inputs), options, output, miniature=miniature)


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
