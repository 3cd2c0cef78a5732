"""Which lm-eval tasks a name or a path stands for, with a clear answer to a misspelt one.

lm-eval 0.4.13: a task outside its catalogue is a YAML file, whose folder it is told to look into;
reading its own catalogue of some 14,000 entries takes seconds, so that is done only when a name is
not found in those folders. A YAML file may run Python (`!function`): name only what you trust.
"""

import difflib
from collections.abc import Collection, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.lm_evaluation.data_sets import HUB, Read, data_from
from limaflow.lm_evaluation.language_tools import language_tools
from limaflow.lm_evaluation.task_failures import failure
from limaflow.lm_evaluation.task_files import is_path, task_name


@dataclass(frozen=True)
class Asked:
    """One entry of `benchmarks.tasks`: a task, or a group or tag of several."""

    name: str
    parts: tuple[str, ...]
    """Its tasks, by name; of a task itself alone."""
    metrics: tuple[str, ...] = ()
    """What the group averages, in its order: `metric` or `metric,filter`."""
    equal_parts: bool = False
    """Whether each task of the group counts alike (`weight_by_size: false`), and not each item."""


@dataclass(frozen=True)
class Selection:
    """All entries of `benchmarks.tasks`, and their tasks with the data."""

    asked: tuple[Asked, ...]
    tasks: Mapping[str, Any]
    """Name → lm-eval's task; each once, also if several entries hold it."""
    manager: Any = field(repr=False)
    data: tuple[Read, ...] = ()
    """The data sets of the hub that the tasks use, with where they were read."""


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
    tasks: Sequence[str],
    include: Path | None,
    *,
    unsafe_code: bool = False,
    data_root: Path = Path(),
    copies: Path | None = None,
) -> Selection:
    """The tasks that names stand for, each with its data.

    Args:
        tasks: names in lm-eval's catalogue or the folder `include`, and paths of YAML files.
        unsafe_code: whether tasks may be among them that run code which a model wrote.
        data_root: where relative paths of data in task files count from; lm-eval takes them from
            the working directory, which is changed while it reads.
        copies: folder of local copies of the hub's data sets.

    Raises:
        InputError: an unknown name, two tasks of one name, one that runs a model's code without
            leave, or a task or data that cannot be read.
    """
    copies = copies and copies.resolve()
    files = {task_name(Path(task)): Path(task) for task in tasks if is_path(task)}
    names = [task_name(Path(task)) if is_path(task) else task for task in tasks]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InputError(f"two of the benchmark tasks are named '{min(repeated)}'")
    folders = dict.fromkeys(path.parent.resolve() for path in files.values())
    manager = catalogue(names, [*([include.resolve()] if include else []), *folders])
    for name, path in files.items():
        if (other := Path(manager.task_index[name].yaml_path)).resolve() != path.resolve():
            raise InputError(f"its task '{name}' is defined in {other} too", path=path)
    found: dict[str, Any] = {}
    asked = []
    places = [manager.task_index[name].yaml_path for name in names]
    of_tasks = {Path(place).parent for place in places if place}
    with data_from(copies) as data, language_tools(of_tasks, copies):
        for name in names:
            if (manager.task_index[name].cfg or {}).get("unsafe_code") and not unsafe_code:
                raise _not_allowed(name)
            read = _read(manager, name, data_root, data)
            found = read["tasks"] | found
            asked.append(_asked(name, sorted(read["tasks"]), read.get("groups", {}).get(name)))
    for name, task in found.items():
        if getattr(task, "UNSAFE_CODE", False) and not unsafe_code:
            raise _not_allowed(name)
    return Selection(tuple(asked), dict(sorted(found.items())), manager, tuple(sorted(data)))


def _read(manager: Any, name: str, data_root: Path, data: Collection[Read]) -> Any:
    try:
        with chdir(data_root):
            return manager.load([name])
    except IndexError:
        # lm-eval looks at the first item of each task.
        copies = [f"{d.place} has {', '.join(d.rows)}" for d in sorted(data) if d.place != HUB]
        raise InputError(
            f"benchmark task '{name}' has no items",
            fix="are they in another split? " + "; ".join(copies) if copies else "",
        ) from None
    except Exception as error:
        raise failure(f"benchmark task '{name}' cannot be read", error) from error


def _not_allowed(name: str) -> InputError:
    return InputError(
        f"benchmark task '{name}' runs code that the model writes",
        fix="allow it with benchmarks.unsafe_code: true, on a machine that may be harmed",
    )


def _asked(name: str, parts: Sequence[str], group: Any) -> Asked:
    listed = (group and group.aggregate_metric_list) or []
    metrics = [
        f"{entry.metric},{answer_filter}" if answer_filter else entry.metric
        for entry in listed
        for answer_filter in (entry.filter_list or [""])
    ]
    equal = bool(listed) and not listed[0].weight_by_size
    return Asked(name, tuple(parts), tuple(metrics), equal)


def item_id(number: int, doc_hash: str) -> str:
    """Name of an item: its number in the task and a hash of its content, so that only equal items
    of two runs can be paired."""
    return f"{number:06d}-{doc_hash[:12]}"
