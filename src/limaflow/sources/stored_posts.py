"""The posts of a Stack Exchange dump, put into tables on disk by several processes.

A raw file is Posts.xml, Users.xml, or a 7z archive of either or both. Names of users are stored
beside the tables, as `names.sqlite`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from limaflow.errors import InputError
from limaflow.sources import posts
from limaflow.sources.archives import members_of_7z
from limaflow.sources.pairing import post_table
from limaflow.sources.shard import OTHER, ReadingOptions, Shard, pass_over
from limaflow.sources.user_names import store_names

Result = TypeVar("Result")
POSTS, USERS = "Posts.xml", "Users.xml"
NAMES = "names.sqlite"


def stored(
    shard: Shard[ReadingOptions], folder: Path, processes: int, passed_over: Counter[str]
) -> list[Path]:
    """Tables in `folder` with the posts of the shard's files; names of users lie beside them.

    Raises:
        InputError: broken or hostile XML, more rows than `max_bad_rows` that lack a required
            attribute, a repeated Id, no posts at all.
    """
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
        found = in_processes(partial(_store_part, xml), tasks, processes)
    except posts.Irregular:
        for file in files:
            file.unlink(missing_ok=True)
        return None
    return [(file, *found) for file, found in zip(files, found, strict=True)]


def _store_part(xml: Path, table: Path, bounds: tuple[int, int]) -> tuple[Counter[str], list[int]]:
    return _store(table, posts.rows_of_part(xml, *bounds))


def _store(table: Path, rows: Iterable[posts.Row]) -> tuple[Counter[str], list[int]]:
    """Rows that are no questions, by kind, and the Ids of questions that stand twice."""
    kinds: Counter[str] = Counter()
    with post_table(table) as held:
        for kind, post in rows:
            if post is None:
                kinds[f"post of type {kind}"] += 1
            elif kind == posts.QUESTION:
                held.add_prompt(post)
            else:
                held.add_response(post)
                kinds[OTHER] += 1
    return kinds, held.twice


def _repeated_id(xml: Path, path: Path, number: int) -> InputError:
    return InputError(
        f"post {number}: a question of this Id stands twice",
        path=path,
        line=posts.line_of(xml, path, number, 2),
    )


def in_processes(
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
