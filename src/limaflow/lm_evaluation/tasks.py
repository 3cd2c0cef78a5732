"""Which lm-eval tasks a name or a path stands for, with a clear answer to a misspelt one.

lm-eval 0.4.13: a task outside its catalogue is a YAML file, whose folder it is told to look into;
reading its own catalogue of some 14,000 entries takes seconds, so that is done only when a name is
not found in those folders. A YAML file may run Python (`!function`): name only what you trust.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.task_files import is_path, task_name


def catalogue(names: Sequence[str], folders: Sequence[Path]) -> Any:
    """An lm-eval `TaskManager` that knows every task, group or tag in `names`.

    Raises:
        InputError: a name is unknown (lists the nearest ones), or one of `folders` is none.
    """
    from lm_eval.tasks import TaskManager

    for folder in folders:
        if not folder.is_dir():
            raise InputError("no such folder of benchmark tasks", path=folder)
    local_folders = [str(folder) for folder in folders]
    if folders:
        local = TaskManager(include_path=local_folders, include_defaults=False)
        if all(name in local.all_tasks for name in names):
            return local
    known = TaskManager(include_path=local_folders or None)
    for name in names:
        if name not in known.all_tasks:
            near = difflib.get_close_matches(name, known.all_tasks, n=5, cutoff=0.5)
            raise InputError(
                f"no benchmark task is named '{name}'",
                fix=f"near it: {', '.join(near)}" if near else "`lm-eval ls tasks` lists them",
            )
    return known


def loaded(
    tasks: Sequence[str], include: Path | None
) -> tuple[Any, dict[str, Any], dict[str, list[str]]]:
    """The catalogue, each leaf task with its data by name, and which leaves each name stands for.

    Args:
        tasks: names in lm-eval's catalogue or the folder `include`, and paths of YAML files.

    Raises:
        InputError: an unknown name, two tasks of one name, or data that cannot be read.
    """
    files = {task_name(Path(task)): Path(task) for task in tasks if is_path(task)}
    names = [task_name(Path(task)) if is_path(task) else task for task in tasks]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InputError(f"two of the benchmark tasks are named '{min(repeated)}'")
    folders = dict.fromkeys(path.parent for path in files.values())
    manager = catalogue(names, [*([include] if include else []), *folders])
    for name, path in files.items():
        if (other := Path(manager.task_index[name].yaml_path)).resolve() != path.resolve():
            raise InputError(f"its task '{name}' is defined in {other} too", path=path)
    found: dict[str, Any] = {}
    leaves: dict[str, list[str]] = {}
    for name in names:
        try:
            read = manager.load([name])["tasks"]
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise InputError(
                f"the data of benchmark task '{name}' cannot be read: {first}",
                fix="paths in a task's YAML count from the working directory",
            ) from None
        leaves[name] = sorted(read.keys() - found.keys())
        found |= read
    return manager, dict(sorted(found.items())), leaves


def item_id(number: int, doc_hash: str) -> str:
    """Name of an item: its number in the task and a hash of its content, so that only equal items
    of two runs can be paired."""
    return f"{number:06d}-{doc_hash[:12]}"
