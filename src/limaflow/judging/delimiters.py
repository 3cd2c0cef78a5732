"""Answers as delimited data: what a judge reads is marked off and cannot pose as instruction.

A block's delimiters carry a nonce, the hash of the block's own label and text. Text inside a block
would have to contain its own hash to end the block early, or to open another; so a forged
delimiter is only more of the text.
"""

import re
from collections.abc import Iterator

from limaflow.seeds import digest

NONCE_DIGITS = 12
_OPENING = re.compile(rf"^<<<([a-z][a-z0-9_]*) ([0-9a-f]{{{NONCE_DIGITS}}})\n", re.MULTILINE)


def enclose(label: str, text: str) -> str:
    """`text` as a block named `label` (lower-case letters, digits, underscores)."""
    nonce = digest(label, text, length=NONCE_DIGITS)
    return f"<<<{label} {nonce}\n{text}\n{nonce}>>>"


def read_blocks(prompt: str) -> dict[str, str]:
    """Label → text of the outermost blocks of `prompt` whose nonce is the hash of their content.

    A whole block that stands inside another one is part of that one's text. Where two outermost
    blocks have one label, the first is read.
    """
    blocks: dict[str, str] = {}
    for label, text in blocks_in(prompt):
        blocks.setdefault(label, text)
    return blocks


def blocks_in(prompt: str) -> Iterator[tuple[str, str]]:
    """Label and text of every outermost block, in order; as `read_blocks` reads them."""
    position = 0
    while opening := _OPENING.search(prompt, position):
        label, nonce = opening.groups()
        position = start = opening.end()
        closing = f"\n{nonce}>>>"
        end = prompt.find(closing, start)
        while end != -1:
            if digest(label, prompt[start:end], length=NONCE_DIGITS) == nonce:
                yield label, prompt[start:end]
                position = end + len(closing)
                break
            end = prompt.find(closing, end + 1)
