"""`limaflow miniature`: the invented world, its base model, and its judge."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="The experiment's seed.")]


@app.command()
def world(
    settings: Annotated[str, typer.Option(help="Block miniature as JSON.")],
    seed: Seed,
    output: Annotated[Path, typer.Option(help="Folder of the world's files.")],
) -> None:
    """Write the invented world in the native formats of the real sources."""
    from limaflow.config.experiment import Miniature
    from limaflow.mistakes import parse_block
    from limaflow.tools.miniature.world import write_world

    truth = write_world(parse_block(Miniature, settings, "--settings"), seed, output)
    print(
        f"{output}: {len(truth.facts)} towns, {len(truth.held_out)} held out, "
        f"{len(truth.prompts)} prompts for dev and test",
        file=sys.stderr,
    )


@app.command()
def pretrain(
    corpus: Annotated[list[Path], typer.Argument(help='JSON lines with the key "text".')],
    stand_in: Annotated[str, typer.Option(help="Block base.stand_in as JSON.")],
    seed: Seed,
    output: Annotated[Path, typer.Option(help="The model's manifest; weights beside it.")],
) -> None:
    """Pretrain a stand-in base model (tokenizer and a small Llama) on the corpora."""
    from limaflow.mistakes import parse_block
    from limaflow.tools.miniature.pretraining import pretrain as pretrained
    from limaflow.training.settings import StandIn

    settings = parse_block(StandIn, stand_in, "--stand-in")
    manifest = pretrained(corpus, settings, seed, output)
    print(f"{output}: {manifest.notes}", file=sys.stderr)


@app.command(context_settings={"allow_interspersed_args": False})
def judge(
    command: Annotated[list[str], typer.Argument(help="Command to run beside the judge.")],
    world: Annotated[Path | None, typer.Option(help="world.json: grade by its truth.")] = None,
    references: Annotated[
        list[Path] | None, typer.Option(help="Examples: grade by likeness to their responses.")
    ] = None,
) -> None:
    """Run a command beside a judge that speaks the OpenAI protocol on the loopback.

    The command finds it through OPENAI_BASE_URL and OPENAI_API_KEY.
    """
    from limaflow.errors import InputError
    from limaflow.fingerprint import of
    from limaflow.jsonl import read_json, read_records
    from limaflow.records import Example
    from limaflow.seeds import digest
    from limaflow.tools.miniature.grading import Grader, ReferenceGrader, TruthGrader
    from limaflow.tools.miniature.judge_server import application
    from limaflow.tools.miniature.serve_alongside import run_beside
    from limaflow.tools.miniature.truth import Truth

    if (world is None) == (not references):
        raise InputError("give either --world or --references")
    grader: Grader
    if world is not None:
        grader = TruthGrader(read_json(world, Truth))
    else:
        examples = [e for path in references or () for e in read_records(path, Example)]
        grader = ReferenceGrader({e.prompt.strip(): e.response for e in examples if e.response})
    files = [path.read_text(encoding="utf-8") for path in (world, *(references or ())) if path]
    identity = digest(of("limaflow.tools.miniature.judge_server", "application"), files)
    sys.exit(run_beside(command, identity, lambda token: application(grader, token, identity)))
