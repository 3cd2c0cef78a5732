"""Who wrote what: the attribution that CC BY-SA asks for, as a table beside the frozen data set."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from limaflow.jsonl import replacing
from limaflow.records import Example, Provenance

COLUMNS = (
    *("id", "split", "source", "title", "authors", "author_links", "links"),
    *("licence", "licence_links", "changed"),
)
CREATIVE_COMMONS = re.compile(r"CC (BY(?:-NC)?(?:-SA)?) (\d\.\d)")


def write_attribution(path: Path, examples: Iterable[Example]) -> None:
    """One row an example, by split and id; several authors or links of one are set on lines."""
    with replacing(path) as file:
        table = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerow(COLUMNS)
        for example in sorted(examples, key=lambda e: (e.split, e.id)):
            table.writerow(map(_harmless, _row(example)))


def _row(example: Example) -> Iterator[str]:
    origin = example.provenance
    edited = example.review is not None and example.review.decision == "edit"
    yield from (example.id, example.split, example.source, origin.title)
    yield "\n".join(origin.authors)
    yield "\n".join(filter(None, (profile(author, origin) for author in origin.authors)))
    yield "\n".join(origin.urls)
    yield origin.licence
    yield "\n".join(deed(licence) for licence in origin.licence.split(", ") if deed(licence))
    # What has a kind comes from raw text: turned into Markdown, links taken out, a prompt chosen.
    changed = "yes" if example.kind else "no"
    yield "yes, and edited by hand" if edited else changed


def profile(author: str, origin: Provenance) -> str:
    """Address of an author whom a Stack Exchange dump names by number; "" for others."""
    number = re.fullmatch(r"user (\d+)", author)
    return f"https://{origin.site}/users/{number[1]}" if number and origin.site else ""


def deed(licence: str) -> str:
    """Address of a Creative Commons licence that is named with its version; "" for others."""
    named = CREATIVE_COMMONS.fullmatch(licence)
    if not named:
        return ""
    return f"https://creativecommons.org/licenses/{named[1].lower()}/{named[2]}/"


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
