"""What stays of a Markdown text around links, images and addresses that cleaning took out.

Their places carry a private character until here. Text is tidied only there; everything else stays
as its author wrote it. Every search takes time linear in the text.
"""

import re

from limaflow.curation.code_in_markdown import MARK as CODE_MARK
from limaflow.curation.code_in_markdown import outside_code
from limaflow.curation.link_texts import is_address, is_footnote, is_pointer

POINTER_MARK, REMOVED, NAME_MARK = "\ue000", "\ue002", "\ue003"
"""Private characters: on both sides of a pointer until its sentence is settled; where something
was removed; before the text of a link that names something."""
PRIVATE = re.compile(f"[{POINTER_MARK}{CODE_MARK}{REMOVED}{NAME_MARK}]")
POINTER_SENTENCE_CHARS = 120
"""A sentence this short that names nothing is about its link and goes with it; a longer one says
something itself."""
SAYS_MORE = re.compile(rf"{NAME_MARK}|\baccording to\b", re.IGNORECASE)
LEADS_TO_ADDRESS = re.compile(
    rf"\b(?:at|from|on|see|visit|via|sources?|links?|here)\b:?[ ]?{REMOVED}[.!?]?\s*$",
    re.IGNORECASE,
)
"""The end of a sentence that only says where something is."""
SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)")
TO_SETTLE = re.compile(f"[{POINTER_MARK}{REMOVED}]")
LINE_START = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*")
ASIDE = re.compile(
    rf"(?<![ \t])[ \t]*[(\[][^()\[\]\n]{{0,80}}{POINTER_MARK}[^()\[\]\n]{{0,80}}[)\]]"
)
# Brackets around nothing but what was removed, with the word that led to it.
EMPTIED = re.compile(
    rf"(?<![ \t])[ \t]*(?:\((?:[\s:,;]|see|source|via|from|ref)*{REMOVED}[\s:,;{REMOVED}]*\)"
    rf"|\[\s*{REMOVED}[\s{REMOVED}]*\])"
    rf"|<{REMOVED}>",
    re.IGNORECASE,
)
NOTE = re.compile(
    rf"^[ \t]*\[?\^?(\d{{1,2}})(?:[\]:.)]|\]:|\]\s-)?[ \t]*{REMOVED}[ \t{REMOVED}]*$", re.MULTILINE
)
"""A line that held the address of a note and nothing else."""
NOTE_MARK = re.compile(r"\[([^\[\]\n]+)\]\[(\d{1,2})\]|[ \t]?\[(\d{1,2})\](?![\w(\[])")
EMPTIED_LINE = re.compile(rf"^[ \t]*{REMOVED}[ \t{REMOVED}]*\n", re.MULTILINE)
LISTED_ADDRESS = re.compile(rf"[ \t]?[:–—][ \t]?{REMOVED}[ \t{REMOVED}]*$", re.MULTILINE)
LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]")
BESIDE_REMOVED = re.compile(rf"(?<![ \t{REMOVED}])[ \t]*{REMOVED}[ \t{REMOVED}]*")


def without_private(text: str) -> str:
    """`text` without the characters that mark places here."""
    return PRIVATE.sub("", text)


def marked_link(text: str) -> str:
    """What stands for a link until it is settled: nothing but a mark if its text is an address."""
    shown = without_private(text).strip()
    if is_address(shown) or is_footnote(shown):
        return REMOVED
    return f"{POINTER_MARK}{text}{POINTER_MARK}" if is_pointer(shown) else f"{NAME_MARK}{text}"


def settled(text: str) -> str:
    """`text` with every pointer and note decided: what goes has left a mark.

    Asides and short sentences around a pointer go; so does the line of a note that was an address
    alone, with the marks that refer to it.
    """
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    return outside_code(text, _decided)


def tidied(text: str) -> str:
    """A settled text without leftovers of what was removed, code untouched."""
    return outside_code(text, _tidied).replace(REMOVED, "").strip()


def _decided(text: str) -> str:
    without_pointers = _pointers(text).replace(NAME_MARK, "")
    return LISTED_ADDRESS.sub(_named, _notes(without_pointers))


def _pointers(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(_line_settled(line) if TO_SETTLE.search(line) else line for line in lines)


def _line_settled(line: str) -> str:
    start = LINE_START.match(line)
    text = line[start.end() :] if start else line
    kept = []
    for sentence in SENTENCE_END.split(ASIDE.sub(REMOVED, text)):
        shown = sentence.replace(POINTER_MARK, "")
        points = POINTER_MARK in sentence or LEADS_TO_ADDRESS.search(sentence)
        short = len(shown.strip()) <= POINTER_SENTENCE_CHARS and not SAYS_MORE.search(sentence)
        kept.append(REMOVED if points and short else shown)
    left = "".join(kept)
    # A list item or quotation that held nothing else goes with its mark.
    return left if not left.strip(f" \t{REMOVED}") else f"{line[: len(line) - len(text)]}{left}"


def _notes(text: str) -> str:
    numbers = {match[1] for match in NOTE.finditer(text)}
    if not numbers:
        return text

    def gone(mark: re.Match[str]) -> str:
        linked, reference, alone = mark.groups()
        if (reference or alone) not in numbers:
            return mark.group()
        return linked or REMOVED

    return NOTE_MARK.sub(gone, NOTE.sub(REMOVED, text))


def _tidied(text: str) -> str:
    text = EMPTIED_LINE.sub("", EMPTIED.sub(REMOVED, text))
    text = BESIDE_REMOVED.sub(_closed, text)
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text)


def _named(address: re.Match[str]) -> str:
    """A list item that was a name, a colon and an address is the name."""
    line = address.string.rfind("\n", 0, address.start()) + 1
    return "" if LIST_ITEM.match(address.string, line) else address.group()


def _closed(gap: re.Match[str]) -> str:
    """One space where something was removed between words, none before a mark or at an end."""
    before, after = gap.string[: gap.start()][-1:], gap.string[gap.end() : gap.end() + 1]
    spaced = gap.group().strip(REMOVED) != "" and before.strip() and after.strip()
    return " " if spaced and after not in ",.;:!?)]" else ""
