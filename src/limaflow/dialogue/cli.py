"""`limaflow dialogue`: dialogues by script, and how well arms hold them; `limaflow chat`."""

from pathlib import Path
from typing import Annotated

import typer

from limaflow.generation.cli import (
    BudgetBlock,
    Choose,
    ChooseBy,
    DecodingBlock,
    EndpointBlock,
    Engine,
    EngineOption,
    Given,
    Gpus,
    MaxLengthShare,
    Name,
    Precision,
    PrecisionOption,
    Run,
    Seed,
    Shots,
    ShotsPool,
    StoreFile,
    Style,
    Vllm,
)

app = typer.Typer(no_args_is_help=True)

PAPER_DECODING = (
    '{"top_p": 0.9, "temperature": 0.7, "repetition_penalty": 1.2, '
    '"max_tokens": 2048, "samples": 1}'
)

Scripts = Annotated[
    list[Path],
    typer.Argument(help="Scripts: MT-Bench, MT-Bench-101, chats, or `id` and `turns`."),
]
Prompts = Annotated[Path, typer.Option("--prompts", help="Writes each turn with all before it.")]
Responses = Annotated[Path, typer.Option("--responses", help="Writes the arm's answers.")]
Cut = Annotated[
    Path, typer.Option("--cut", help="Writes which dialogues ended for want of room (JSON).")
]
Turns = Annotated[
    Path, typer.Option("--turns", help="Folder in which turns are kept as they come.")
]


@app.command()
def hold(
    scripts: Scripts,
    *,
    model: Annotated[Path, typer.Option("--model", help="model.json.")],
    name: Name,
    style: Annotated[Style, typer.Option("--format", help="How a turn is put.")],
    fit_before: Annotated[
        Path, typer.Option("--fit-before", help="The prompts before which in-context shots fit.")
    ],
    examples: ShotsPool = None,
    shots: Shots = 3,
    choose: Choose = ChooseBy.SEED,
    given: Given = None,
    decoding: DecodingBlock,
    seed: Seed,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Dialogues decoded at once.")],
    precision: PrecisionOption = Precision.FP32,
    engine: EngineOption = Engine.TRANSFORMERS,
    vllm: Vllm = "vllm",
    gpus: Gpus = 1,
    max_length_share: MaxLengthShare,
    turns: Turns,
    prompts: Prompts,
    responses: Responses,
    cut: Cut,
) -> None:
    """Hold dialogues with a model that runs here; goes on where a kill cut it off."""
    from limaflow.cards import take_cards

    # Before CUDA is looked at.
    cards = take_cards(gpus)
    from limaflow.dialogue.hold import hold_here, write
    from limaflow.dialogue.scripts import read_scripts
    from limaflow.generation.respond import ResponseJob
    from limaflow.generation.settings import Decoding
    from limaflow.mistakes import parse_block

    job = ResponseJob(
        model=model,
        name=name,
        style=style.value,
        examples=examples,
        shots=shots,
        choose=choose.value,
        given=tuple(given or ()),
        prompts=fit_before,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        samples=1,
        seed=seed,
        batch=batch,
        precision=precision.value,
        engine=engine.value,
        vllm=vllm,
        gpus=max(1, len(cards)),
        max_length_share=max_length_share,
        output=responses,
    )
    held = hold_here(job, read_scripts(scripts), turns)
    write(held, prompts, responses, cut)
    print(f"{name}: {len(held.responses)} turns; {len(held.cut)} dialogues ended for want of room")


@app.command()
def ask(
    scripts: Scripts,
    *,
    endpoint: EndpointBlock,
    decoding: DecodingBlock,
    seed: Seed,
    store: StoreFile,
    run: Run = "",
    budget: BudgetBlock = "{}",
    turns: Turns,
    prompts: Prompts,
    responses: Responses,
    cut: Cut,
) -> None:
    """Hold dialogues with a model behind an OpenAI-compatible endpoint."""
    from limaflow.dialogue.hold import hold_at_endpoint, write
    from limaflow.dialogue.scripts import read_scripts
    from limaflow.endpoints.settings import Budget
    from limaflow.generation.settings import AskedEndpoint, Decoding
    from limaflow.mistakes import parse_block

    arm = parse_block(AskedEndpoint, endpoint, "--endpoint")
    held = hold_at_endpoint(
        arm,
        read_scripts(scripts),
        turns,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        seed=seed,
        store=store,
        run=run,
        budget=parse_block(Budget, budget, "--budget"),
    )
    write(held, prompts, responses, cut)
    print(f"{arm.name}: {len(held.responses)} turns")


