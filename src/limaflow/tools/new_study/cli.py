"""`limaflow init`: begin a study of one's own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def init() -> None:
    """Begin a study of one's own."""


@app.command("own-files")
def own_files(
    folder: Annotated[Path, typer.Argument(help="A folder that is new, or empty.")],
) -> None:
    """Write a study of files that were made elsewhere, with invented ones in their place."""
    from limaflow.tools.new_study.start import command, start

    made = start("own_files", folder)
    print(f"{folder}: {', '.join(path.name for path in made)}")
    print(f"Run it, about a minute:\n  {command(folder)}")
    print(f"Then put your files in the place of these, as {folder / 'config.yaml'} says.")
