"""Every test prompt, answer and verdict as one HTML page: filtered, searched and read side by side.

The rows stand in the page as JSON and reach the screen as text only; the page's own content policy
admits nothing but its one script and its one style sheet, by their hashes. Only the prompt that is
being read is laid out, so that the page does not slow down with their number.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import jinja2
from markupsafe import Markup

from limaflow.report.side_by_side import Shown
from limaflow.standalone import embedded, script_of, source_hash

FOLDER = Path(__file__).parent


def page_of(title: str, arms: Sequence[str], shown: Sequence[Shown]) -> str:
    """The page of `shown`, with a column for each of `arms`."""
    style, page = (
        (FOLDER / f"browser.{kind}").read_text(encoding="utf-8") for kind in ("css", "html")
    )
    script = script_of(FOLDER / "browser.js")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(page).render(
        title=title,
        style=Markup(style),
        script=Markup(script),
        style_hash=source_hash(style),
        script_hash=source_hash(script),
        data=Markup(embedded({"arms": list(arms), "rows": [asdict(row) for row in shown]})),
    )
