"""What can be said of the named tasks before anything runs: from the text of task files alone."""

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from limaflow.lm_evaluation.task_files import (
    files_of_task,
    is_path,
    missing_data,
    names_in,
    runs_written_code,
    task_name,
)

_DEFINES = re.compile(r"^(?:task|group|tag):[ \t]*[\"']?([\w.+-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Findings:
    """What is wrong with `benchmarks.tasks`, a line each."""

    mistakes: tuple[str, ...]
    missing_data: tuple[str, ...]
    """Data that are not there yet, and might be made before the tasks are run."""


def examined(
    tasks: Sequence[str],
    folder: Path | None,
    made: Collection[str],
    *,
    unsafe_code: bool,
    data_root: Path = Path(),
) -> Findings:
    """What can be known of the named tasks.

    Args:
        folder: of task files of one's own; it may be made only by the run itself.
        made: names that the run itself makes there.
        unsafe_code: whether tasks may run code which the model writes.
        data_root: where relative paths of data in task files count from.

    Raises:
        InputError: a task file cannot be read.
    """
    own = names_in(folder) if folder and folder.is_dir() else {}
    names = [task_name(Path(task)) if is_path(task) else task for task in tasks]
    files = [
        Path(task) if is_path(task) else own[task] for task in tasks if is_path(task) or task in own
    ]
    mistakes = [f"'{name}' stands twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    # The folder of a path is searched too, so that a group beside it may be named.
    beside = {name for task in tasks if is_path(task) for name in names_in(Path(task).parent)}
    known = {*own, *made, *beside}
    unknown = [t for t in tasks if not is_path(t) and t not in known]
    mistakes += [_unknown(name, known) for name in _not_of_lm_eval(unknown)]
    missing = []
    for file in dict.fromkeys(part for named in files for part in files_of_task(named, data_root)):
        if file.suffix not in (".yaml", ".yml") or not file.is_file():
            continue
        missing += [f"{file}: no such data file: {name}" for name in missing_data(file, data_root)]
        if runs_written_code(file) and not unsafe_code:
            mistakes.append(f"{file}: runs code that the model writes (benchmarks.unsafe_code)")
    return Findings(tuple(mistakes), tuple(missing))


def _not_of_lm_eval(names: Sequence[str]) -> list[str]:
    """Those of the names that stand in none of lm-eval's task files; none where there are none."""
    left = set(names)
    catalogue = _catalogue()
    if catalogue is None or not left:
        return []
    # Most tasks lie in a folder of the catalogue that begins their name: mmlu, truthfulqa.
    begins = {name.partition("_")[0] for name in left}
    near = (path for begin in sorted(begins) for path in (catalogue / begin).rglob("*.yaml"))
    for path in chain(near, catalogue.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        left -= {name for name in left if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}
        if not left:
            break
    return [name for name in names if name in left]


def _unknown(name: str, known: Collection[str]) -> str:
    catalogue = _catalogue()
    of_lm_eval = {
        defined
        for path in (catalogue.rglob("*.yaml") if catalogue else ())
        for defined in _DEFINES.findall(path.read_text(encoding="utf-8", errors="replace"))
    }
    near = difflib.get_close_matches(name, sorted({*known, *of_lm_eval}), n=5, cutoff=0.6)
    return f"no task is named '{name}'" + (f"; near it: {', '.join(near)}" if near else "")


def _catalogue() -> Path | None:
    """The folder of lm-eval's own task files; None where it is installed on the nodes alone."""
    package = find_spec("lm_eval")
    places = package.submodule_search_locations if package else None
    return Path(places[0], "tasks") if places else None
