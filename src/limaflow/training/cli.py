"""`limaflow train`: fine-tune, choose a checkpoint, look at what is trained."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

BaseModel = Annotated[Path, typer.Option("--base", help="model.json of the pretrained model.")]
TrainData = Annotated[Path, typer.Option("--data", help="Training examples, JSON lines.")]
SettingsBlock = Annotated[str, typer.Option("--settings", help="The block `training`, as JSON.")]


@app.command()
def run(
    *,
    arm: Annotated[str, typer.Option("--arm", help="Name of the model to be.")],
    base: BaseModel,
    data: TrainData,
    dev: Annotated[Path, typer.Option("--dev", help="Dev prompts; responses give perplexity.")],
    settings: SettingsBlock,
    launch: Annotated[str, typer.Option("--launch", help="The block `launch`, as JSON.")],
    export_epochs: Annotated[
        str, typer.Option("--export-epochs", help="JSON list of the epochs to export.")
    ],
    seed: Annotated[int, typer.Option("--seed", help="Seed of data order and dropout.")],
    run_folder: Annotated[
        Path, typer.Option("--run-folder", help="Checkpoints, exports and log go below this.")
    ],
    output: Annotated[Path, typer.Option("--output", help="training.json.")],
) -> None:
    """Fine-tune as one process of a torchrun group; resumes what a kill has cut off."""
    from limaflow.mistakes import parse_block
    from limaflow.training.fine_tune import train
    from limaflow.training.job import Job
    from limaflow.training.manifest import epochs_in
    from limaflow.training.processes import ending_at_once
    from limaflow.training.settings import Launch, Training

    job = Job(
        arm=arm,
        base=base,
        data=data,
        dev=dev,
        settings=parse_block(Training, settings, "--settings"),
        launch=parse_block(Launch, launch, "--launch"),
        export_epochs=epochs_in(export_epochs, "--export-epochs"),
        seed=seed,
        run_folder=run_folder,
        output=output,
    )
    with ending_at_once():
        train(job)


@app.command()
def launch(
    command: Annotated[list[str], typer.Argument(help="What every process runs, after `--`.")],
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="Nodes asked for.")] = 1,
    processes: Annotated[
        str,
        typer.Option("--processes", help="A node, where SLURM gave no GPUs to count; or auto."),
    ] = "auto",
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPUs on each node.")] = 1,
    rendezvous: Annotated[
        str | None, typer.Option("--rendezvous", help="host:port; given by launch to itself.")
    ] = None,
) -> None:
    """Start a command under torchrun: on this machine, or on every node of this SLURM job."""
    from limaflow.training.launch import LaunchPlan, processes_asked
    from limaflow.training.launch import launch as start

    plan = LaunchPlan(nodes=nodes, processes=processes_asked(processes), threads=threads)
    start(command, plan, rendezvous)


@app.command()
def adopt(
    model: Annotated[str, typer.Option("--model", help="Name of the model.")],
    path: Annotated[str, typer.Option("--path", help="Its folder, or its name on the hub.")],
    output: Annotated[Path, typer.Option("--output", help="Manifest of the model.")],
    revision: Annotated[str | None, typer.Option("--revision", help="Of the hub's model.")] = None,
) -> None:
    """Name a trained model that the user brings."""
    from limaflow.manifests import adopt as adopt_model

    adopt_model(model, path, revision, output)


@app.command()
def average(
    arm: Annotated[str, typer.Option("--arm", help="Name of the model.")],
    base: Annotated[Path, typer.Option("--base", help="model.json of the base.")],
    tuned: Annotated[Path, typer.Option("--tuned", help="Manifest of the tuned model.")],
    alpha: Annotated[
        float, typer.Option("--alpha", min=0, max=1, help="Share of the tuned weights.")
    ],
    output: Annotated[Path, typer.Option("--output", help="Manifest of the average.")],
) -> None:
    """Average the weights of a base and of a model tuned from it."""
    from limaflow.training.average import average as average_weights

    average_weights(base, tuned, alpha, output, name=arm)


@app.command()
def prefer(
    *,
    arm: Annotated[str, typer.Option("--arm", help="Name of the model to be.")],
    start: Annotated[Path, typer.Option("--from", help="Manifest of the model to start from.")],
    pairs: Annotated[Path, typer.Option("--pairs", help="Chosen and rejected, JSON lines.")],
    settings: Annotated[str, typer.Option("--settings", help="The block `preference`, as JSON.")],
    launch: Annotated[str, typer.Option("--launch", help="The block `launch`, as JSON.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of data order and adapters.")],
    run_folder: Annotated[
        Path, typer.Option("--run-folder", help="Checkpoints, export and log go below this.")
    ],
    output: Annotated[Path, typer.Option("--output", help="Manifest of the model.")],
    prompts: Annotated[
        list[Path] | None,
        typer.Option("--prompts", help="Dev or test prompts, which no pair may share; repeat."),
    ] = None,
    benchmark_texts: Annotated[
        Path | None, typer.Option("--benchmark-texts", help="Benchmark items, likewise.")
    ] = None,
    decontamination: Annotated[
        str, typer.Option("--decontamination", help="JSON of curation.decontamination.")
    ] = '{"ngram_words": 13}',
) -> None:
    """Tune on preference pairs (DPO) as one process of a torchrun group; resumes after a kill."""
    from limaflow.curation.decontamination import read_protected
    from limaflow.mistakes import parse_block
    from limaflow.training.preference import PreferenceJob
    from limaflow.training.preference import prefer as tune
    from limaflow.training.processes import ending_at_once
    from limaflow.training.settings import Launch, Preference

    job = PreferenceJob(
        arm=arm,
        start=start,
        pairs=pairs,
        settings=parse_block(Preference, settings, "--settings"),
        launch=parse_block(Launch, launch, "--launch"),
        seed=seed,
        run_folder=run_folder,
        output=output,
        protected=read_protected(prompts or (), benchmark_texts, decontamination)
        if prompts or benchmark_texts
        else None,
    )
    with ending_at_once():
        tune(job)


@app.command()
def choose(
    arm: Annotated[str, typer.Option("--arm", help="Name of the model.")],
    training: Annotated[Path, typer.Option("--training", help="training.json of the arm.")],
    output: Annotated[Path, typer.Option("--output", help="Manifest of the chosen epoch.")],
    grades: Annotated[Path, typer.Argument(help="Grades of the dev responses of all epochs.")],
) -> None:
    """Choose the epoch whose dev responses have the best mean grade."""
    from limaflow.training.choose import choose as choose_epoch

    best = choose_epoch(arm, training, grades, output)
    print(
        f"{arm}: epoch {best.epoch}, mean grade {best.mean_grade:.3f} of {best.graded}, "
        f"{best.errors} errors"
    )


@app.command()
def inspect(
    base: BaseModel,
    data: TrainData,
    settings: SettingsBlock,
    example: Annotated[int, typer.Option("--example", min=1, help="Which one to show.")] = 1,
) -> None:
    """Show one example's tokens with their labels, and check them all as training does."""
    from dataclasses import asdict

    from limaflow.mistakes import parse_block
    from limaflow.training.chat_template import own_template
    from limaflow.training.conversation import shown, take_template
    from limaflow.training.data import base_tokenizer, loses_template, notices, prepared
    from limaflow.training.settings import Training

    tokenizer = base_tokenizer(base)
    own, block = own_template(tokenizer), parse_block(Training, settings, "--settings")
    take_template(tokenizer, block.chat_template)
    checked = prepared(data, None, tokenizer, block)
    print(shown(checked.train[min(example, len(checked.train)) - 1], tokenizer))
    print({**asdict(checked.facts), "trimmed": len(checked.facts.trimmed)})
    lost = loses_template(own, tokenizer)
    for line in notices(checked.facts, tokenizer, block.chat_template, loses_template=lost):
        print(line)
