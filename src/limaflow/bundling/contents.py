"""What enters a bundle: by its bytes, without some of its texts, or by hash alone."""

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.bundling.not_here import ByHash, WithoutTexts
from limaflow.bundling.reading_chain import NUMBERS, Reads, is_record, reads_of
from limaflow.bundling.withholding import Withheld, without_texts
from limaflow.errors import InputError
from limaflow.manifests import sha256_of
from limaflow.recording.record import FOLDER

STAGES = (
    *NUMBERS,
    *("responses", "dialogues", "verdicts", "grades", "formats", "benchmarks", "token_shift"),
    *("safety", "artifacts", "report"),
)
"""Folders of an experiment whose files enter whole."""
SINGLE = re.compile(
    r"config\.json|base/model\.json|base/model/(tokenizer|tokenizer_config|config)\.json|models/[^/]+/(training|chosen|model)\.json"
    r"|curation/(funnel\.json|prompts/[^/]+\.jsonl)"
    r"|datasets/[^/]+/frozen/([^/]+\.jsonl|SHA256SUMS)"
)
"""Files of other folders that enter whole; of a base that the study made itself, the tokenizer."""
NEVER = re.compile(r"benchmarks/texts\.jsonl|(.*/)?(runs|answered)/.*|bundle/.*")
"""Texts of benchmarks, which are their makers'; what commands keep for a next attempt."""
PAGES = (".html",)
LARGEST_READ = 64 << 20
"""Bytes of a file outside of the experiment that numbers read, such as people's own answers."""


@dataclass(frozen=True)
class Contents:
    """The members of a bundle, and what stands for the files that are none."""

    members: dict[str, Path | bytes] = field(default_factory=dict)
    by_hash: dict[str, ByHash] = field(default_factory=dict)
    changed: dict[str, WithoutTexts] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    """Those of all jobs, which are members too."""


def contents_of(work: Path, results: Path, withheld: Withheld) -> Contents:
    """What of an experiment enters its bundle.

    Args:
        work: where Snakemake works; names in the bundle are paths from there.
        results: the experiment's folder, `results/NAME` below it.

    Raises:
        InputError: the folder is none of a finished study.
    """
    found = Contents()
    root = results.relative_to(work).as_posix()
    for path in _files(results):
        name = path.relative_to(work).as_posix()
        inner = name.removeprefix(f"{root}/")
        if NEVER.fullmatch(inner):
            continue
        if is_record(name):
            found.records[name] = path.read_bytes()
        elif inner.split("/")[0] in STAGES or SINGLE.fullmatch(inner):
            found.members[name] = path
    if f"{root}/config.json" not in found.members or not found.records:
        raise InputError(
            "no config.json, or no records of jobs: not a finished study", path=results
        )
    found.members.update(found.records)
    reads = reads_of(found.records)
    for name in sorted(set().union(*reads.values())):
        if name not in found.members:
            _place(found, work, name, is_read=_by_numbers(name, reads, root))
    _leave_texts_out(found, withheld)
    return found


def _by_numbers(name: str, reads: Reads, root: str) -> bool:
    stages = tuple(f"{root}/{stage}/" for stage in NUMBERS)
    return any(name in inputs for made, inputs in reads.items() if made.startswith(stages))


def _place(found: Contents, work: Path, name: str, *, is_read: bool) -> None:
    """A file that jobs read and that no stage holds: raw data, weights, people's own files."""
    path = work / name
    outside = name.split("/", maxsplit=1)[0] in ("..", "")
    if not path.is_file():
        return
    if is_read and not outside and path.stat().st_size <= LARGEST_READ:
        found.members[name] = path
    else:
        because = "outside of the folder of the study" if outside else "raw, or on the way"
        shown = f"outside/{posixpath.basename(name)}" if outside else name
        found.by_hash[shown] = ByHash(sha256=sha256_of(path), because=because)


def _leave_texts_out(found: Contents, withheld: Withheld) -> None:
    for name, path in sorted(found.members.items()):
        if not (name.endswith(".jsonl") and isinstance(path, Path)):
            continue
        text, rows = without_texts(path.read_bytes(), withheld)
        if rows:
            found.changed[name] = WithoutTexts(sha256=sha256_of(path), rows=rows)
            found.members[name] = text
    if found.changed:
        for name in [name for name in found.members if name.endswith(PAGES)]:
            path = found.members.pop(name)
            assert isinstance(path, Path)
            because = "a page that shows texts which are withheld"
            found.by_hash[name] = ByHash(sha256=sha256_of(path), because=because)


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith(".") or n == FOLDER)
        yield from (
            Path(place, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(place, name).is_file()
        )
