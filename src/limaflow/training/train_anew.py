"""Training again what is finished: asked for by `snakemake --forcerun fine_tune`.

A training that is run again finds its finished run by its identity, and ends at once. So the
request is left as a file in the run's folder; the next start there sets the run aside and removes
the file.
"""

from itertools import count
from pathlib import Path

REQUEST = "train-anew"
ASIDE = "-replaced-"
KEPT_IN_PLACE = {"lock", REQUEST}


def request(runs: Path) -> None:
    """Ask that every run below an arm's `runs` be trained from its first step."""
    for folder in runs.glob("*/"):
        if ASIDE not in folder.name:
            (folder / REQUEST).touch()


def withdraw(runs: Path) -> None:
    """Forget requests that no training has taken up."""
    for file in runs.glob(f"*/{REQUEST}"):
        file.unlink()


def set_aside_if_requested(folder: Path) -> Path | None:
    """Move what a run has left out of its folder, if that was asked for.

    Returns:
        Where it lies now; None where nothing was to be moved.
    """
    if not (folder / REQUEST).exists():
        return None
    aside = None
    left = sorted(entry for entry in folder.iterdir() if entry.name not in KEPT_IN_PLACE)
    if left:
        places = (folder.with_name(f"{folder.name}{ASIDE}{n}") for n in count(1))
        aside = next(place for place in places if not place.exists())
        aside.mkdir()
        for entry in left:
            entry.rename(aside / entry.name)
    # Last: a kill on the way leaves the request.
    (folder / REQUEST).unlink()
    return aside
