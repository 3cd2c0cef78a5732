"""What another user has made and does not share."""

import os
from pathlib import Path

from limaflow.errors import InputError


def of_another_user(path: Path) -> InputError | None:
    """The error to raise where `path` is there and this user may not write in it."""
    if not path.exists() or os.access(path, os.W_OK, effective_ids=True):
        return None
    try:
        owner = path.owner()
    except KeyError:
        owner = f"user {path.stat().st_uid}"
    return InputError(
        f"belongs to {owner}, and you may not write in it",
        path=path,
        fix="work in a folder of your own (snakemake --directory), or have its owner share it: "
        "docs/slurm.md, two users",
    )
