"""A data set as one HTML page that needs no network: search, filter, and read by keyboard.

The rows stand in the page as JSON and reach the screen as text only; the page's own content policy
admits nothing but its one script and its one style sheet, by their hashes.
"""

from collections.abc import Iterable
from pathlib import Path

import jinja2
from markupsafe import Markup

from limaflow.records import Example
from limaflow.standalone import embedded, script_of, source_hash
from limaflow.tags import labels

FOLDER = Path(__file__).parent
MOST_SHOWN = 5_000
"""Conversations in one page; a browser is slow with more."""
SPLITS = ("train", "dev", "test")


def page_of(title: str, examples: Iterable[Example]) -> str:
    """The page of the first `MOST_SHOWN` examples, by split and id."""
    ordered = sorted(examples, key=lambda e: (SPLITS.index(e.split), e.id))
    style = (FOLDER / "browse.css").read_text(encoding="utf-8")
    script = script_of(FOLDER / "browse.js")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((FOLDER / "browse.html").read_text(encoding="utf-8")).render(
        title=title,
        left_out=len(ordered[MOST_SHOWN:]),
        style=Markup(style),
        script=Markup(script),
        style_hash=source_hash(style),
        script_hash=source_hash(script),
        rows=Markup(embedded([_row(example) for example in ordered[:MOST_SHOWN]])),
    )


def _row(example: Example) -> dict[str, object]:
    origin = example.provenance
    return {
        "id": example.id,
        "split": example.split,
        "source": example.source,
        "stratum": example.stratum,
        "authors": origin.authors,
        "urls": origin.urls,
        "licence": origin.licence,
        "score": origin.score,
        "tags": labels(example.tags),
        "review": example.review.decision if example.review else "",
        "messages": [[message.role, message.content] for message in example.messages],
    }
