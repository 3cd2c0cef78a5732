"""lm-eval tasks that lie outside the catalogue: YAML files, and the files that these name.

This reads the text alone, so that the workflow can list what a task depends on: nothing of it is
run, and lm-eval is not imported.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from limaflow.errors import InputError


class _Function(str):
    """The value of a `!function module.name` tag."""


class _Loader(yaml.SafeLoader):
    """Reads lm-eval's `!function` tags as text."""


_Loader.add_constructor("!function", lambda _, node: _Function(node.value))


def is_path(task: str) -> bool:
    """Whether a task is named by the path of its YAML file, and not by its name in a catalogue."""
    return task.endswith((".yaml", ".yml"))


def task_name(path: Path) -> str:
    """The name under which a task file's task, or group of tasks, is known to lm-eval.

    Raises:
        InputError: there is no such file, or it defines no task.
    """
    if not path.is_file():
        raise InputError("no such benchmark task", path=path)
    content = _read(path)
    name = content.get("group") or content.get("task")
    if not isinstance(name, str):
        raise InputError("defines no benchmark task: it has neither `task` nor `group`", path=path)
    return name


def files_of_task(path: Path) -> list[Path]:
    """A task file and all local files that it names, directly or through others, sorted.

    These are included YAML, the tasks of a group, the Python files of its functions and local data;
    as lm-eval has it, the first three lie beside it and the paths of data count from the working
    directory.

    Raises:
        InputError: one of the YAML files cannot be read.
    """
    found: set[Path] = set()
    todo = [path]
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            if file.suffix in (".yaml", ".yml") and file.is_file():
                todo += _named_in(file)
    return sorted(found)


def _named_in(path: Path) -> Iterator[Path]:
    content = _read(path)
    for name in _texts(content.get("include")):
        yield path.parent / name
    members = content.get("task")
    if isinstance(members, list):
        named = {m if isinstance(m, str) else str(m.get("task") or m.get("group")) for m in members}
        for other in sorted(path.parent.glob("**/*.yaml")):
            beside = _read(other)
            if any(beside.get(key) == name for key in ("task", "group") for name in named):
                yield other
    for name in _functions(content):
        module = path.parent / f"{name.rpartition('.')[0].replace('.', '/')}.py"
        if module.is_file():
            yield module
    data = content.get("dataset_kwargs")
    for name in _texts(data.get("data_files") if isinstance(data, dict) else None):
        if Path(name).is_file():
            yield Path(name)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value of nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _functions(content: Any) -> list[str]:
    return [text for text in _texts(content) if isinstance(text, _Function)]


def _read(path: Path) -> dict[str, Any]:
    try:
        # The loader is a safe one.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"not a benchmark task: {error}", path=path) from None
    return content if isinstance(content, dict) else {}
