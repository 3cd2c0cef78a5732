"""Posts.xml of a Stack Exchange dump as a stream of posts.

Format: https://archive.org/details/stackexchange (one `row` a post; PostTypeId 1 is a question, 2
an answer). Dumps hold one row per line, hence slices of whole lines can be parsed in parallel. A
file that is laid out otherwise, or is broken, is read by one parser, which reports the errors.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

from lxml import etree

from limaflow.errors import InputError, refuse
from limaflow.sources.licences import of_post
from limaflow.sources.pairing import Post
from limaflow.sources.user_names import numbered
from limaflow.sources.xml_rows import xml_rows

QUESTION, ANSWER = "1", "2"
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII).fullmatch
PIECE_BYTES = 32 * 1024
"""A tree of this many bytes stays in the processor's cache."""
LONGEST_LINE_BYTES = 64 * 1024 * 1024
HEAD = re.compile(
    rb"""(\xef\xbb\xbf)?(<\?xml version=["']1.0["']( encoding=["']utf-8["'])?\s*\?>)?\s*<posts>""",
    re.IGNORECASE,
)
TAIL = re.compile(rb"</posts>\s*\Z")


Row = tuple[str, Post | None]
"""Kind of a post, and the post itself if it is a question or an answer."""


class Malformed(Exception):
    """A row lacks a required attribute."""


class Irregular(Exception):
    """The file is not laid out as dumps are, or is broken."""


def rows(xml: Path, named: Path, bad: Callable[[InputError], None] = refuse) -> Iterator[Row]:
    """The rows of `xml` in order; errors name the file `named`.

    Args:
        bad: called with the error of a row that lacks a required attribute.

    Raises:
        InputError: broken or hostile XML, or a row that lacks a required attribute, with its line.
    """
    for line, element in xml_rows(xml, named, "posts"):
        try:
            row = _row(element.get)
        except Malformed as error:
            post = f"post {element.get('Id') or 'without Id'}: {error}"
            bad(InputError(post, path=named, line=line))
            continue
        yield row


def parts(xml: Path, number: int) -> list[tuple[int, int]]:
    """Bounds of `number` runs of whole lines, which hold all between `<posts>` and `</posts>`.

    Raises:
        Irregular: the file does not begin and end as dumps do, or has endless lines.
    """
    with xml.open("rb") as file:
        head = HEAD.match(file.read(1024))
        file.seek(max(0, xml.stat().st_size - 1024))
        last = file.tell()
        tail = TAIL.search(file.read())
        if head is None or tail is None:
            raise Irregular
        ends = [head.end()]
        stop = last + tail.start()
        for part in range(1, number + 1):
            file.seek(ends[0] + (stop - ends[0]) * part // number)
            if len(file.readline(LONGEST_LINE_BYTES)) == LONGEST_LINE_BYTES:
                raise Irregular
            ends.append(min(file.tell(), stop))
    return list(pairwise(ends))


def rows_of_part(xml: Path, start: int, stop: int) -> Iterator[Row]:
    """The rows between two bounds.

    Raises:
        Irregular: a line is no row, or a row lacks a required attribute.
    """
    with xml.open("rb") as file:
        file.seek(start)
        while (left := stop - file.tell()) > 0:
            piece = file.read(min(PIECE_BYTES, left))
            piece += file.readline(min(LONGEST_LINE_BYTES, stop - file.tell()))
            parser = etree.XMLParser(
                resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            try:
                root = etree.fromstring(b"<posts>%b</posts>" % piece, parser)
                if not piece.count(b"<") == piece.count(b"<row ") == len(root):
                    raise Irregular
                for element in root:
                    yield _row(element.get)
            except (etree.XMLSyntaxError, Malformed):
                raise Irregular from None


def line_of(xml: Path, named: Path, number: int, time: int) -> int | None:
    """Line on which the question of this Id stands for the `time`-th time."""
    found = (
        line
        for line, row in xml_rows(xml, named, "posts")
        if row.get("Id") == str(number) and row.get("PostTypeId") == QUESTION
    )
    return next(islice(found, time - 1, None), None)


def _row(get: Callable[[str], str | None]) -> Row:
    kind = get("PostTypeId")
    if kind == QUESTION:
        accepted = get("AcceptedAnswerId")
        other = int(accepted) if accepted and WHOLE(accepted) else None
    elif kind == ANSWER:
        other = _whole(get, "ParentId")
    elif kind:
        return kind, None
    else:
        raise Malformed("no PostTypeId")
    title, body, user = get("Title"), get("Body"), get("OwnerUserId")
    if body is None or (title is None and kind == QUESTION):
        raise Malformed("no Body" if body is None else "no Title")
    return kind, Post(
        _whole(get, "Id"),
        other,
        _whole(get, "Score"),
        title or "",
        body,
        get("OwnerDisplayName") or (numbered(user) if user else ""),
        get("ContentLicense") or of_post("", get("CreationDate") or ""),
    )


def _whole(get: Callable[[str], str | None], name: str) -> int:
    text = get(name)
    if text is None:
        raise Malformed(f"no {name}")
    # The short way for nearly all: the pattern takes twice as long.
    if not (text.isdigit() and text.isascii() and len(text) < 19) and not WHOLE(text):
        raise Malformed(f"{name} is {text[:40]!r}, not a whole number")
    return int(text)
