"""Stack Exchange dumps: Posts.xml, bare or in `<site>.7z`, as questions with their top answer.

The paper takes each question's top answer (LIMA §2.1). Bodies stay HTML. Several processes read a
part of the file each, and then write a part of the candidates each.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.records import Candidate, Provenance
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.pairing import Post, pairs, ranges
from limaflow.sources.shard import BEST, OTHER, ReadingOptions, Shard, line_of
from limaflow.sources.sites import SiteTable, site_of
from limaflow.sources.stored_posts import NAMES, in_processes, stored
from limaflow.sources.user_names import names_in


class SiteOptions(ReadingOptions):
    """A group of sites in place of shards: one shard a site, whose name is the site's."""

    site_table: SiteTable | None = None
    instead_of_shards: ClassVar[str] = "site_table"


def read(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a question, by Id, with its best answer; questions without one come too.

    Raises:
        InputError: broken or hostile XML, more rows than `max_bad_rows` that lack a required
            attribute, a repeated Id.
    """
    with tempfile.TemporaryDirectory(dir=shard.scratch, prefix=".posts-") as folder:
        tables = stored(shard, Path(folder), 1, passed_over)
        with names_in(Path(folder) / NAMES) as name_of:
            yield from _candidates(pairs(tables), shard, passed_over, name_of)


def write(
    shard: Shard[ReadingOptions], passed_over: Counter[str], output: Path, processes: int
) -> int:
    """Write the same as JSON lines, the same whatever the number of processes; return their number.

    Raises:
        InputError: as `read`; nothing is left under the output's name then.
    """
    with tempfile.TemporaryDirectory(dir=shard.scratch, prefix=".posts-") as folder:
        tables = stored(shard, Path(folder), processes, passed_over)
        cuts = ranges(tables, processes)
        files = [Path(folder) / f"{number}.jsonl" for number in range(processes)]
        count = 0
        for found, part_of_count in in_processes(
            partial(_write_range, tables, shard), zip(files, cuts, strict=True), processes
        ):
            passed_over.update(found)
            count += part_of_count
        with replacing(output) as joined:
            for file in files:
                with file.open("rb") as part:
                    shutil.copyfileobj(part, joined.buffer, 1024 * 1024)
    return count


def _write_range(
    tables: list[Path], shard: Shard[ReadingOptions], file: Path, numbers: tuple[int, int]
) -> tuple[Counter[str], int]:
    passed_over: Counter[str] = Counter()
    count = 0
    with file.open("wb") as lines, names_in(file.with_name(NAMES)) as name_of:
        for candidate in _candidates(pairs(tables, *numbers), shard, passed_over, name_of):
            lines.write(line_of(candidate))
            count += 1
    return passed_over, count


def _candidates(
    found: Iterable[tuple[Post, Post | None]],
    shard: Shard[ReadingOptions],
    passed_over: Counter[str],
    name_of: Callable[[str], str],
) -> Iterator[Candidate]:
    site, before = site_of(shard.name), None
    for question, answer in found:
        if question.number == before:
            raise InputError(
                f"post {before}: a question of this Id stands twice", path=shard.files[0]
            )
        before = question.number
        if answer:
            passed_over[BEST] += 1
            passed_over[OTHER] -= 1
        yield _candidate(question, answer, shard, site, name_of)


def _candidate(
    question: Post,
    answer: Post | None,
    shard: Shard[ReadingOptions],
    site: str,
    name_of: Callable[[str], str],
) -> Candidate:
    both = (question, answer) if answer else (question,)
    licences = dict.fromkeys([post.licence for post in both if post.licence])
    asked = f"https://{site}/q/{question.number}"
    return Candidate(
        id=shard.id(str(question.number)),
        source=shard.source,
        shard=shard.name,
        kind=shard.kind,
        title=question.title,
        body=question.text,
        response=answer.text if answer else "",
        markup="html",
        prompt_score=question.score,
        response_score=answer.score if answer else None,
        stratum=shard.name,
        provenance=Provenance(
            site=site,
            title=question.title,
            ids=tuple([str(post.number) for post in both]),
            urls=(asked, f"https://{site}/a/{answer.number}") if answer else (asked,),
            authors=tuple([name_of(post.author) for post in both]),
            licence=", ".join(licences) or shard.options.licence,
            score=answer.score if answer else question.score,
            prompt_score=question.score,
        ),
    )


READER = Reader(options=SiteOptions, read=read, write=write, processes=2)
POLICY = Policy(best_first=True)
