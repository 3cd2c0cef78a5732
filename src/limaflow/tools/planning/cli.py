"""`limaflow train plan` and `limaflow shift plan`: what they need before they wait for it."""

from pathlib import Path
from typing import Annotated

import typer

from limaflow.generation.cli import Precision


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
    cpu_memory: Annotated[
        float | None,
        typer.Option(min=1, help="GiB of a machine: does it fit there, on the CPU?"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Bytes, as JSON.")] = False,
) -> None:
    """Say what memory and disk a training needs, which launch fits a GPU, and how many GPUs
    responses and benchmarks take; loads no weights."""
    import json
    from dataclasses import asdict

    from limaflow.tools.planning.on_cpu import in_lines, plan_on_cpu
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
    if cpu_memory is not None:
        on_cpu = plan_on_cpu(
            request.model,
            request.settings,
            request.launch,
            request.micro,
            memory=cpu_memory * GIB,
        )
        if as_json:
            fitting = on_cpu.fitting and on_cpu.fitting.model_dump()
            whole = {**asdict(on_cpu), "launch": on_cpu.launch.model_dump(), "fitting": fitting}
            print(json.dumps(whole, indent=2))
        else:
            print(in_lines(on_cpu, request.title, cpu_memory * GIB))
        return
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


def plan_shift(
    *,
    base: Annotated[str, typer.Option(help="model.json, folder or hub name.")] = "",
    architecture: Annotated[
        str | None, typer.Option(help="JSON of config.json's numbers, where there is no model.")
    ] = None,
    responses: Annotated[int, typer.Option(min=1)] = 300,
    tokens: Annotated[int, typer.Option(min=1, help="Of a response.")] = 2048,
    prompt_tokens: Annotated[int, typer.Option(min=1, help="Of a prompt.")] = 256,
    references: Annotated[
        int, typer.Option(min=1, help="The base, and each further training seed.")
    ] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Responses scored at once.")] = 8,
    drawn_at_once: Annotated[int, typer.Option(min=1, help="Responses drawn at once.")] = 16,
    precision: Annotated[Precision, typer.Option()] = Precision.BF16,
    gpu_memory: Annotated[float, typer.Option(min=1, help="GiB of one GPU.")] = 80,
    tflops: Annotated[
        float, typer.Option(min=0.001, help="10^12 operations a second that the GPU sustains.")
    ] = 200,
    bandwidth: Annotated[
        float, typer.Option(min=0.1, help="GB a second that its memory sustains.")
    ] = 1500,
    as_json: Annotated[bool, typer.Option("--json", help="Bytes and seconds, as JSON.")] = False,
) -> None:
    """Say what memory and time a token shift takes; loads no weights."""
    import json
    from dataclasses import asdict

    from limaflow.errors import InputError
    from limaflow.tools.planning.architecture import architecture_of
    from limaflow.tools.planning.plan import GIB
    from limaflow.tools.planning.shift import in_lines, shift_plan

    if not (base or architecture):
        raise InputError("no model", fix="give --base or --architecture")
    made = shift_plan(
        architecture_of(base, architecture),
        responses=responses,
        tokens=tokens,
        prompt_tokens=prompt_tokens,
        references=references,
        batch=batch,
        drawn_at_once=drawn_at_once,
        precision=precision.value,
        gpu_memory=gpu_memory * GIB,
        tflops=tflops,
        bandwidth=bandwidth * 1e9,
    )
    if as_json:
        print(json.dumps({**asdict(made), "memory": made.memory}, indent=2))
    else:
        print(in_lines(made, gpu_memory=gpu_memory * GIB))
