"""The data sets of lm-eval's tasks: local copies in place of the hub's, and which ones were read.

A task's YAML names its data set on the hub, and lm-eval has no key for another place. So
`datasets.load_dataset`, through which lm-eval and tasks' own code read them all, is replaced while
tasks are loaded.
"""

import csv
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.errors import InputError

BUILDERS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
HUB = "hub"
SPLITS = {"val": "validation", "valid": "validation"}
"""Other words for a split → the hub's."""
SPLIT = r"(?P<split>train|validation|valid|val|dev|test|auxiliary_train)"
NAMED = re.compile(rf"(?:(?P<configuration>.+?)[-_.])?{SPLIT}(?:[-_.].*)?", re.IGNORECASE)
"""`test`, `astronomy_test`, `test-00000-of-00001`."""
SHARD = re.compile(r"\d+-of-\d+$")
CHOICE = re.compile(r"choice\d+")
LETTERS = "ABCD"
BARE_MMLU = ("question", "choice0", "choice1", "choice2", "choice3", "answer")


@dataclass(frozen=True, order=True)
class Read:
    """A data set that was read."""

    name: str
    configuration: str
    place: str
    """HUB, or the folder of a local copy."""
    rows: Mapping[str, int] = field(compare=False)
    """Split → rows."""


@contextmanager
def data_from(copies: Path | None) -> Iterator[set[Read]]:
    """While it lasts, data sets of the hub that have a copy below `copies` are read from there.

    Yields:
        The data sets of the hub that were asked for, with where they were read.

    Raises:
        InputError: there is no such folder, or a copy lacks files, as `local_copy`.
    """
    import datasets

    if copies is not None and not copies.is_dir():
        raise InputError(
            "no such folder of local copies", path=copies, fix="mend benchmarks.local_copies"
        )
    original: Callable[..., Any] = datasets.load_dataset
    read: set[Read] = set()

    def load(path: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if path in BUILDERS.values() or Path(path).exists():
            return original(path, name, *args, **kwargs)
        folder = copies and folder_of(path, copies)
        if folder:
            found = local_copy(path, name or "", folder, original)
            split = kwargs.get("split")
            found = found if split is None else found[str(split)]
        else:
            if copies:
                print(f"{path}: from the hub: no copy of it in {copies}", file=sys.stderr)
            found = original(path, name, *args, **kwargs)
        read.add(Read(path, name or "", str(folder or HUB), _rows(found)))
        return found

    datasets.load_dataset = load
    try:
        yield read
    finally:
        datasets.load_dataset = original


def folder_of(name: str, copies: Path) -> Path | None:
    """Where the copy of a data set of the hub lies: `owner/name` below `copies`, or `name`.

    Capitals do not count.
    """
    for wanted in (name, name.rpartition("/")[2]):
        place = copies
        for part in wanted.lower().split("/"):
            folders = [entry for entry in place.iterdir() if entry.is_dir()]
            found = next((f for f in sorted(folders) if f.name.lower() == part), None)
            if found is None:
                break
            place = found
        else:
            return place
    return None


def local_copy(
    name: str, configuration: str, folder: Path, load: Callable[..., Any] | None = None
) -> Any:
    """The splits of a configuration of a data set, from the files in a folder.

    They are those of a clone of the hub's repository, or named `[configuration/]split.csv` (.json,
    .jsonl, .parquet) or `configuration_split.csv`. A file that names no split is `train`, as with
    `datasets`. A split that is absent is empty, so that tasks without few-shot examples need none.

    Args:
        load: `datasets.load_dataset`, where that is replaced.

    Raises:
        InputError: there are no files of this configuration.
    """
    import datasets

    load = load or datasets.load_dataset
    card = folder / "README.md"
    if card.is_file() and "config_name:" in card.read_text(encoding="utf-8", errors="replace"):
        return load(str(folder), configuration or None)
    files = _files(folder)
    chosen = files.get(configuration.lower()) or files.get("")
    if not chosen:
        there = ", ".join(sorted(files)) or "no data"
        raise InputError(
            f"the local copy of {name} has no files of its configuration '{configuration}'; "
            f"there is {there}",
            path=folder,
            fix=f"add {configuration}/test.jsonl, or ask for the tasks that there are data of",
        )
    return _absent_are_empty({split: _rows_of(paths, load) for split, paths in chosen.items()})


def files_of_copies(copies: Path) -> list[Path]:
    """All data files below a folder of copies, sorted; links to folders count."""
    found = (
        Path(folder, name)
        for folder, _, names in os.walk(copies, followlinks=True)
        for name in names
    )
    return sorted(path for path in found if path.suffix.lower() in BUILDERS)


def _files(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """Configuration → split → files; "" for files that name no configuration."""
    found: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in files_of_copies(folder):
        *folders, stem = path.relative_to(folder).with_suffix("").parts
        named = NAMED.fullmatch(stem)
        words = [*folders, named["configuration"] or ""] if named else [*folders, ""]
        split = named["split"].lower() if named else "train"
        # `data/test/astronomy_test.csv`: folders that only say the split or nothing.
        kept = [w.lower() for w in words if w and w != "data" and w.lower() not in _words()]
        configuration = kept[-1] if kept else ""
        found[configuration][SPLITS.get(split, split)].append(path)
    for splits in found.values():
        if "dev" in splits and "validation" not in splits:
            splits["validation"] = splits["dev"]
    return found


def _require_one(paths: list[Path]) -> None:
    """Raises InputError where several files that are no shards name one split."""
    loose = [path for path in paths if not SHARD.search(path.stem)]
    if len(paths) > 1 and loose:
        raise InputError(
            f"the same split is in {paths[0].name} and {paths[1].name}",
            path=paths[0].parent,
            fix="keep one of them there",
        )


def _words() -> set[str]:
    return {"train", "validation", "dev", "test", "auxiliary_train", *SPLITS}


def _rows_of(paths: list[Path], load: Callable[..., Any]) -> Any:
    import datasets

    _require_one(paths)
    if (choices := _choice_rows(paths[0])) is not None:
        return datasets.Dataset.from_list(choices)
    files = [str(path.resolve()) for path in paths]
    datasets.disable_progress_bars()
    try:
        builder = BUILDERS[paths[0].suffix.lower()]
        return load(builder, data_files={"train": files}, split="train")
    finally:
        datasets.enable_progress_bars()


def _choice_rows(path: Path) -> list[dict[str, Any]] | None:
    """The rows of MMLU as CSV, in the hub's columns; None for another file.

    It is published without a header as question, choices and the letter of the right one, and
    passed on with the columns question, choice0, …, answer. Every choice is text here: a reader
    that guesses types makes "1.50" a number, and nothing of "NA".
    """
    if path.suffix.lower() != ".csv":
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    first = rows[0] if rows else []
    if len(first) == len(BARE_MMLU) and first[-1] in LETTERS:
        rows.insert(0, list(BARE_MMLU))
    elif "choice0" not in first or "answer" not in first:
        return None
    named = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    columns = [column for column in rows[0] if CHOICE.fullmatch(column)]
    kept = [column for column in rows[0] if column not in columns]
    return [
        {column: row[column] for column in kept}
        | {
            "choices": [row[column] for column in columns],
            "answer": int(row["answer"])
            if row["answer"].isdecimal()
            else LETTERS.index(row["answer"]),
        }
        for row in named
    ]


def _absent_are_empty(splits: dict[str, Any]) -> Any:
    from datasets import Dataset, DatasetDict

    class Splits(DatasetDict):  # type: ignore[misc]
        def __missing__(self, split: str) -> Any:
            features = next(iter(self.values())).features
            return Dataset.from_dict({name: [] for name in features}, features=features)

    return Splits(splits)


def _rows(found: Any) -> dict[str, int]:
    rows = getattr(found, "num_rows", None)
    if isinstance(rows, dict):
        return {str(split): int(count) for split, count in rows.items()}
    return {"": rows} if isinstance(rows, int) else {}
