"""`limaflow cluster`: look at the cluster before anything is submitted to it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cluster() -> None:
    """Look at the cluster before anything is submitted to it."""


@app.command()
def check(
    profile: Annotated[Path, typer.Argument(help="A profile's folder, such as profiles/slurm.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="config.yaml and overlays: then training's nodes and GPUs count too."),
    ] = None,
) -> None:
    """Say what of a profile this cluster does not have; exits with 1 if there is anything."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.errors import InputError
    from limaflow.scheduler import inspect_cluster
    from limaflow.tools.cluster.check import problems
    from limaflow.tools.cluster.profile import read_profile

    wanted = read_profile(profile, parse(merged(files)) if files else None)
    found = inspect_cluster()
    if lines := problems(wanted, found):
        raise InputError("\n  ".join(["the cluster does not have:", *lines]), path=wanted.path)
    for request in wanted.requests:
        parts = [
            request.account,
            f"{request.nodes} node(s) of {request.partition}" if request.partition else None,
            request.gres,
            f"{request.cpus} CPUs" if request.cpus > 1 else None,
            f"{request.memory_mb} MB" if request.memory_mb else None,
            f"{request.minutes} min" if request.minutes else None,
        ]
        print(f"{request.rule}: {', '.join(part for part in parts if part)}: there")


@app.command()
def prefetch(
    output: Annotated[Path, typer.Option("--output", help="Where each model lies, as JSON.")],
    models: Annotated[
        list[str] | None, typer.Argument(help="Hub names or folders; `name@revision` pins one.")
    ] = None,
) -> None:
    """Bring models into the hub's cache, for compute nodes without a network."""
    from limaflow.tools.cluster.prefetch import prefetch as fetch

    pinned = [name.partition("@") for name in models or []]
    fetch({name: revision or None for name, _, revision in pinned}, output)
