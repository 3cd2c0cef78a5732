"""The chat template of a training: the paper's, the base model's own, or one from a file.

A template is a program of somebody else. Transformers renders it in Jinja's sandbox; here it is
asked with a short dialogue before anything is trained in it, and what it lacks is an error.
"""

import contextlib
import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from limaflow.errors import InputError
from limaflow.records import Message
from limaflow.training.control_tokens import (
    chat_tokens,
    control_tokens_in,
    keep_named,
    mentioned,
    rendered,
    rendered_tokens,
    rendered_with_blocks,
)

LARGEST_FILE = 2**20
WRITTEN_TOKEN = re.compile(r"<\|[^|<>\s'\"{}]+\|>")
"""A control token in the text of a template."""
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""A block in which a template says itself what a model is trained on (transformers)."""
DATED = "strftime_now"
"""Transformers' function for today's date, which some templates write into their system turn."""
PROBE = ("mountain", "river", "forest", "desert")
"""Words that no template writes by itself."""
_COMPILED = "<template>"
"""The file name of Jinja's compiled code in a traceback."""


def read_template(path: Path) -> str:
    """A Jinja chat template from a file.

    Raises:
        InputError: it cannot be read, is no text, is too large, or is no Jinja template.
    """
    from transformers.utils.chat_template_utils import _compile_jinja_template

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("larger than 1 MiB, which no chat template is", path=path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"no chat template: {error.strerror}",
            path=path,
            fix="training.chat_template is lima, base, or the path of a Jinja file",
        ) from None
    except UnicodeDecodeError:
        raise InputError("no chat template: not UTF-8 text", path=path) from None
    with _failures_named(path):
        compiled: Any = _compile_jinja_template
        compiled(text)
    return text


def own_template(tokenizer: Any) -> str | None:
    """The chat template that a tokenizer has, of several the default; None if it has none."""
    if not tokenizer.chat_template:
        return None
    with contextlib.suppress(ValueError):
        return str(tokenizer.get_chat_template())
    return None


def take_own_template(tokenizer: Any) -> list[int]:
    """Keep the base model's own template and its tokens.

    Returns:
        The ids of tokens that are new: none.

    Raises:
        InputError: there is no template, or it cannot be trained in.
    """
    template = own_template(tokenizer)
    if template is None:
        raise InputError(
            "training.chat_template is base, and the base model has no chat template",
            fix="lima, or the path of a template file",
        )
    tokenizer.chat_template = template
    _name_pad(tokenizer, checked_end(tokenizer))
    return []


def take_template_of_file(tokenizer: Any, path: Path) -> list[int]:
    """Give the tokenizer a file's template, and the tokens that it writes as `<|…|>` and lacks.

    Returns:
        The ids of tokens that are new.

    Raises:
        InputError: the file holds no template, or one that cannot be trained in.
    """
    from tokenizers import AddedToken

    template = read_template(path)
    known = set(tokenizer.get_vocab())
    lacking = [t for t in dict.fromkeys(WRITTEN_TOKEN.findall(template)) if t not in known]
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=True) for token in lacking])
    keep_named(tokenizer)
    tokenizer.chat_template = template
    _name_pad(tokenizer, checked_end(tokenizer, path))
    return sorted(tokenizer.convert_tokens_to_ids(token) for token in lacking)


def _name_pad(tokenizer: Any, end: str) -> None:
    """EOS or the end of turn pads where nothing else does: no place is taken for padding by it."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or end


def end_of_turn(tokenizer: Any) -> str | None:
    """The control token that ends every response in the tokenizer's chat template, if one does."""
    try:
        text = rendered(_probe(), tokenizer)
    except TemplateError:
        return None
    ends = [_first_control(text, word, tokenizer) for word in (PROBE[1], PROBE[3])]
    return ends[0] if ends[0] == ends[1] else None


def end_token(tokenizer: Any) -> int:
    """The id of the token that ends a response in the tokenizer's chat template.

    Raises:
        InputError: there is none.
    """
    end = end_of_turn(tokenizer)
    if end is None:
        raise InputError("the chat template ends a response with no control token")
    return int(tokenizer.convert_tokens_to_ids(end))


def _first_control(text: str, word: str, tokenizer: Any) -> str | None:
    """The first control token behind a word, before the next word of the probe."""
    _, _, rest = text.partition(word)
    others = [rest.find(other) for other in PROBE if other in rest]
    found = control_tokens_in(rest[: min(others, default=len(rest))], tokenizer)
    return found[0] if found else None


