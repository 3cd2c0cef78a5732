"""A packet as one HTML file that needs no network, or as the page of a local server.

Texts of strangers stand in the page as JSON and reach the screen as text only; the page's own
content policy admits nothing but its one script and its one style sheet, by their hashes.
"""

from dataclasses import asdict
from pathlib import Path

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from limaflow.standalone import embedded, source_hash
from limaflow.tools.annotation.packet import Packet, titles
from limaflow.tools.local_pages.admission import policy

FOLDER = Path(__file__).parent
ARROWS = ("←", "→", "↓")
"""Of the choices of a pair: they point at the answers."""


def page_of(packet: Packet, *, served: bool = False) -> str:
    """The page; where it is `served`, it saves every answer by its server."""
    style, script = _sources()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((FOLDER / "page.html").read_text(encoding="utf-8")).render(
        annotator=packet.annotator,
        instructions=_formatted(packet.instructions),
        asked=packet.title,
        titles=titles(packet.form, dialogues=bool(packet.turn_choices)),
        turn_title=packet.turn_title,
        turn_choices=packet.turn_choices,
        turn_instructions=_formatted(packet.turn_instructions),
        choices=[
            (choice, number, ARROWS[number - 1] if packet.form == "pairwise" else "", label)
            for number, (choice, label) in enumerate(packet.choices, start=1)
        ],
        connect="'self'" if served else "'none'",
        style=Markup(style),
        script=Markup(script),
        style_hash=source_hash(style),
        script_hash=source_hash(script),
        packet=Markup(embedded({**asdict(packet), "served": served})),
    )


def _formatted(instructions: str) -> Markup:
    # Raw HTML, links and pictures of a user's template stay text as well.
    return Markup(
        MarkdownIt("commonmark", {"html": False})
        .disable(["link", "image", "autolink", "reference"])
        .render(instructions)
    )


def served_policy() -> str:
    """The content policy that a server sends with the page."""
    style, script = (f"'{source_hash(source)}'" for source in _sources())
    return policy(scripts=script, styles=style)


def _sources() -> tuple[str, str]:
    style, script = (
        (FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
    )
    return style, script
