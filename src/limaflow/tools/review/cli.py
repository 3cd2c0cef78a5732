"""`limaflow review`: a page on which a person reads the sampled examples and decides."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(invoke_without_command=True)

Experiment = Annotated[
    str, typer.Option(help="Name (experiments/<name>.yaml over config.yaml), or an overlay's path.")
]
Dataset = Annotated[str, typer.Option(help="Data set of the experiment; else its first drawn one.")]
Sampled = Annotated[Path | None, typer.Option(help="The sample, in place of an experiment.")]
Reserve = Annotated[Path | None, typer.Option(help="Spare examples, with --sampled.")]
Seed = Annotated[int, typer.Option(help="Orders the spare examples, with --sampled.")]
Ledger = Annotated[
    Path | None,
    typer.Option(help="Ledger (.jsonl), or a folder with one a reviewer; else curation.ledger."),
]
Directory = Annotated[
    Path, typer.Option(help="Where results lie, if not here: that of `snakemake --directory`.")
]


@app.callback()
def review(
    context: typer.Context,
    *,
    experiment: Experiment = "",
    dataset: Dataset = "",
    sampled: Sampled = None,
    reserve: Reserve = None,
    seed: Seed = 0,
    ledger: Ledger = None,
    directory: Directory = Path(),
    reviewer: Annotated[
        str, typer.Option(help="Name recorded with the decisions; else the login name.")
    ] = "",
    part: Annotated[
        str, typer.Option(help="Which of equal parts this reviewer is given, such as 1/2.")
    ] = "1/1",
    overlap: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the examples that every part holds.")
    ] = 0.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Read the sampled examples in the browser and keep, reject or edit them. Ctrl+C ends it."""
    if context.invoked_subcommand:
        return
    import getpass

    from limaflow.annotators import person
    from limaflow.curation.ledger import file_of
    from limaflow.tools.local_pages.serving import serve
    from limaflow.tools.review.review_session import Session
    from limaflow.tools.review.reviewed_sample import material_of
    from limaflow.tools.review.server import application
    from limaflow.tools.review.shares import share_of

    name = person(reviewer or getpass.getuser(), "reviewer")
    material = material_of(
        experiment=experiment,
        dataset=dataset,
        sampled=sampled,
        reserve=reserve,
        ledger=ledger,
        seed=seed,
        directory=directory,
    )
    session = Session(material, name, share_of(part, overlap))
    for warning in session.warnings:
        print(f"warning: {warning}")
    title = f"{len(session.rows())} examples of {material.dataset} for {name}"
    serve(application(session), command="limaflow review", title=title, port=port)
    decided = [row for row in session.rows() if row.mine]
    print(f"\n{len(decided)} of {len(session.rows())} decided by {name}.")
    print(f"Keep the decisions in git: git add {file_of(material.ledger, name)}")


@app.command()
def summary(
    *,
    experiment: Experiment = "",
    dataset: Dataset = "",
    sampled: Sampled = None,
    reserve: Reserve = None,
    seed: Seed = 0,
    ledger: Ledger = None,
    directory: Directory = Path(),
    output: Annotated[Path | None, typer.Option(help="Writes the same as JSON.")] = None,
) -> None:
    """Print progress, overlap and agreement, and decisions that meet no candidate."""
    from limaflow.curation.ledger import files_of, read
    from limaflow.jsonl import read_records, write_json
    from limaflow.records import Example
    from limaflow.tools.review.review_summary import printed, progress_of
    from limaflow.tools.review.reviewed_sample import material_of

    material = material_of(
        experiment=experiment,
        dataset=dataset,
        sampled=sampled,
        reserve=reserve,
        ledger=ledger,
        seed=seed,
        directory=directory,
    )
    found = read(files_of(material.ledger))
    for warning in found.warnings:
        print(f"warning: {warning}")
    pool = {e.id for e in read_records(material.pool, Example)} if material.pool else ()
    progress = progress_of(material, found.decisions, pool)
    if output:
        write_json(output, progress)
    print(printed(progress))