def checked_end(tokenizer: Any, path: Path | None = None) -> str:
    """The end of turn of the tokenizer's chat template, once a short dialogue has gone through it.

    Args:
        path: the template's file, for errors.

    Raises:
        InputError: the template fails, leaves a turn out, ends no response with a control token, or
            has a model begin its response with what belongs to the prompt.
    """
    with _failures_named(path):
        text = rendered(_probe(), tokenizer)
        prompt = rendered(_probe()[:1], tokenizer, add_generation_prompt=True)
        end = end_of_turn(tokenizer)
    places = [text.find(word) for word in PROBE]
    if -1 in places or places != sorted(places):
        raise InputError("the chat template does not write every turn in its place", path=path)
    if end is None:
        raise InputError(
            "the chat template ends a response with no control token, so that a model trained in "
            "it would not learn to stop",
            path=path,
            fix="write one behind each response, such as {{ eos_token }} or <|im_end|>",
        )
    if not text.startswith(prompt):
        raise InputError(
            "the chat template renders a prompt otherwise when it is asked to be answered than "
            "before its response (add_generation_prompt)",
            path=path,
        )
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    header = control_tokens_in(text[len(prompt) : places[1]], tokenizer)
    if written := [token for token in header if token in special]:
        raise InputError(
            f"the chat template writes {written[0]} before a response and not behind a prompt, so "
            "that the model would have to write it",
            path=path,
            fix="write it where add_generation_prompt is true as well",
        )
    return end


def _probe() -> tuple[Message, ...]:
    return tuple(
        Message(role="assistant" if number % 2 else "user", content=word)
        for number, word in enumerate(PROBE)
    )


def responses_in(
    turns: Sequence[Message], tokenizer: Any
) -> tuple[list[int], list[range], frozenset[int]]:
    """A conversation as tokens, and where its responses stand in them.

    A response begins where the model would go on from the turns before it, and ends with the first
    end of turn; texts cannot hold one.

    Returns:
        The tokens; the places of each response, its end of turn the last; those of them that the
        template gives up for training: all, or what its `{% generation %}` blocks hold.

    Raises:
        InputError: the template does not render the turns before a response as it renders them for
            an answer, or does not end a response.
    """
    tokens, end = chat_tokens(turns, tokenizer), end_token(tokenizer)
    responses = []
    for number, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        prompt = chat_tokens(turns[:number], tokenizer, add_generation_prompt=True)
        if tokens[: len(prompt)] != prompt:
            raise InputError(
                f"the chat template renders what stands before turn {number + 1} otherwise than "
                "when that turn is to be answered"
            )
        if end not in tokens[len(prompt) :]:
            raise InputError(f"the chat template does not end turn {number + 1}")
        responses.append(range(len(prompt), tokens.index(end, len(prompt)) + 1))
    given = {place for response in responses for place in response}
    if GENERATION.search(tokenizer.chat_template):
        given &= _in_blocks(turns, tokenizer, tokens)
    return tokens, responses, frozenset(given)


def _in_blocks(turns: Sequence[Message], tokenizer: Any, tokens: Sequence[int]) -> set[int]:
    """The places of the tokens in the template's `{% generation %}` blocks."""
    text, blocks = rendered_with_blocks(turns, tokenizer)
    is_marked = bool(mentioned((turn.content for turn in turns), tokenizer))

    def place(character: int) -> int:
        before = rendered_tokens(text[:character], tokenizer, is_marked=is_marked)
        if tokens[: len(before)] != before:
            raise InputError(
                "a {% generation %} block of the chat template begins or ends within a token"
            )
        return len(before)

    return {at for begin, end in blocks for at in range(place(begin), place(end))}


@contextlib.contextmanager
def _failures_named(path: Path | None) -> Iterator[None]:
    """Name file and line where a template fails, which it may do in any way."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else _line_of(error)
        where = f", in line {line}" if line and path is None else ""
        raise InputError(
            f"the chat template fails{where}: {type(error).__name__}: {error}", path=path, line=line
        ) from None


def _line_of(error: Exception) -> int | None:
    """The line of the template at which it failed, from Jinja's rewritten traceback."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == _COMPILED]
    return lines[-1] if lines else None
