"""`limaflow attack`: goals as prompts, plain and in attacks, and attacks that others recorded."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

PromptsOut = Annotated[Path, typer.Option(help="Writes the prompts, JSON lines with tags.")]


@app.command()
def wrap(
    goals: Annotated[
        list[Path], typer.Argument(help="Goals: CSV or JSON, as AdvBench, HarmBench … have them.")
    ],
    *,
    attack: Annotated[
        list[str],
        typer.Option(
            help="plain, role-play, prefix, past-tense, translation, base64, rot13, prefill or "
            "prefill-N (N words of a complying answer); repeat."
        ),
    ],
    number: Annotated[
        int | None, typer.Option(min=1, help="So many of the goals, by lot; by default all.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the lot.")] = 0,
    output: PromptsOut,
) -> None:
    """Ask the same goals plainly and in attacks; prints counts alone."""
    from limaflow.attacks.attacked import attacked
    from limaflow.attacks.goals import drawn, read_goals
    from limaflow.jsonl import write_records

    found = read_goals(goals)
    chosen = found if number is None else drawn(found, number, seed)
    prompts, without = attacked(chosen, attack)
    count = write_records(output, prompts, key=lambda prompt: prompt.id)
    print(f"{len(chosen)} of {len(found)} goals, {len(attack)} attacks: {count} prompts")
    for name, lacking in sorted(without.items()):
        print(f"{name}: {lacking} goals have no target of so many words")


@app.command()
def read(
    artifact: Annotated[Path, typer.Argument(help="Recorded attacks, JailbreakBench's artifact.")],
    *,
    name: Annotated[str, typer.Option(help="Who answered, as the records say.")],
    prompts: PromptsOut,
    responses: Annotated[Path, typer.Option(help="Writes the recorded answers, JSON lines.")],
) -> None:
    """Read attacks that others recorded, with the answers; prints counts alone."""
    from limaflow.attacks.recorded import read_artifact
    from limaflow.jsonl import write_records

    found = read_artifact(artifact, name)
    write_records(prompts, found.prompts)
    write_records(responses, found.responses, key=lambda r: (r.prompt_id, r.sample))
    print(
        f"{artifact}: {len(found.prompts)} prompts, {len(found.responses)} answers of {name}; "
        f"{found.without} goals without a prompt or an answer"
    )
