"""`limaflow shift`: where a tuned model's tokens stand in the base model."""

from pathlib import Path
from typing import Annotated

import typer

from limaflow.generation.cli import (
    DecodingBlock,
    Gpus,
    Precision,
    PrecisionOption,
    Prompts,
    Style,
)

app = typer.Typer(no_args_is_help=True)

Shifted = Annotated[list[Path], typer.Argument(help="What `limaflow shift run` wrote.")]


@app.command()
def run(
    *,
    model: Annotated[
        str, typer.Option("--model", help="The tuned model: model.json, a folder or a hub name.")
    ],
    name: Annotated[str, typer.Option("--name", help="Its name in the records.")],
    reference: Annotated[
        list[str],
        typer.Option(
            "--reference",
            help="NAME=MODEL: the base model; seed:NAME=MODEL: the same arm of another training "
            "seed; itself:NAME=MODEL: the model itself. Repeat.",
        ),
    ],
    style: Annotated[Style, typer.Option("--format", help="How a prompt is put to both.")],
    prompts: Prompts,
    responses: Annotated[
        int, typer.Option("--responses", min=1, help="To so many prompts, drawn by seed.")
    ],
    decoding: DecodingBlock,
    seed: Annotated[int, typer.Option("--seed", help="Of prompts and sampling noise.")],
    batch: Annotated[int, typer.Option("--batch", min=1, help="Responses scored at once.")],
    drawn_at_once: Annotated[
        int, typer.Option("--drawn-at-once", min=1, help="Responses drawn at once.")
    ] = 16,
    precision: PrecisionOption = Precision.FP32,
    gpus: Gpus = 1,
    output: Annotated[Path, typer.Option("--output", help="Writes these JSON lines.")],
) -> None:
    """Draw responses and look each token up in the references; goes on where a kill cut it off."""
    from limaflow.cards import take_cards

    # Before CUDA is looked at.
    cards = take_cards(gpus)
    from limaflow.generation.settings import Decoding
    from limaflow.mistakes import parse_block
    from limaflow.token_shift.measurement import ShiftJob, measure, references_of
    from limaflow.token_shift.summaries import in_words

    job = ShiftJob(
        model=model,
        name=name,
        style=style.value,
        references=references_of(reference),
        prompts=prompts,
        responses=responses,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        seed=seed,
        batch=batch,
        drawn_at_once=drawn_at_once,
        precision=precision.value,
        gpus=max(1, len(cards)),
        output=output,
    )
    found = measure(job)
    for one in job.references:
        print(in_words([r for r in found if r.reference == one.name]))


@app.command()
def summarize(
    *,
    shifted: Shifted,
    bootstrap: Annotated[int, typer.Option(min=100, help="Rounds of the bootstrap.")] = 2000,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Confidence of intervals.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    output: Annotated[Path, typer.Option(help="Writes shift.json.")],
) -> None:
    """Shares of shifted tokens by class and position, with intervals over prompts."""
    from limaflow.intervals import Resampling
    from limaflow.jsonl import write_json
    from limaflow.token_shift.shifted_response import read_shifted
    from limaflow.token_shift.summaries import in_words, summarized

    found = read_shifted(shifted)
    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    write_json(output, summarized(found, resampling))
    for model, reference in dict.fromkeys((r.model, r.reference) for r in found):
        print(in_words([r for r in found if (r.model, r.reference) == (model, reference)]))


@app.command()
def page(
    *,
    shifted: Shifted,
    summary: Annotated[Path, typer.Option(help="shift.json of `limaflow shift summarize`.")],
    prompts: Prompts,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Token shift",
    most: Annotated[
        int, typer.Option(min=0, help="Responses shown of each model, drawn by seed.")
    ] = 30,
    seed: Annotated[int, typer.Option(help="Which responses are shown.")] = 0,
    output: Annotated[Path, typer.Option(help="Writes this HTML file.")],
) -> None:
    """Responses whose tokens are marked by their shift, with the shares, as one HTML file."""
    from limaflow.jsonl import read_json, replacing
    from limaflow.token_shift.page import page_of
    from limaflow.token_shift.shifted_response import read_shifted
    from limaflow.token_shift.summaries import Shift

    text = page_of(
        title, read_shifted(shifted), read_json(summary, Shift), prompts, most=most, seed=seed
    )
    with replacing(output) as file:
        file.write(text)
    print(f"{output}: {len(text.encode()) / 1024:.0f} KiB")
