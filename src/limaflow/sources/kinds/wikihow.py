"""wikiHow articles from CSV: one row an article, with a title and its text.

Read here: the layout of wikihowAll.csv (`headline,title,text`; Koupaee & Wang 2018, 1810.09305),
with a `category` column where there is one; the option `columns` names those of another file.
wikihowAll.csv keeps the steps' bold lines apart from their explanations: `headline` holds the
former, one a line, `text` the latter, and both have a comma left at every seam. Where they match
one to one, they are put together again as numbered steps.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

from limaflow.errors import InputError
from limaflow.records import Candidate, Provenance
from limaflow.settings import Settings
from limaflow.sources.csv_rows import csv_rows
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.shard import ReadingOptions, Shard, pass_over

# The seam between two steps: the end of a line, a comma, and in `text` a space after it.
HEADLINE_SEAM = re.compile(r"[ \t]*,[ \t]*\n|\n")
TEXT_SEAM = re.compile(r";?[ \t]*\n\s*,[ \t]*")
PART_NUMBER = re.compile(r"(?<=[a-z)!?])\d{1,2}$")
"""The file has the number of an article's part glued to its title."""
THIS_ARTICLE = re.compile(r"^\s*This article\b")


class Columns(Settings):
    """Names of the columns, whatever their case."""

    title: str = "title"
    text: str = "text"
    headline: str | None = "headline"
    """The steps' bold lines; null where the text holds them."""
    category: str | None = "category"
    """Stratum of an article; null where the shard is."""

    def places(self, header: list[str], path: Path) -> dict[str, int]:
        """Number of the column of each field that the file has.

        Raises:
            InputError: a column is missing or stands twice.
        """
        found = [name.strip().lower() for name in header]
        names = {field: n.lower() for field, n in self.model_dump().items() if n is not None}
        # The category is looked for and not demanded, unless its column was named.
        if "category" not in found and names.get("category") == "category":
            del names["category"]
        if missing := [name for name in names.values() if name not in found]:
            raise InputError(
                f"lacks the columns {', '.join(missing)}; has {', '.join(found) or 'none'}",
                path=path,
                line=1,
                fix="name them under `columns` of the source: title, text, and headline and "
                "category or null; of wikihowSep.csv, join the rows of an article",
            )
        if twice := [name for name in names.values() if found.count(name) > 1]:
            raise InputError(f"has the column {twice[0]} twice", path=path, line=1)
        return {field: found.index(name) for field, name in names.items()}


class WikihowOptions(ReadingOptions):
    """Where title and text stand in a row."""

    columns: Columns = Columns()


def read(shard: Shard[WikihowOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a row with a title and a text.

    Raises:
        InputError: a column is missing, the CSV is broken, a field is too long, not UTF-8.
    """
    bad = partial(pass_over, shard, passed_over)
    for number, path in enumerate(shard.files):
        places = partial(shard.options.columns.places, path=path)
        for row_number, _, row in csv_rows(path, places, bad):
            title, text = row["title"].strip(), row["text"].strip()
            if not title or not text:
                passed_over["article without title or text"] += 1
                continue
            category = row.get("category", "").strip()
            yield Candidate(
                id=shard.id(f"{number:03d}-{row_number:07d}"),
                source=shard.source,
                shard=shard.name,
                kind=shard.kind,
                title=title,
                response=joined_steps(row.get("headline", ""), text),
                stratum=category or shard.name,
                provenance=Provenance(
                    site="www.wikihow.com",
                    title=title,
                    ids=(title,),
                    urls=(address(title),),
                    authors=("wikiHow contributors",),
                    licence=shard.options.licence,
                ),
            )


def address(title: str) -> str:
    """Where wikiHow has an article: its title without "How to", and without a part's number."""
    name = PART_NUMBER.sub("", title.removeprefix("How to ").strip())
    return f"https://www.wikihow.com/{quote(name.replace(' ', '-'))}"


def joined_steps(headline: str, text: str) -> str:
    """Steps numbered, each bold line before its explanation; the text alone where they differ."""
    leads = [lead.strip(" \t,;") for lead in HEADLINE_SEAM.split(headline)]
    leads = [lead for lead in leads if lead]
    explanations = [part.strip(" \t\n;") for part in TEXT_SEAM.split(text)]
    if len(leads) < 2 or len(leads) != len(explanations):
        return "\n\n".join(part for part in explanations if part)
    steps = zip(leads, explanations, strict=True)
    return "\n\n".join(
        f"{n}. {f'{lead} {more}'.strip()}" for n, (lead, more) in enumerate(steps, start=1)
    )


READER = Reader(options=WikihowOptions, read=read)
# LIMA §2.1: a category is drawn first, then an article; "This article" becomes an answer.
POLICY = Policy(
    strata="even",
    repaired_title=partial(PART_NUMBER.sub, ""),
    repaired_response=partial(THIS_ARTICLE.sub, "The following answer"),
)
