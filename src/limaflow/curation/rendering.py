"""A post's HTML or Markdown as clean Markdown: code and lists kept, links and images gone.

The paper strips links, images and other HTML and keeps code blocks and lists (LIMA §2.1). What
must not stay behind: bare addresses, "see here" without a here, footnote marks, labels such as
"Source:" with nothing after them, empty brackets, empty list items.
"""

import re
from typing import Literal

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

Markup = Literal["html", "markdown", "text"]

ADDRESS = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>()\[\]]*(?:\([^\s<>()]*\)[^\s<>()\[\]]*)*")
LOOKS_LIKE_ADDRESS = re.compile(r"^\W*(?:https?:|www\.|[\w.-]+\.(?:com|org|net|edu|gov|io)\b)\S*$")
FOOTNOTE = re.compile(r"^[\W_]*$|^\W*[\[(]\d{1,2}[\])]\W*$|^[¹²³⁴⁵⁶⁷⁸⁹⁰]+$")
# Link texts that say nothing once the link is gone.
POINTER = re.compile(
    r"^\W*(?:[\w\s]*\bhere"
    r"|this(?:\s+(?:one|link|page|site|website|article|post|answer|question|video))?"
    r"|(?:this\s+|the\s+)?links?|source|ref(?:erence)?|via|read more|more(?: info(?:rmation)?)?"
    r"|(?:image|photo|picture)\s+(?:source|credit))\W*$",
    re.IGNORECASE,
)
# What a sentence says before a link that it only passes the reader on to.
PASSES_ON = re.compile(
    r"\b(?:see(?: also)?|visit|check(?: out)?|refer to|read|sources?:?|references?:?|via|link:?)"
    r"(?: (?:the|this|these|my|our|their))?[\s:(\[\"“]*$",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"^\W*(?:(?:image|photo|picture)\s+)?(?:sources?|references?|refs?|links?|via|from|credits?|see"
    r"|see also|further reading|more (?:info|information|reading)|read more|edit)?\W*$",
    re.IGNORECASE,
)
MARK, CODE_MARK = "\ue000", "\ue001"
"""Private characters: beside a pointer till its sentence is settled, and in the place of code."""
POINTER_SENTENCE_CHARS = 120
"""A sentence this short is about its link and goes with it; a longer one says something itself."""
SENTENCE = re.compile(rf"[^.!?\n{MARK}]*{MARK}[^\n]*?(?:[.!?](?=\s|$)|(?=\n)|$)[ \t]*")
ASIDE = re.compile(rf"[ \t]*[(\[][^()\[\]\n]{{0,80}}{MARK}[^()\[\]\n]{{0,80}}[)\]]")
FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(rf"{FENCE.pattern}|`[^`\n]+`", re.DOTALL | re.MULTILINE)
HELD = re.compile(f"{CODE_MARK}(\\d+){CODE_MARK}")


def rendered(text: str, markup: Markup) -> str:
    """What a reader sees of `text`, as Markdown; empty if it was links and images only."""
    text = re.sub(f"[{MARK}{CODE_MARK}]", "", text)
    if markup == "html":
        return _markdown(_soup(text))
    return _tidied(_without_markdown_links(text) if markup == "markdown" else text)


def prose(text: str, markup: Markup) -> str:
    """The same without code and quotations: the author's own words."""
    if markup == "html":
        soup = _soup(text)
        for element in soup(["pre", "code", "blockquote"]):
            element.decompose()
        own = _markdown(soup)
    else:
        own = FENCE.sub("", rendered(text, markup))
        own = re.sub(r"`[^`\n]+`", "", own)
        own = re.sub(r"^(?:>| {4}|\t).*$", "", own, flags=re.MULTILINE)
    return re.sub(r"\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»", "", own)


def has_image(text: str, markup: Markup) -> bool:
    """Whether an image is dropped from `text`, so that the rest may not be understood."""
    return bool(re.search(r"<img\b", text) if markup == "html" else re.search(r"!\[", text))


def _soup(html: str) -> BeautifulSoup:
    """The HTML with links unwrapped or dropped, and everything dropped that is no text."""
    soup = BeautifulSoup(f"<body>{html}</body>", "lxml")
    for element in soup(["script", "style", "iframe", "object", "img", "hr", "svg", "video"]):
        element.decompose()
    # A paragraph that holds nothing but links cites something; list items are content.
    for block in soup(["p", "sup", "sub"]):
        links = block.find_all("a")
        outside = "".join(
            str(text)
            for text in block.find_all(string=True)
            if not any(parent.name == "a" for parent in text.parents)
        )
        if links and block.find_parent("li") is None and LABEL.match(outside):
            block.decompose()
    for link in soup("a"):
        _settle(link)
    for text in soup.find_all(string=ADDRESS):
        if text.find_parent(["pre", "code"]) is None:
            text.replace_with(ADDRESS.sub("", str(text)))
    for text in soup.find_all(string=re.compile("\n")):
        # HTML wraps lines where it likes; only in code do they mean something.
        if text.find_parent("pre") is None:
            text.replace_with(re.sub(r"\s*\n\s*", " ", str(text)))
    for block in reversed(soup(["p", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4"])):
        if not block.find(["pre", "code", "table"]) and LABEL.match(block.get_text()):
            block.decompose()
    return soup


def _settle(link: Tag) -> None:
    """Drop a link whose text is an address, mark one that only points, else keep its text."""
    text = link.get_text().strip()
    if LOOKS_LIKE_ADDRESS.match(text) or FOOTNOTE.match(text):
        link.decompose()
    elif POINTER.match(text) or PASSES_ON.search(str(link.previous_sibling or "")):
        link.replace_with(f"{MARK}{text}{MARK}")
    else:
        link.unwrap()


def _markdown(soup: BeautifulSoup) -> str:
    converter = MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        autolinks=False,
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        newline_style="spaces",
    )
    return _tidied(_without_pointers(converter.convert_soup(soup)))


def _without_pointers(text: str) -> str:
    """Drop asides and short sentences around a marked pointer; elsewhere only the marks."""

    def settled(match: re.Match[str]) -> str:
        sentence = match.group().replace(MARK, "")
        return "" if len(sentence.strip()) <= POINTER_SENTENCE_CHARS else sentence

    return SENTENCE.sub(settled, ASIDE.sub("", text)).replace(MARK, "")


def _without_markdown_links(text: str) -> str:
    text = re.sub(r"!\[[^\]\n]*\]\([^)\s]*\)", "", text)
    text = re.sub(r"\[([^\]\n]+)\]\([^)\s]*\)", r"\1", text)
    return ADDRESS.sub("", text)


def _tidied(text: str) -> str:
    """Even space and no leftovers of what was dropped, code blocks untouched."""
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    code: list[str] = []

    def held(match: re.Match[str]) -> str:
        code.append(match.group())
        return f"{CODE_MARK}{len(code) - 1}{CODE_MARK}"

    even = _even(CODE.sub(held, text))
    return HELD.sub(lambda match: code[int(match[1])], even).strip()


def _even(text: str) -> str:
    text = re.sub(r"[ \t]*\(\s*(?:see|source|via|from|ref)?[\s:,;]*\)", "", text, flags=re.I)
    text = re.sub(r"[ \t]*\[\s*\]", "", text)
    text = re.sub(r"(?<=\S) +([,.;:!?])(?=\s|$)", r"\1", text)
    text = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text)
