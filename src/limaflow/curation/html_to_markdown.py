"""A post's HTML as Markdown, with private characters where links, images and addresses were.

`limaflow.curation.removal` has these characters and settles them.
"""

import re
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from markdownify import MarkdownConverter

from limaflow.curation.link_texts import (
    ADDRESS,
    CITATION,
    bare,
    is_label,
    says_nothing,
)
from limaflow.curation.removal import REMOVED, marked_link, without_private
from limaflow.errors import InputError

MAX_DEPTH = 60
"""Elements within elements. People write fewer than 20, and the tree is walked by recursion."""
BLOCKS = frozenset(
    """
    p blockquote article div section ol ul li dl dt dd table thead tbody tfoot tr td th pre
    h1 h2 h3 h4 h5 h6
    """.split()  # noqa: SIM905 - a list of words reads better without quotes
)
NO_TEXT = frozenset({"script", "style", "iframe", "object", "hr", "svg", "video"})
SUFFIX = re.compile(r"st|nd|rd|th|er|re|e|tm|sm|[™®©*]", re.IGNORECASE)
"""What is raised after a word or number and is no exponent: 1st, 4th, a trade mark."""
FORMULA = re.compile(r"(?<![A-Za-z])(?:[A-Z][a-z]?|\d|[()])*[A-Z)][a-z]?$")
"""Chemical elements, whose numbers are read without a mark: CO2, H2SO4."""
FORMULA_CHARS = 24
WHOLE = re.compile(r"[-+−]?[\w.]+|[^\w\s]")
"""An exponent or index that needs no brackets."""
LANGUAGE = re.compile(r"lang(?:uage)?-([\w+#.-]{1,20})")
NO_LANGUAGE = ("none", "default")
NOTE_NUMBER = re.compile(r"\W{0,2}(\d{1,2})\W{0,2}")


class TooDeep(InputError):
    """HTML whose elements are nested deeper than any text needs."""


def marked_markdown(html: str, without: frozenset[str] = frozenset()) -> str:
    """`html` as Markdown with marks where something was removed; elements of `without` go too.

    Raises:
        TooDeep: elements are nested deeper than `MAX_DEPTH`.
    """
    soup = BeautifulSoup(f"<body>{html}</body>", "lxml")
    _check_depth(soup)
    return str(_Converter(without).convert_soup(soup))


def _check_depth(soup: BeautifulSoup) -> None:
    level, depth = [soup.contents], 0
    while level := [tag.contents for nodes in level for tag in nodes if isinstance(tag, Tag)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"HTML elements nested over {MAX_DEPTH} deep")


_Base: Any = MarkdownConverter
"""Its type stub lacks the methods that are extended here."""


