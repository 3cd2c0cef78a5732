"""Code and formulas in Markdown: cleaning leaves them as they are, and no rule reads them.

Every search takes time linear in the text.
"""

import re
from collections.abc import Callable

MARK = "\ue001"
"""A private character on both sides of the number of a piece of code."""
OPENING = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(`{3,}|~{3,})[^`\n]*")
CLOSING = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")
INLINE = re.compile(r"(?<!`)(`{1,3})(?!`)[^\n]+?(?<!`)\1(?!`)")
HELD = re.compile(f"{MARK}(\\d+){MARK}")
FORMULA = re.compile(
    r"\$\$[^$]*\$\$"
    # As pandoc has it: no space inside the dollars, no digit after them.
    r"|(?<![\\$\w])\$(?![\s$])(?:[^$\\\n]|\\.)+(?<!\s)\$(?!\d)"
    r"|\\\((?:[^\\\n]|\\[^()\n])*\\\)"
    r"|\\\[(?:[^\\]|\\[^\[\]])*\\\]"
)
ENVIRONMENT = re.compile(
    r"\\begin\{([A-Za-z]+\*?)\}(?:[^\\]|\\(?!begin\b|end\b))*\\end\{\1\}",
)
"""The innermost ones; `without_formulas` takes two levels."""


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """`text` with a change made everywhere but in fenced and inline code."""
    code: list[str] = []

    def held(piece: str) -> str:
        code.append(piece)
        return f"{MARK}{len(code) - 1}{MARK}"

    lines, shown, at = text.split("\n"), [], 0
    for first, last in _fenced(lines):
        shown += [*lines[at:first], held("\n".join(lines[first : last + 1]))]
        at = last + 1
    marked = INLINE.sub(lambda match: held(match.group()), "\n".join(shown + lines[at:]))
    return _restored(change(marked), code)


def without_code(text: str, instead: str = "") -> str:
    """`text` with `instead` in the place of each piece of fenced and inline code."""
    return outside_code(text, lambda marked: HELD.sub(instead, marked))


def without_formulas(text: str) -> str:
    """`text` without LaTeX: between dollars, in `\\(…\\)` and `\\[…\\]`, in environments."""
    return FORMULA.sub("", ENVIRONMENT.sub("", ENVIRONMENT.sub("", text)))


def _restored(marked: str, code: list[str]) -> str:
    # Inline code may hold the mark of a block, never the other way round.
    for _ in range(2):
        marked = HELD.sub(lambda match: code[int(match[1])], marked)
    return marked


def _fenced(lines: list[str]) -> list[tuple[int, int]]:
    """First and last line of every fenced block; a fence that nothing closes is none."""
    blocks: list[tuple[int, int]] = []
    never_closed: dict[str, int] = {}
    at = 0
    while at < len(lines):
        opening = OPENING.fullmatch(lines[at])
        fence = opening[1] if opening else ""
        if fence and len(fence) < never_closed.get(fence[0], len(lines[at]) + 1):
            last = next((n for n in range(at + 1, len(lines)) if _closes(lines[n], fence)), None)
            if last is None:
                never_closed[fence[0]] = len(fence)
            else:
                blocks.append((at, last))
                at = last
        at += 1
    return blocks


def _closes(line: str, fence: str) -> bool:
    closing = CLOSING.fullmatch(line)
    return closing is not None and closing[1].startswith(fence)
