"""Which lm-eval tasks a name stands for, built-in or local, with a clear answer to a misspelt one.

lm-eval 0.4.13: a local task is a YAML file in a folder that is given as `include`; reading its own
catalogue of some 14,000 entries takes seconds, so that is done only when a name is not found
in that folder. A YAML of the folder may run Python (`!function`): include only what you trust.
"""

import difflib
from pathlib import Path
from typing import Any

from limaflow.errors import InputError


def catalogue(names: list[str], include: Path | None) -> Any:
    """An lm-eval `TaskManager` that knows every task, group or tag in `names`.

    Raises:
        InputError: a name is unknown (lists the nearest ones), or `include` is no folder.
    """
    from lm_eval.tasks import TaskManager

    if include is not None and not include.is_dir():
        raise InputError("no such folder of benchmark tasks", path=include)
    if include is not None:
        local = TaskManager(include_path=str(include), include_defaults=False)
        if all(name in local.all_tasks for name in names):
            return local
    known = TaskManager(include_path=None if include is None else str(include))
    for name in names:
        if name not in known.all_tasks:
            near = difflib.get_close_matches(name, known.all_tasks, n=5, cutoff=0.5)
            raise InputError(
                f"no benchmark task is named '{name}'",
                fix=f"near it: {', '.join(near)}" if near else "`lm-eval ls tasks` lists them",
            )
    return known


def loaded(
    names: list[str], include: Path | None
) -> tuple[Any, dict[str, Any], dict[str, list[str]]]:
    """The catalogue, each leaf task with its data by name, and which leaves each name stands for.

    Raises:
        InputError: an unknown name, or data that cannot be read.
    """
    manager = catalogue(names, include)
    tasks: dict[str, Any] = {}
    leaves: dict[str, list[str]] = {}
    for name in names:
        try:
            found = manager.load([name])["tasks"]
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise InputError(
                f"the data of benchmark task '{name}' cannot be read: {first}",
                fix="paths in a task's YAML count from the working directory",
            ) from None
        leaves[name] = sorted(found.keys() - tasks.keys())
        tasks |= found
    return manager, dict(sorted(tasks.items())), leaves


def item_id(number: int, doc_hash: str) -> str:
    """Name of an item: its number in the task and a hash of its content, so that only equal items
    of two runs can be paired."""
    return f"{number:06d}-{doc_hash[:12]}"
