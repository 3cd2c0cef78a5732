"""lm-eval tasks that lie outside the catalogue: YAML files, and the files that these name.

This reads the text alone, so that the workflow can list what a task depends on: nothing of it is
run, and lm-eval is not imported.
"""

import ast
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


def names_in(folder: Path) -> dict[str, Path]:
    """Name of each task, group and tag that a folder's YAML files define → the first such file."""
    names: dict[str, Path] = {}
    for path in sorted(folder.glob("**/*.yaml")):
        content = _read(path)
        group, task = content.get("group"), content.get("task")
        named = [group if isinstance(group, str) else task, *_texts(content.get("tag"))]
        for name in named:
            if isinstance(name, str):
                names.setdefault(name, path)
    return names


def files_of_task(path: Path, data_root: Path = Path()) -> list[Path]:
    """A task file and all local files that it names, directly or through others, sorted.

    These are included YAML, the tasks of a group, the Python files of its functions with those
    that they import, and local data. The first three lie beside it, as lm-eval has it, and relative
    paths of data count from `data_root`.

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
                todo += _named_in(file, data_root)
            elif file.suffix == ".py":
                todo += _imported_by(file)
    return sorted(found)


def missing_data(path: Path, data_root: Path = Path()) -> list[str]:
    """Data files that a task file names by a local path where there is nothing."""
    data = _read(path).get("dataset_kwargs")
    kwargs = data if isinstance(data, dict) else {}
    if "data_dir" in kwargs:
        return []
    named = [name for name in _texts(kwargs.get("data_files")) if "://" not in name]
    return [name for name in named if not _is_pattern(name) and not (data_root / name).exists()]


def runs_written_code(path: Path) -> bool:
    """Whether a task file says that it runs code which the model writes."""
    return _read(path).get("unsafe_code", False) is not False


def _named_in(path: Path, data_root: Path) -> Iterator[Path]:
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
    yield from _data_of(content, data_root)


def _data_of(content: dict[str, Any], data_root: Path) -> Iterator[Path]:
    """Local data: files by path or pattern, folders, and a data set that is a folder or script."""
    data = content.get("dataset_kwargs")
    kwargs = data if isinstance(data, dict) else {}
    folder = data_root / str(kwargs.get("data_dir", ""))
    for name in _texts(kwargs.get("data_files")):
        if "://" in name:
            continue
        if _is_pattern(name):
            pattern = folder.absolute() / name
            root = Path(pattern.anchor)
            yield from root.glob(str(pattern.relative_to(root)))
        elif (folder / name).is_file():
            yield folder / name
    places = [kwargs["data_dir"]] if kwargs.get("data_dir") and not kwargs.get("data_files") else []
    for place in (*places, content.get("dataset_path")):
        if isinstance(place, str) and (data_root / place).is_dir():
            yield from (file for file in (data_root / place).rglob("*") if file.is_file())
        elif isinstance(place, str) and (data_root / place).is_file():
            yield data_root / place


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _imported_by(path: Path) -> Iterator[Path]:
    """The modules beside a Python file that it imports."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise InputError(f"not Python: {error}", path=path) from None
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
        for name in names:
            module = path.parent / f"{name.replace('.', '/')}.py"
            if module.is_file():
                yield module


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
