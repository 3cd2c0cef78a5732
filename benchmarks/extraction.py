"""Peers of the reader of Stack Exchange dumps, on a dump written out many times.

iterparse   a bare `lxml.iterparse` loop that counts rows and clears them: the least that XML costs
soup        the usual script: iterparse, and BeautifulSoup on every answer

`python benchmarks/extraction.py --megabytes 2000` shows memory: the peak of each process, which
does not rise with the file.
"""

import argparse
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from conversations import conversations

IDS = re.compile(rb'(?<![A-Za-z])((?:Id|ParentId|AcceptedAnswerId)=")(\d+)"')
STEP = 1_000_000
"""What each copy's Ids are moved on by."""
CONTEST_MEGABYTES = {"iterparse": 300, "soup": 5}


def invented(threads: int = 500) -> bytes:
    """A Posts.xml of invented threads: a question and two answers each, with the site's HTML."""
    from xml.sax.saxutils import quoteattr

    rows = []
    for number, example in enumerate(conversations(threads), start=1):
        question, best, other = 3 * number, 3 * number + 1, 3 * number + 2
        title, words = quoteattr(example.prompt), example.response.split()
        paragraphs = [" ".join(words[at : at + 60]) for at in range(0, len(words), 60)]
        body = quoteattr("".join(f"<p>{text}</p>\n" for text in paragraphs))
        rows.append(
            f'<row Id="{question}" PostTypeId="1" AcceptedAnswerId="{best}" Score="{number % 40}"'
            f' CreationDate="2020-01-01T00:00:00.000" Title={title} Body={body} />\n'
        )
        rows += [
            f'<row Id="{answer}" PostTypeId="2" ParentId="{question}" Score="{score}"'
            f' CreationDate="2020-01-02T00:00:00.000" Body={body} />\n'
            for answer, score in ((best, 12), (other, 3))
        ]
    return f'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{"".join(rows)}</posts>'.encode()


def grown(dump: Path | None, megabytes: int, target: Path) -> Path:
    """`dump` (or an invented one) repeated with its Ids moved on, until the file has this size."""
    text = dump.read_bytes() if dump else invented()
    start, stop = text.index(b"<row"), text.rindex(b"</posts>")
    rows = text[start:stop]
    with target.open("wb") as file:
        file.write(text[:start])
        for copy in range(max(1, megabytes * 10**6 // len(rows))):
            file.write(IDS.sub(lambda m, n=copy: b'%b%d"' % (m[1], int(m[2]) + n * STEP), rows))
        file.write(text[stop:])
    return target


def read(dump: Path, processes: int) -> int:
    """Extract to disk; returns the bytes of XML."""
    from limaflow.sources.extraction import extract
    from limaflow.sources.shard import ReadingOptions, Shard

    with tempfile.TemporaryDirectory(dir=dump.parent) as scratch:
        shard = Shard(
            kind="stackexchange",
            source="dump",
            name="site",
            files=(dump,),
            scratch=Path(scratch),
            options=ReadingOptions(),
        )
        extract(shard, Path(scratch) / "out.jsonl", Counter(), processes)
    return dump.stat().st_size


def iterparse(dump: Path) -> int:
    """Count rows and clear them."""
    from lxml import etree

    for _, row in etree.iterparse(str(dump), tag="row", resolve_entities=False):
        row.clear()
    return dump.stat().st_size


def soup(dump: Path) -> int:
    """Parse the HTML of each answer on the way."""
    from bs4 import BeautifulSoup
    from lxml import etree

    for _, row in etree.iterparse(str(dump), tag="row", resolve_entities=False):
        if row.get("PostTypeId") == "2":
            BeautifulSoup(row.get("Body", ""), "lxml").get_text()
        row.clear()
    return dump.stat().st_size


def contest(
    dump: Path | None, processes: int, peer: str
) -> tuple[Callable[[], int], Callable[[], int]]:
    """Our reader and its peer on the same file, which is gone when the program ends."""
    folder = tempfile.TemporaryDirectory(prefix="extraction-")
    file = grown(dump, CONTEST_MEGABYTES[peer], Path(folder.name) / "Posts.xml")
    other = {"iterparse": iterparse, "soup": soup}[peer]
    return lambda: read(file, processes), lambda: (folder, other(file))[1]


def main() -> None:
    """Read one large file once and print speed and memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dump", type=Path, help="a Posts.xml (default: an invented one)")
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="extraction-") as folder:
        file = grown(chosen.dump, chosen.megabytes, Path(folder) / "Posts.xml")
        start = time.perf_counter()
        size = read(file, chosen.processes)
        seconds = time.perf_counter() - start
    peaks = [
        resource.getrusage(who).ru_maxrss // 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(
        f"{size / 1e6:.0f} MB in {seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s; peak memory "
        f"{peaks[0]} MiB, of any child {peaks[1]} MiB"
    )


if __name__ == "__main__":
    main()
