"""Stack Exchange dumps: Posts.xml, bare or in `<site>.7z`, as questions with their top answer.

The archive's Users.xml, or a file of that name in the shard, names the authors.
The paper takes each question's top answer (LIMA §2.1). Bodies stay HTML. Several processes read a
part of the file each, and then write a part of the candidates each.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.records import Candidate, Provenance
from limaflow.sources import posts
from limaflow.sources.archives import members_of_7z
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.pairing import Post, pairs, post_table, ranges
from limaflow.sources.shard import BEST, OTHER, ReadingOptions, Shard, line_of, pass_over
from limaflow.sources.sites import SiteTable, site_of
from limaflow.sources.user_names import names_in, store_names

Result = TypeVar("Result")
POSTS, USERS = "Posts.xml", "Users.xml"
NAMES = "names.sqlite"


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
        tables = _stored(shard, Path(folder), 1, passed_over)
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
        tables = _stored(shard, Path(folder), processes, passed_over)
        cuts = ranges(tables, processes)
        files = [Path(folder) / f"{number}.jsonl" for number in range(processes)]
        count = 0
        for found, part_of_count in _in_processes(
            partial(_write_range, tables, shard), zip(files, cuts, strict=True), processes
        ):
            passed_over.update(found)
            count += part_of_count
        with replacing(output) as joined:
            for file in files:
                with file.open("rb") as part:
                    shutil.copyfileobj(part, joined.buffer, 1024 * 1024)
    return count


def _stored(
    shard: Shard[ReadingOptions], folder: Path, processes: int, passed_over: Counter[str]
) -> list[Path]:
    """Tables with the posts of the shard's files."""
    tables: list[Path] = []
    for path in shard.files:
        with _opened(path, shard.scratch) as members:
            if USERS in members:
                store_names(members[USERS], path, folder / NAMES)
            if POSTS not in members:
                continue
            xml = members[POSTS]
            found = _store_in_parallel(xml, folder, len(tables), processes)
            if found is None:
                table = folder / f"{len(tables)}.sqlite"
                bad = partial(pass_over, shard, passed_over)
                found = [(table, *_store(table, posts.rows(xml, path, bad)))]
            for table, kinds, twice in found:
                tables.append(table)
                passed_over.update(kinds)
                if twice:
                    raise _repeated_id(xml, path, twice[0])
    if not tables:
        raise InputError(f"no {POSTS} beside it", path=shard.files[0])
    return tables


def _opened(path: Path, scratch: Path) -> AbstractContextManager[dict[str, Path]]:
    """The tables of a dump that a raw file holds, by name."""
    if path.suffix == ".7z":
        return members_of_7z(path, (POSTS, USERS), scratch)
    return nullcontext({USERS if path.name == USERS else POSTS: path})


def _store_in_parallel(
    xml: Path, folder: Path, number: int, processes: int
) -> list[tuple[Path, Counter[str], list[int]]] | None:
    """None if the file is not laid out as dumps are, or is broken: `posts.rows` says how."""
    files = [folder / f"{number + part}.sqlite" for part in range(processes)]
    try:
        bounds = posts.parts(xml, processes)
        tasks = zip(files, bounds, strict=True)
        stored = _in_processes(partial(_store_part, xml), tasks, processes)
    except posts.Irregular:
        for file in files:
            file.unlink(missing_ok=True)
        return None
    return [(file, *found) for file, found in zip(files, stored, strict=True)]


def _store_part(xml: Path, table: Path, bounds: tuple[int, int]) -> tuple[Counter[str], list[int]]:
    return _store(table, posts.rows_of_part(xml, *bounds))


def _store(table: Path, rows: Iterable[posts.Row]) -> tuple[Counter[str], list[int]]:
    """Rows that are no questions, by kind, and the Ids of questions that stand twice."""
    kinds: Counter[str] = Counter()
    with post_table(table) as stored:
        for kind, post in rows:
            if post is None:
                kinds[f"post of type {kind}"] += 1
            elif kind == posts.QUESTION:
                stored.add_prompt(post)
            else:
                stored.add_response(post)
                kinds[OTHER] += 1
    return kinds, stored.twice


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


def _in_processes(
    work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], processes: int
) -> list[Result]:
    """`work(*task)` for each task, in order; one process for each if there is more than one."""
    if processes == 1:
        return [work(*task) for task in tasks]
    with ProcessPoolExecutor(processes) as pool:
        try:
            return list(pool.map(work, *zip(*tasks, strict=True)))
        except BrokenProcessPool:
            raise InputError("a process was killed; is memory short?") from None


def _repeated_id(xml: Path, path: Path, number: int) -> InputError:
    return InputError(
        f"post {number}: a question of this Id stands twice",
        path=path,
        line=posts.line_of(xml, path, number, 2),
    )


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
POLICY = Policy(best_first=True, titles_must_ask=True)
