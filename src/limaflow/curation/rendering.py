"""A post's HTML or Markdown as clean Markdown: code blocks and lists kept, links and images gone.

The paper strips links, images and other HTML and keeps code blocks and lists (LIMA §2.1). What
must not stay behind: bare addresses, "see here" without a here, marks of notes that are gone,
labels such as "Source:" with nothing after them, brackets that held nothing else, empty list items.
"""

import re
from typing import Literal

from limaflow.curation.code_in_markdown import outside_code, without_code, without_formulas
from limaflow.curation.html_to_markdown import marked_markdown
from limaflow.curation.link_texts import ADDRESS
from limaflow.curation.removal import REMOVED, marked_link, settled, tidied, without_private

Markup = Literal["html", "markdown", "text"]

TARGET = r"(?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"
TITLE = r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?"
IMAGE = re.compile(rf"!\[[^\[\]\n]*\](?:\([ \t]*{TARGET}{TITLE}[ \t]*\)|\[[^\[\]\n]*\])")
# A target has a dot, a slash or a hash: `f[x](y)` is no link.
LINK = re.compile(rf"\[([^\[\]\n]+)\]\((?=[ \t]*<?[^\s()<>./#]*[./#])[ \t]*{TARGET}{TITLE}[ \t]*\)")
QUOTED_ELEMENTS = frozenset({"pre", "code", "blockquote"})
QUOTED_OR_INDENTED_LINE = re.compile(r"^(?:>| {4}|\t).*$", re.MULTILINE)
QUOTATION = re.compile(r"\"[^\"\n]*\"|“[^“”\n]*”|«[^«»\n]*»")
IN_HTML = re.compile(r"<img\b", re.IGNORECASE)


def rendered(text: str, markup: Markup) -> str:
    """What a reader sees of `text`, as Markdown; empty if it was links and images only.

    Raises:
        TooDeep: HTML whose elements are nested too deep to be a text.
    """
    return tidied(marked(text, markup))


def marked(text: str, markup: Markup) -> str:
    """The same before it is tidied, with a mark (`removal.REMOVED`) wherever something went.

    Raises:
        TooDeep: as `rendered`.
    """
    if markup == "html":
        return settled(marked_markdown(text))
    text = without_private(text)
    return settled(outside_code(text, _without_links) if markup == "markdown" else text)


def prose(text: str, markup: Markup) -> str:
    """The same without code, formulas and quotations: the author's own words.

    Raises:
        TooDeep: as `rendered`.
    """
    if markup == "html":
        own = tidied(settled(marked_markdown(text, without=QUOTED_ELEMENTS)))
    else:
        own = QUOTED_OR_INDENTED_LINE.sub("", without_code(rendered(text, markup)))
    return QUOTATION.sub("", without_formulas(own))


def has_image(text: str, markup: Markup) -> bool:
    """Whether an image is dropped from `text`, so that the rest may not be understood."""
    return bool((IN_HTML if markup == "html" else IMAGE).search(text))


def _without_links(text: str) -> str:
    return ADDRESS.sub(REMOVED, LINK.sub(_link_marked, IMAGE.sub(REMOVED, text)))


def _link_marked(link: re.Match[str]) -> str:
    return marked_link(link[1])
