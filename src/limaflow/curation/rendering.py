"""A post's HTML or Markdown as clean Markdown: code and lists kept, links and images gone.

The paper strips links, images and other HTML and keeps code blocks and lists (LIMA §2.1). What
must not stay behind: bare addresses, "see here" without a here, footnote marks, labels such as
"Source:" with nothing after them, brackets that held nothing else, empty list items. Text is tidied
only where something was removed; everything else stays as its author wrote it. Every pattern takes
time linear in the text.
"""

import re
from typing import Literal

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

Markup = Literal["html", "markdown", "text"]

ADDRESS = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>()\[\]]*(?:\([^\s<>()]*\)[^\s<>()\[\]]*)*")
LOOKS_LIKE_ADDRESS = re.compile(r"^\W*(?:https?:|www\.|[\w.-]+\.(?:com|org|net|edu|gov|io)\b)\S*$")
FOOTNOTE = re.compile(r"[\W_]*|[¹²³⁴⁵⁶⁷⁸⁹⁰]+|\W{0,4}[\[(]\d{1,2}[\])]\W{0,4}")
# Link texts that say nothing once the link is gone.
POINTER = re.compile(
    r"(?:[\w\s]{0,60}\bhere"
    r"|this(?:\s+(?:one|link|page|site|website|article|post|answer|question|video))?"
    r"|(?:this\s+|the\s+)?links?|source|ref(?:erence)?|via|url"
    r"|web ?site|read more|more(?: info(?:rmation)?)?"
    r"|(?:image|photo|picture)\s+(?:source|credit))",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"(?:(?:image|photo|picture)\s+)?(?:sources?|references?|refs?|links?|via|from|credits?|see"
    r"|see also|further reading|more (?:info|information|reading)|read more|edit)",
    re.IGNORECASE,
)
NOT_WORDS = re.compile(r"^[\W_]+|(?<![\W_])[\W_]+$")
MARK, CODE_MARK, REMOVED = "\ue000", "\ue001", "\ue002"
"""Private characters: beside a pointer till its sentence is settled, in the place of code, and
where an address, a link or an image was."""
POINTER_SENTENCE_CHARS = 120
"""A sentence this short is about its link and goes with it; a longer one says something itself."""
SENTENCE = re.compile(rf"[^.!?\n{MARK}]*{MARK}[^\n]*?(?:[.!?](?=\s|$)|(?=\n)|$)[ \t]*")
ASIDE = re.compile(rf"(?<![ \t])[ \t]*[(\[][^()\[\]\n]{{0,80}}{MARK}[^()\[\]\n]{{0,80}}[)\]]")
FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(rf"{FENCE.pattern}|`[^`\n]+`", re.DOTALL | re.MULTILINE)
HELD = re.compile(f"{CODE_MARK}(\\d+){CODE_MARK}")
# Brackets around nothing but what was removed, with the word that led to it.
EMPTIED = re.compile(
    rf"(?<![ \t])[ \t]*(?:\((?:[\s:,;]|see|source|via|from|ref)*{REMOVED}[\s:,;{REMOVED}]*\)"
    rf"|\[\s*{REMOVED}[\s{REMOVED}]*\])",
    re.IGNORECASE,
)
BESIDE_REMOVED = re.compile(rf"(?<![ \t{REMOVED}])[ \t]*{REMOVED}[ \t{REMOVED}]*")
SUFFIX = re.compile(r"st|nd|rd|th|er|re|e|tm|sm|[™®©*]", re.IGNORECASE)
"""What stands raised after a word or number and is no exponent: 1st, 4th, a trade mark."""
FORMULA = re.compile(r"(?<![A-Za-z])(?:[A-Z][a-z]?\d*|\d|[()])*[A-Z)][a-z]?$")
"""Chemical elements, whose numbers are read without a mark: CO2, H2SO4."""
SCRIPTS = {"sup": "^", "sub": "_"}


def rendered(text: str, markup: Markup) -> str:
    """What a reader sees of `text`, as Markdown; empty if it was links and images only."""
    text = re.sub(f"[{MARK}{CODE_MARK}{REMOVED}]", "", text)
    if markup == "html":
        return _markdown(_soup(text))
    return _tidied(_without_markdown_links(text) if markup == "markdown" else text)


