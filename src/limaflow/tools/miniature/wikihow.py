"""wikiHow articles as CSV in the columns of the public wikihowAll.csv, with a category.

The answer stands in `text` and begins "This article …", which curation turns into "The following
answer …".
"""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from limaflow.jsonl import replacing
from limaflow.seeds import generator_for
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.topics import Topic

_CATEGORIES = {
    "river": "Travel",
    "craft": "Hobbies and Crafts",
    "dish": "Food and Entertaining",
    "festival": "Holidays and Traditions",
}


@dataclass(frozen=True, kw_only=True)
class Article:
    """One row."""

    category: str
    title: str
    headline: str
    text: str


def articles(
    topics: list[Topic], copied: list[str], stated: Sequence[str], seed: int
) -> tuple[list[Article], list[str]]:
    """Good articles and planted ones in random order, and the titles of the latter.

    Planted: articles without text, a repeated article, the prompts `copied` and the texts `stated`
    of benchmark items, each word for word.
    """
    good = [_article(topic, seed) for topic in topics]
    planted = [replace(article, title=f"{article.title} at Night", text="") for article in good[:2]]
    planted += [replace(good[2 + n], title=prompt) for n, prompt in enumerate(copied)]
    planted += [
        replace(
            good[number % len(good)],
            title=f"How to Answer Visitors, Part {number}",
            text=f"This article repeats what others say.\n\n{text}\n\nHave a pleasant visit!",
        )
        for number, text in enumerate(stated, 1)
    ]
    rows = good + planted + good[:2]
    generator_for(seed, "article order").shuffle(rows)
    return rows, [article.title for article in planted]


def _article(topic: Topic, seed: int) -> Article:
    generator = generator_for(seed, "article", topic.town.name, topic.attribute.name)
    text = "\n\n".join(paragraphs(topic.town, topic.attribute, generator, "article"))
    return Article(
        category=_CATEGORIES[topic.attribute.name],
        title=topic.attribute.guide.format(town=topic.town.name),
        headline=f"Read about {topic.town.name}.",
        text=text.replace("The following answer", "This article", 1),
    )


def write_csv(path: Path, rows: list[Article]) -> None:
    """Write the table with its header."""
    with replacing(path) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(Article)])
        table.writerows(astuple(row) for row in rows)
