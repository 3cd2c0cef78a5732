"""`limaflow train plan`: what memory and disk a training needs."""

from pathlib import Path
from typing import Annotated

import typer


def plan(
    *,
    configfile: Annotated[
        list[Path] | None,
        typer.Option(help="An experiment, laid over config.yaml as Snakemake does it; repeat."),
    ] = None,
    arm: Annotated[
        str | None, typer.Option(help="Its tuned or preference-tuned arm; else analysis.lima_arm.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="model.json, folder or hub name; else the experiment's.")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option(help="JSON of config.json's numbers, where there is no model.")
    ] = None,
    settings: Annotated[str | None, typer.Option(help="The block `training`, as JSON.")] = None,
    launch: Annotated[str | None, typer.Option(help="The block `launch`, as JSON.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Training examples: plan for their real lengths.")
    ] = None,
    gpu_memory: Annotated[
        float | None, typer.Option(min=1, help="GiB of one GPU: does it fit?")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Bytes, as JSON.")] = False,
) -> None:
    """Say what memory and disk a training needs, which launch fits a GPU, and how many GPUs
    responses and benchmarks take; loads no weights."""
    import json
    from dataclasses import asdict

    from limaflow.tools.planning.plan import GIB
    from limaflow.tools.planning.plan_request import plan_request
    from limaflow.tools.planning.plan_table import answering_lines, table

    request = plan_request(
        configfile or [],
        arm=arm,
        base=base,
        architecture=architecture,
        settings=settings,
        launch=launch,
        data=data,
    )
    memory = None if gpu_memory is None else gpu_memory * GIB
    made, answers = request.plan(memory), request.answering(memory)
    if as_json:
        whole = {**asdict(made), "launch": made.launch.model_dump()}
        whole["fitting"] = made.fitting and made.fitting.model_dump()
        whole["answering"] = {**asdict(answers), "fits": answers.fits}
        print(json.dumps(whole, indent=2))
    else:
        print(table(made, request.title, gpu_memory=memory))
        print(answering_lines(answers, memory or request.generation.gpu_memory * GIB))
