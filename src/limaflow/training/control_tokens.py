"""Control tokens that texts mention: texts are data, and only a chat template makes control tokens.

A text may well hold `</s>` (HTML's end of strike-through, and LLaMA's EOS) or `<|im_end|>`. A
tokenizer would read a control token there; here such a string is split like any other text.
Transformers splits them (`sanitize_control_tokens`), each marked by two private-use characters: a
text that holds a control string loses U+F0000 and U+F0001 of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from limaflow.errors import InputError
from limaflow.records import Message

_MARKED = re.compile(r"<[|｜].+[|｜]>")
"""How control tokens are written since ChatML; some tokenizers add them as ordinary tokens."""


def control_strings(tokenizer: Any) -> tuple[str, ...]:
    """How the control tokens of `tokenizer` are written, sorted.

    They are its special tokens, and those of its other added tokens that its chat template writes,
    that it names itself (`chat_control_tokens`), or that are written as `<|…|>`. Runs of spaces and
    words that a vocabulary has as added tokens are no control tokens.
    """
    template, named = str(tokenizer.chat_template or ""), tokenizer.chat_control_tokens or ()
    return tuple(
        sorted(
            token.content
            for token in tokenizer.added_tokens_decoder.values()
            if token.special
            or token.content in named
            or _MARKED.fullmatch(token.content)
            or (token.content in template and not token.content.isspace())
        )
    )


def mentioned(texts: Iterable[str], tokenizer: Any) -> frozenset[str]:
    """The control strings that stand in `texts`."""
    pattern = _pattern(control_strings(tokenizer))
    return frozenset(found for text in texts for found in pattern.findall(text))


@lru_cache
def _pattern(strings: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(strings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")


def counted(mentions: Iterable[frozenset[str]]) -> dict[str, int]:
    """Control string → how many of the texts mention it, sorted by string."""
    return dict(sorted(Counter(string for strings in mentions for string in strings).items()))


def counts_in_words(counts: dict[str, int]) -> str:
    """Such counts for people: `</s> in 3, <s> in 1`."""
    return ", ".join(f"{string} in {count}" for string, count in counts.items())


def marked(text: str, tokenizer: Any) -> str:
    """`text` with marks around its control strings, for a template and then `marked_tokens`."""
    from transformers.utils.chat_template_utils import mark_control_tokens

    pattern = _pattern(control_strings(tokenizer))
    return str(mark_control_tokens(text, pattern)) if pattern.search(text) else text


def is_marked(text: str) -> bool:
    """Whether there are such marks in a text."""
    from transformers.utils.chat_template_utils import _CONTROL_TOKEN_START

    return _CONTROL_TOKEN_START in text


def marked_tokens(text: str, tokenizer: Any) -> list[int]:
    """The tokens of a text with marks; what is marked is split, and no BOS or EOS is added.

    Raises:
        InputError: the tokenizer makes a control token of one even where it is split.
    """
    try:
        tokens: list[int] = tokenizer(text, add_special_tokens=False, sanitize_control_tokens=True)[
            "input_ids"
        ]
    except ValueError as error:
        raise InputError(f"this tokenizer cannot take a control token as text: {error}") from None
    return tokens


def framed(tokens: Sequence[int], encode: Callable[[str], list[int]], tokenizer: Any) -> list[int]:
    """`tokens` behind what `encode` puts before the tokens of any text, such as BOS."""
    before, _ = _frame(encode, tokenizer)
    return [*before, *tokens]


def unclosed(text: str, encode: Callable[[str], list[int]], tokenizer: Any) -> list[int]:
    """`encode(text)` without what `encode` puts behind any text: an EOS would end a prompt."""
    tokens = encode(text)
    _, behind = _frame(encode, tokenizer)
    return tokens[: len(tokens) - len(behind)]


def _frame(encode: Callable[[str], list[int]], tokenizer: Any) -> tuple[list[int], list[int]]:
    """What `encode` puts before and behind the tokens of any text."""
    bare: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole, length = encode("a"), len(bare)
    start = next(n for n in range(len(whole)) if whole[n : n + length] == bare)
    return whole[:start], whole[start + length :]


def text_tokens(text: str, tokenizer: Any) -> list[int]:
    """A text without a template as tokens, with the BOS that the tokenizer puts before all.

    An EOS that it puts behind all is left out, since the model goes on from here.

    Raises:
        InputError: as `marked_tokens`.
    """

    def encode(plain: str) -> list[int]:
        tokens: list[int] = tokenizer(plain)["input_ids"]
        return tokens

    if not mentioned([text], tokenizer):
        return unclosed(text, encode, tokenizer)
    return framed(marked_tokens(marked(text, tokenizer), tokenizer), encode, tokenizer)


def control_tokens_in(text: str, tokenizer: Any) -> list[str]:
    """The control strings of a text in their order."""
    return _pattern(control_strings(tokenizer)).findall(text)


def keep_named(tokenizer: Any) -> None:
    """Keep the names of control tokens that only the tokenizer's present template tells.

    They are then text in texts when another template has taken its place
    (`chat_control_tokens`, which exports keep).
    """
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    if other := [string for string in control_strings(tokenizer) if string not in special]:
        tokenizer.chat_control_tokens = other


def chat_tokens(
    turns: Sequence[Message],
    tokenizer: Any,
    *,
    add_generation_prompt: bool = False,
    begun: str = "",
) -> list[int]:
    """A conversation in the tokenizer's chat template, which alone makes control tokens.

    Args:
        begun: how the answer to it begins, behind the generation prompt.

    Raises:
        InputError: as `marked_tokens`.
    """
    said = [*(turn.content for turn in turns), begun]
    text = rendered(turns, tokenizer, add_generation_prompt=add_generation_prompt)
    return rendered_tokens(
        text + marked(begun, tokenizer), tokenizer, is_marked=bool(mentioned(said, tokenizer))
    )


def rendered(
    turns: Sequence[Message], tokenizer: Any, *, add_generation_prompt: bool = False
) -> str:
    """The text that the chat template makes of a conversation, with marks where its
    texts mention control tokens."""
    return str(
        tokenizer.apply_chat_template(
            _marked_turns(turns, tokenizer),
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
    )


def rendered_with_blocks(
    turns: Sequence[Message], tokenizer: Any
) -> tuple[str, list[tuple[int, int]]]:
    """The same, and begin and end, in characters, of each `{% generation %}` block."""
    from transformers.utils.chat_template_utils import render_jinja_template

    render: Any = render_jinja_template
    texts, blocks = render(
        [_marked_turns(turns, tokenizer)],
        chat_template=tokenizer.get_chat_template(),
        return_assistant_tokens_mask=True,
        **tokenizer.special_tokens_map,
    )
    return texts[0], blocks[0]


def rendered_tokens(text: str, tokenizer: Any, *, is_marked: bool) -> list[int]:
    """The tokens of such a text; `is_marked` says whether marks stand in it.

    Raises:
        InputError: as `marked_tokens`.
    """
    if is_marked:
        return marked_tokens(text, tokenizer)
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def _marked_turns(turns: Sequence[Message], tokenizer: Any) -> list[dict[str, str]]:
    mentions = mentioned((turn.content for turn in turns), tokenizer)
    return [
        {
            "role": turn.role,
            "content": marked(turn.content, tokenizer) if mentions else turn.content,
        }
        for turn in turns
    ]
