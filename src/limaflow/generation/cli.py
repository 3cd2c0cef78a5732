"""`limaflow generate`: responses of models to prompts."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


class Style(StrEnum):
    """How a prompt is put to the model."""

    CHAT = "chat"
    RAW = "raw"
    IN_CONTEXT = "in-context"
    IN_CONTEXT_CHAT = "in-context-chat"


class Engine(StrEnum):
    """Who decodes."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"


class ChooseBy(StrEnum):
    """Which in-context examples are tried first."""

    SEED = "seed"
    LONGEST = "longest"
    SHORTEST = "shortest"


class CutAfter(StrEnum):
    """What stays of a response."""

    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


class Precision(StrEnum):
    """Of the weights and the computation."""

    FP32 = "fp32"
    BF16 = "bf16"


Prompts = Annotated[Path, typer.Option("--prompts", help="Prompts, JSON lines of examples.")]
DecodingBlock = Annotated[str, typer.Option("--decoding", help="generation.decoding, as JSON.")]
Samples = Annotated[int, typer.Option("--samples", min=1, help="Responses to each prompt.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the sampling noise.")]
Output = Annotated[Path, typer.Option("--output", help="Responses, JSON lines.")]
Name = Annotated[str, typer.Option("--name", help="Who answers, as the records say.")]
ShotsPool = Annotated[
    Path | None, typer.Option("--examples", help="Training examples for in-context shots.")
]
Shots = Annotated[int, typer.Option("--shots", min=1, help="In-context examples.")]
Choose = Annotated[
    ChooseBy, typer.Option("--choose", help="Which in-context examples are tried first.")
]
Given = Annotated[
    list[str] | None,
    typer.Option("--given", help="Id of an in-context example; repeat, in their order."),
]
PrecisionOption = Annotated[Precision, typer.Option("--precision")]
EngineOption = Annotated[
    Engine, typer.Option("--engine", help="vllm: its server is started for this command.")
]
Vllm = Annotated[
    str, typer.Option("--vllm", help="vLLM's executable, in an environment of its own.")
]
Gpus = Annotated[
    int, typer.Option("--gpus", min=0, help="Free GPUs to take, if there are any; 0: the CPU.")
]
MaxLengthShare = Annotated[
    float,
    typer.Option("--max-length-share", help="Largest share that may be cut off by length."),
]
EndpointBlock = Annotated[str, typer.Option("--endpoint", help="The arm's endpoint, as JSON.")]
StoreFile = Annotated[
    Path, typer.Option("--store", help="The judgment store, which counts a run's spending.")
]
Run = Annotated[str, typer.Option("--run", help="Whose budget the calls count against.")]
BudgetBlock = Annotated[
    str, typer.Option("--budget", help="judging.budget, as JSON: cost and tokens of the run.")
]


@app.command()
def respond(
    *,
    model: Annotated[
        Path, typer.Option("--model", help="model.json; with --epochs: training.json.")
    ],
    epochs: Annotated[
        str | None,
        typer.Option("--epochs", help="JSON list of exported epochs; each of them answers."),
    ] = None,
    name: Name,
    style: Annotated[Style, typer.Option("--format", help="How a prompt is put.")],
    examples: ShotsPool = None,
    shots: Shots = 3,
    choose: Choose = ChooseBy.SEED,
    given: Given = None,
    prompts: Prompts,
    decoding: DecodingBlock,
    samples: Samples,
    seed: Seed,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Responses decoded at once.")],
    precision: PrecisionOption = Precision.FP32,
    engine: EngineOption = Engine.TRANSFORMERS,
    vllm: Vllm = "vllm",
    gpus: Gpus = 1,
    max_length_share: MaxLengthShare,
    output: Output,
) -> None:
    """Answer with a model that runs here; goes on where a kill cut it off."""
    from limaflow.cards import take_cards

    # Before CUDA is looked at.
    cards = take_cards(gpus)
    from limaflow.generation.respond import ResponseJob, respond_with_epochs
    from limaflow.generation.respond import respond as answer
    from limaflow.generation.settings import Decoding
    from limaflow.mistakes import parse_block
    from limaflow.training.manifest import epochs_in

    job = ResponseJob(
        model=model,
        name=name,
        style=style.value,
        examples=examples,
        shots=shots,
        choose=choose.value,
        given=tuple(given or ()),
        prompts=prompts,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        samples=samples,
        seed=seed,
        batch=batch,
        precision=precision.value,
        engine=engine.value,
        vllm=vllm,
        gpus=max(1, len(cards)),
        max_length_share=max_length_share,
        output=output,
    )
    count, cut = (
        answer(job) if epochs is None else respond_with_epochs(job, epochs_in(epochs, "--epochs"))
    )
    print(f"{name}: {count} responses, {cut:.1%} cut off by length")


@app.command()
def ask(
    *,
    endpoint: EndpointBlock,
    prompts: Prompts,
    decoding: DecodingBlock,
    samples: Samples,
    seed: Seed,
    store: StoreFile,
    run: Run = "",
    budget: BudgetBlock = "{}",
    output: Output,
) -> None:
    """Answer with a model behind an OpenAI-compatible endpoint."""
    from limaflow.endpoints.settings import Budget
    from limaflow.generation.ask_endpoint import ask as ask_endpoint
    from limaflow.generation.settings import AskedEndpoint, Decoding
    from limaflow.mistakes import parse_block

    arm = parse_block(AskedEndpoint, endpoint, "--endpoint")
    count, cut = ask_endpoint(
        arm,
        prompts,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        samples=samples,
        seed=seed,
        store=store,
        run=run,
        budget=parse_block(Budget, budget, "--budget"),
        output=output,
    )
    print(f"{arm.name}: {count} responses, {cut:.1%} cut off by length")


@app.command()
def adopt(
    *,
    name: Annotated[str, typer.Option("--name", help="Who answered, as the records say.")],
    prompts: Prompts,
    samples: Samples,
    output: Output,
    recorded: Annotated[
        Path, typer.Argument(help="Recorded responses: JSON lines, .json, .csv, .tsv or .parquet.")
    ],
    layout: Annotated[
        str, typer.Option(help="JSON: columns and where of the file (config: arms[]).")
    ] = "{}",
) -> None:
    """Take responses that were recorded elsewhere, checked against the prompts."""
    from limaflow.generation.recorded_responses import adopt as adopt_recorded
    from limaflow.generation.settings import ResponseLayout
    from limaflow.mistakes import parse_block

    block = parse_block(ResponseLayout, layout, "--layout")
    count = adopt_recorded(name, prompts, recorded, samples=samples, output=output, layout=block)
    print(f"{name}: {count} responses adopted")


@app.command()
def cut(
    *,
    name: Name,
    at: Annotated[CutAfter, typer.Option("--at", help="What stays: the first of these.")],
    output: Output,
    responses: Annotated[Path, typer.Argument(help="Responses of another arm, JSON lines.")],
) -> None:
    """Cut another arm's responses after their first sentence or paragraph."""
    from limaflow.generation.cutting import cut_responses

    count, shorter = cut_responses(responses, name, at.value, output)
    print(f"{name}: {count} responses, {shorter} of them cut after their first {at.value}")
