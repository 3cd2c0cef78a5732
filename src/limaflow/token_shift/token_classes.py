"""Each token of a response in one of four classes, by a rule that needs no model.

- `end of turn`: a token that ends the response.
- `sentence start`: the first token of the response's, a sentence's or a line's first word. A
  sentence begins after `.`, `!` or `?` and white space; so it does after an abbreviation.
- `style`: punctuation, layout and white space, and tokens of words in `style_words.txt`, which are
  function words and discourse markers of English.
- `content`: tokens of all other words, and of numbers.

The list is of English: in another language, style is little more than punctuation. Lin et al. 2023
(arXiv 2312.01552) have no rule of their own for the style that they see in shifted tokens.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

TokenClass = Literal["style", "content", "sentence start", "end of turn"]
CLASSES: tuple[TokenClass, ...] = ("style", "content", "sentence start", "end of turn")
WORDS = Path(__file__).with_name("style_words.txt")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_SENTENCE = re.compile(r"(?:\A|[.!?…][\"'”’)\]*_]*\s+|\n)[\W_]*(?=\w)")
_INCOMPLETE = "\ufffd"


@cache
def style_words() -> frozenset[str]:
    """The words of the list, without apostrophes."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def token_texts(tokens: Sequence[int], tokenizer: Any) -> list[str]:
    """What each token adds to the text; a character of several tokens comes with its last one."""
    texts, before, read = [], 0, 0
    for end in range(1, len(tokens) + 1):
        known, text = (_decoded(tokens[before:until], tokenizer) for until in (read, end))
        if text.endswith(_INCOMPLETE) and end < len(tokens):
            texts.append("")
            continue
        texts.append(text[len(known) :])
        # The token before gives the next one its white space.
        before, read = read, end
    return texts


def _decoded(tokens: Sequence[int], tokenizer: Any) -> str:
    text: str = tokenizer.decode(
        list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    return text


def token_classes(texts: Sequence[str], ends: Sequence[bool]) -> list[TokenClass]:
    """The class of each token.

    Args:
        texts: as `token_texts` gives them.
        ends: whether a token ends the response.
    """
    shown = ["" if end else text for text, end in zip(texts, ends, strict=True)]
    whole = "".join(shown)
    starts = [0, *accumulate(map(len, shown))]
    kinds: list[TokenClass] = ["style"] * len(shown)
    for word in _WORD.finditer(whole):
        plain = re.sub("['’]", "", word.group()).casefold()
        for place in range(_token_at(word.start(), starts), len(shown)):
            if starts[place] >= word.end():
                break
            if plain not in style_words():
                kinds[place] = "content"
    for begin in _SENTENCE.finditer(whole):
        kinds[_token_at(begin.end(), starts)] = "sentence start"
    for place in reversed(range(len(shown) - 1)):
        # A part of a character, whose text comes with a later token.
        if not shown[place] and not ends[place]:
            kinds[place] = kinds[place + 1]
    return ["end of turn" if end else kind for kind, end in zip(kinds, ends, strict=True)]


def _token_at(character: int, starts: Sequence[int]) -> int:
    """The token that holds a character of the text."""
    return bisect_right(starts, character) - 1
