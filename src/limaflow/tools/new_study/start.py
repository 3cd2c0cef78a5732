"""A new study in a folder: a configuration with comments, and tiny files for it to run on."""

import shlex
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from limaflow.errors import InputError

CHECKOUT = Path(__file__).resolve().parents[4]
"""Where the Snakefile lies."""


def start(template: str, folder: Path) -> list[Path]:
    """Copy the files of a template into a folder that is new or empty; returns where they lie.

    Raises:
        InputError: there is something in the folder.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError("there is something here already", path=folder, fix="name a new folder")
    with as_file(files("limaflow.tools.new_study") / template) as source:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return sorted(folder.iterdir())


def command(folder: Path) -> str:
    """The command that runs the study, from whatever folder it is given."""
    words = ["snakemake", "--cores", "2", "--snakefile", str(CHECKOUT / "Snakefile")]
    words += ["--directory", str(folder.resolve())]
    return shlex.join([*words, "--configfile", str(folder.resolve() / "config.yaml")])