def prose(text: str, markup: Markup) -> str:
    """The same without code and quotations: the author's own words."""
    if markup == "html":
        soup = _soup(text)
        for element in soup(["pre", "code", "blockquote"]):
            element.replace_with(REMOVED)
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
    for element in soup(["script", "style", "iframe", "object", "hr", "svg", "video"]):
        element.decompose()
    for image in soup("img"):
        image.replace_with(REMOVED)
    # A paragraph that holds nothing but links cites something; list items are content.
    for block in soup(["p", "sup", "sub"]):
        links = block.find_all("a")
        outside = "".join(
            str(text)
            for text in block.find_all(string=True)
            if not any(parent.name == "a" for parent in text.parents)
        )
        cites = _is_label(outside) or (
            not _bare(outside) and all(_says_nothing(link.get_text()) for link in links)
        )
        if links and cites and block.find_parent("li") is None:
            block.decompose()
    for link in soup("a"):
        _settle(link)
    for text in soup.find_all(string=ADDRESS):
        if text.find_parent(["pre", "code"]) is None:
            text.replace_with(ADDRESS.sub(REMOVED, str(text)))
    for text in soup.find_all(string=True):
        # HTML shows a run of spaces and line ends as one space, except in code.
        if text.find_parent("pre") is None:
            text.replace_with(re.sub(r"\s+", " ", str(text)))
    for script in soup(list(SCRIPTS)):
        _raise(script)
    _settle_lists_and_cells(soup)
    for block in reversed(soup(["p", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4"])):
        shown = block.get_text().replace(REMOVED, "")
        if not block.find(["pre", "code", "table"]) and (not _bare(shown) or _is_label(shown)):
            block.decompose()
    return soup


def _bare(text: str) -> str:
    """A text without what stands around its words."""
    return NOT_WORDS.sub("", text.strip())


def _is_label(text: str) -> bool:
    return bool(LABEL.fullmatch(_bare(text)))


def _says_nothing(text: str) -> bool:
    """Whether the text of a link is an address, a footnote mark, or only points at the link."""
    text = text.strip()
    return bool(
        LOOKS_LIKE_ADDRESS.match(text) or FOOTNOTE.fullmatch(text) or POINTER.fullmatch(_bare(text))
    )


def _settle(link: Tag) -> None:
    """Drop a link whose text is an address, mark one that only points, else keep its text."""
    text = link.get_text().strip()
    if LOOKS_LIKE_ADDRESS.match(text) or FOOTNOTE.fullmatch(text):
        link.replace_with(REMOVED)
    elif POINTER.fullmatch(_bare(text)):
        link.replace_with(f"{MARK}{text}{MARK}")
    else:
        link.unwrap()


def _raise(script: Tag) -> None:
    """An exponent or index as one writes it in plain text: 10^-19, x_i, e^(x+1)."""
    text = script.get_text().strip()
    before = str(script.previous_sibling or "")
    if not text or not before[-1:].strip() or SUFFIX.fullmatch(text) or REMOVED in text:
        script.unwrap()
        return
    if script.name == "sub" and text.isdigit() and FORMULA.search(before):
        script.unwrap()
        return
    whole = re.fullmatch(r"[-+−]?[\w.]+|[^\w\s]", text)
    script.replace_with(f"{SCRIPTS[script.name]}{text if whole else f'({text})'}")


def _settle_lists_and_cells(soup: BeautifulSoup) -> None:
    """Lay out what Markdown cannot hold: lists straight in lists, lists and bars in table cells."""
    for inner in soup.select("ul > ul, ul > ol, ol > ul, ol > ol"):
        item = inner.find_previous_sibling("li")
        if item is None:
            inner.wrap(soup.new_tag("li"))
        else:
            item.append(inner.extract())
    for cell in soup(["td", "th"]):
        for item in cell("li"):
            item.replace_with(f"{item.get_text().strip()}; ")
        for text in cell.find_all(string=re.compile(r"\|")):
            text.replace_with(str(text).replace("|", r"\|"))


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
    if MARK not in text:
        return text

    def settled(match: re.Match[str]) -> str:
        sentence = match.group().replace(MARK, "")
        return REMOVED if len(sentence.strip()) <= POINTER_SENTENCE_CHARS else sentence

    lines = [
        SENTENCE.sub(settled, ASIDE.sub(REMOVED, line)).replace(MARK, "") if MARK in line else line
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def _without_markdown_links(text: str) -> str:
    text = re.sub(r"!\[[^\]\n]{0,1000}\]\([^)\s]*\)", REMOVED, text)
    text = re.sub(r"\[([^\[\]\n]{1,1000})\]\([^)\s]*\)", r"\1", text)
    return ADDRESS.sub(REMOVED, text)


def _tidied(text: str) -> str:
    """No leftovers of what was removed, code untouched."""
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    code: list[str] = []

    def held(match: re.Match[str]) -> str:
        code.append(match.group().replace(REMOVED, ""))
        return f"{CODE_MARK}{len(code) - 1}{CODE_MARK}"

    text = CODE.sub(held, text)
    text = BESIDE_REMOVED.sub(_closed, EMPTIED.sub(REMOVED, text))
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text)
    return HELD.sub(lambda match: code[int(match[1])], text).strip()


def _closed(gap: re.Match[str]) -> str:
    """One space where something was removed between words, none before a mark or at an end."""
    before, after = gap.string[: gap.start()][-1:], gap.string[gap.end() : gap.end() + 1]
    spaced = gap.group().strip(REMOVED) != "" and before.strip() and after.strip()
    return " " if spaced and after not in ",.;:!?)]" else ""