@app.command()
def measure(
    responses: Annotated[list[Path], typer.Argument(help="responses.jsonl of each arm.")],
    *,
    grades: Annotated[
        list[Path] | None, typer.Option("--grades", help="Grades of the turns; repeat.")
    ] = None,
    cut: Annotated[
        list[Path] | None,
        typer.Option("--cut", help="What `hold` wrote, in the order of the responses; repeat."),
    ] = None,
    prompts: Annotated[
        list[Path] | None,
        typer.Option(
            "--prompts",
            help="What `hold` wrote, likewise: the forms asked for are checked; repeat.",
        ),
    ] = None,
    instrument: Annotated[
        str, typer.Option(help="By which turns are graded: one of ours, or a path.")
    ] = "quality",
    bootstrap: Annotated[int, typer.Option(min=100, help="Rounds of the bootstrap.")] = 2000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    output: Annotated[Path, typer.Option(help="Writes dialogues.json.")],
) -> None:
    """Turns by grade, survival up to the first failure, drift of length, and repetition."""
    from limaflow.dialogue.measure import arm_dialogues, measured
    from limaflow.errors import InputError
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_json, read_records, write_json
    from limaflow.judging.instrument import load
    from limaflow.records import Example, Grade, Response

    if prompts and len(prompts) != len(responses):
        raise InputError(f"--prompts: {len(prompts)} files for {len(responses)} arms")
    if cut and len(cut) != len(responses):
        raise InputError(f"--cut: {len(cut)} files for {len(responses)} arms")
    given = [grade for path in grades or () for grade in read_records(path, Grade)]
    arms = []
    for number, path in enumerate(responses):
        turns = list(read_records(path, Response))
        names = {turn.model for turn in turns}
        arms.append(
            arm_dialogues(
                turns,
                [grade for grade in given if grade.model in names],
                read_json(cut[number], dict[str, int]) if cut else {},
                list(read_records(prompts[number], Example)) if prompts else (),
            )
        )
    own = load(instrument)
    found = measured(
        arms,
        own.head.words,
        own.name,
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, found)
    for one in found.arms:
        failed = one.shares.get(found.failure)
        print(
            f"{one.arm}: {one.dialogues} dialogues, {one.turns} turns"
            + (f"; {one.annotator}: {failed.estimate:.0%} {found.failure}" if failed else "")
            + (
                f"; {one.kept_later.estimate:.0%} of later answers keep the form asked for"
                if one.kept_later
                else ""
            )
        )


@app.command()
def whole(
    scripts: Scripts,
    *,
    responses: Annotated[
        Path, typer.Option(help="responses.jsonl of an arm that held these scripts.")
    ],
    prompts: Annotated[Path, typer.Option(help="Writes the scripts, as prompts.")],
    output: Annotated[Path, typer.Option(help="Writes each whole dialogue, as a response.")],
) -> None:
    """Make each dialogue one response, to be compared as a whole: `judge compare`, `annotate`."""
    from limaflow.dialogue.scripts import read_scripts
    from limaflow.dialogue.wholes import script_prompt, wholes
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Response

    read = read_scripts(scripts)
    try:
        made = wholes(read, list(read_records(responses, Response)))
    except InputError as error:
        raise InputError(str(error), path=responses) from None
    write_records(prompts, map(script_prompt, read), key=lambda prompt: prompt.id)
    write_records(output, made, key=lambda one: one.prompt_id)
    short = sum(one.finish_reason != "stop" for one in made)
    print(f"{made[0].model}: {len(made)} dialogues" + f", {short} of them cut short" * bool(short))


def chat(
    model: Annotated[
        str, typer.Argument(help="model.json, a folder with a model, or a name on the hub.")
    ],
    *,
    style: Annotated[Style, typer.Option("--format", help="How a turn is put.")] = Style.CHAT,
    decoding: Annotated[
        str, typer.Option("--decoding", help="generation.decoding, as JSON; else the paper's.")
    ] = PAPER_DECODING,
    seed: Seed = 0,
    precision: PrecisionOption = Precision.FP32,
    gpus: Gpus = 1,
    save: Annotated[
        Path | None,
        typer.Option(help="Adds the chat to this file (JSON lines), for `limaflow judge turns`."),
    ] = None,
) -> None:
    """Talk with a model in the terminal; an empty line or Ctrl-D ends the chat and saves it."""
    from limaflow.cards import take_cards

    take_cards(gpus)
    from limaflow.dialogue.live import talk
    from limaflow.generation.settings import Decoding
    from limaflow.mistakes import parse_block

    talk(
        model,
        style=style.value,
        decoding=parse_block(Decoding, decoding, "--decoding"),
        seed=seed,
        precision=precision.value,
        save=save,
    )