class _Converter(_Base):  # type: ignore[misc]
    """Markdownify, which calls the method of an element's name with its text, inner ones first."""

    def __init__(self, without: frozenset[str]) -> None:
        super().__init__(
            heading_style="ATX",
            bullets="-",
            autolinks=False,
            escape_asterisks=False,
            escape_underscores=False,
            escape_misc=False,
            newline_style="spaces",
        )
        self._without = without
        self._numbers: dict[int, int] = {}

    def process_tag(self, node: Tag, parent_tags: set[str] | None = None) -> str:
        if node.name in NO_TEXT:
            return ""
        if node.name in self._without:
            return REMOVED if node.name == "code" else f"\n\n{REMOVED}\n\n"
        return str(super().process_tag(node, parent_tags))

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        tags = parent_tags or set()
        text = without_private(str(el))
        if "pre" not in tags:
            text = re.sub(r"\s+", " ", text)
        if not tags & {"pre", "code"}:
            text = ADDRESS.sub(REMOVED, text)
        if tags & {"td", "th"}:
            text = text.replace("|", r"\|")
        in_block = _is_block(el.parent) and "pre" not in tags
        before, after = el.previous_sibling, el.next_sibling
        if _is_block(before) or (in_block and not before):
            text = text.lstrip()
        return text.rstrip() if _is_block(after) or (in_block and not after) else text

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return REMOVED

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Nothing for an address, a mark around a text that only points, else the text."""
        if "_noformat" in parent_tags:
            return text
        return REMOVED if _is_note_number(el, parent_tags) else marked_link(text)

    def convert_p(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        # A paragraph that holds nothing but links cites something; list items are content.
        if _is_empty(el, text) or is_label(text) or ("li" not in parent_tags and _only_cites(el)):
            return _gone(text, el)
        return str(super().convert_p(el, text, parent_tags))

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _is_empty(el, text) or is_label(text):
            return _gone(text, el)
        return str(super().convert_hN(n, el, text, parent_tags))

    def convert_blockquote(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _is_empty(el, text):
            return _gone(text, el)
        return str(super().convert_blockquote(el, text, parent_tags))

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _is_empty(el, text) or (REMOVED in text and is_label(text)):
            return f"{REMOVED}\n" if REMOVED in text else ""
        text = text.strip()
        if "_inline" in parent_tags:
            return f"{text}; "
        bullet = f"{self._next_number(el.parent)}. " if _is_ordered(el.parent) else "- "
        return f"{bullet}{_indented(text, len(bullet)).lstrip()}\n"

    def convert_list(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _is_empty(el, text):
            return _gone(text, el)
        if "_inline" in parent_tags:
            items = text.strip().rstrip(";")
            return f"; {items}" if "li" in parent_tags else f" {items} "
        if el.parent is not None and el.parent.name in ("ul", "ol"):
            # A list straight in a list belongs to the item before it, if there is one.
            item = el.find_previous_sibling("li")
            width = 0 if item is None else 3 if _is_ordered(el.parent) else 2
            return f"{_indented(text.strip(), width)}\n"
        return str(super().convert_list(el, text, parent_tags))

    convert_ul = convert_list
    convert_ol = convert_list

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text, before = text.strip(), _before(el)
        if _only_cites(el):
            return REMOVED
        note = NOTE_NUMBER.fullmatch(text)
        if note and (before[-1:] in tuple('.,;:!?”"') or text.startswith("[")):
            return f"[{note[1]}]"
        return text if _is_plain(text, before) else f"^{_bracketed(text)}"

    def convert_sub(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text, before = text.strip(), _before(el)
        counts_atoms = text.isdigit() and FORMULA.search(before)
        return text if counts_atoms or _is_plain(text, before) else f"_{_bracketed(text)}"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A fence longer than every run of backticks in the code; in a table cell, inline code."""
        if not text.strip("\n"):
            return ""
        if "_inline" in parent_tags:
            return str(super().convert_code(el, " ".join(text.split()), parent_tags))
        fence = "`" * (max(map(len, re.findall(r"`{3,}", text)), default=2) + 1)
        code = re.sub(r"\A(?:[ ]*\n)+", "", text).rstrip()
        return f"\n\n{fence}{_language(el)}\n{code}\n{fence}\n\n"

    def _next_number(self, parent: Any) -> int:
        start = str(parent.get("start", ""))
        number = self._numbers.get(id(parent), int(start) if start.isdecimal() else 1)
        self._numbers[id(parent)] = number + 1
        return number


def _language(block: Tag) -> str:
    """The language that the class of a code block names (`lang-py`), if one does."""
    named = [str(name) for tag in (block, *block("code")) for name in tag.get("class") or ()]
    found = [match[1] for name in named if (match := LANGUAGE.fullmatch(name))]
    return found[0] if found and found[0] not in NO_LANGUAGE else ""


def _is_block(node: object) -> bool:
    return isinstance(node, Tag) and node.name in BLOCKS


def _is_empty(el: Tag, text: str) -> bool:
    """Whether a block holds nothing, or nothing but marks around what was removed."""
    if el.find(["pre", "code", "table"]) or not text.strip():
        return not text.strip()
    return REMOVED in text and not bare(text)


def _gone(text: str, el: Tag) -> str:
    """What stays of a block that goes: a mark if it held what was removed."""
    return f"\n\n{REMOVED}\n\n" if REMOVED in text or el.find("a") else ""


def _only_cites(block: Tag) -> bool:
    links = block.find_all("a")
    if not links:
        return False
    outside = "".join(
        str(text)
        for text in block.find_all(string=True)
        if not any(parent.name == "a" for parent in text.parents)
    )
    if CITATION.fullmatch(bare(outside)):
        return True
    empty = not bare(outside) or is_label(outside)
    return empty and all(says_nothing(link.get_text()) for link in links)


def _is_note_number(link: Tag, parent_tags: set[str]) -> bool:
    """Whether a link is a raised number, or one whose brackets are outside of it: [<a>2</a>]."""
    if not NOTE_NUMBER.fullmatch(link.get_text().strip()):
        return False
    before, after = _text_of(link.previous_sibling), _text_of(link.next_sibling)
    return "sup" in parent_tags or (before[-1:] == "[" and after[:1] == "]")


def _text_of(node: object) -> str:
    return node.get_text() if isinstance(node, Tag) else str(node or "")


def _before(script: Tag) -> str:
    return _text_of(script.previous_sibling)[-FORMULA_CHARS:]


def _is_plain(text: str, before: str) -> bool:
    """Whether what is raised or lowered reads on without a mark."""
    after_nothing = not before[-1:].strip()
    return not text or after_nothing or REMOVED in text or bool(SUFFIX.fullmatch(text))


def _bracketed(text: str) -> str:
    return text if WHOLE.fullmatch(text) else f"({text})"


def _is_ordered(parent: Any) -> bool:
    return parent is not None and parent.name == "ol"


def _indented(text: str, width: int) -> str:
    return "\n".join(f"{' ' * width}{line}" if line else "" for line in text.split("\n"))
