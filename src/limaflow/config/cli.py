"""`limaflow config`: check a configuration, print its schema."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="config.yaml and overlays, later ones win.")],
) -> None:
    """Say whether the merged configuration is valid, and what it holds."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged

    config = parse(merged(files), origin=" + ".join(map(str, files)))
    arms = len(config.as_written.arms)
    further = len(config.arms) - arms
    seeds = f" ({further} trained again with another seed)" if further else ""
    print(f"{config.experiment}: {len(config.sources)} sources, {arms} arms{seeds}: valid")


@app.command()
def keep(
    file: Annotated[Path, typer.Argument(help="The merged configuration, as JSON.")],
    *,
    output: Annotated[Path, typer.Option(help="The copy beside the results.")],
) -> None:
    """Keep the whole configuration beside the results."""
    from limaflow.jsonl import replacing

    with replacing(output) as copy:
        copy.write(file.read_text(encoding="utf-8"))


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    from limaflow.config.experiment import Config

    print(json.dumps(Config.model_json_schema(), indent=2))
