"""What a model reads before it answers, in four formats.

`chat`: the template that a tuned model carries. `raw`: the prompt and a new line. `in-context`: a
few training examples before the question, the untuned baseline of URIAL (Lin et al. 2023,
arXiv 2312.01552). `in-context-chat`: the same examples as turns of the chat template that a base
has of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jinja2

from limaflow.errors import InputError
from limaflow.records import Example, Message, asked_turns, prefill_of
from limaflow.training.control_tokens import chat_tokens, mentioned, text_tokens

Format = Literal["chat", "raw", "in-context", "in-context-chat"]
IN_CHAT: tuple[Format, ...] = ("chat", "in-context-chat")
"""In the model's chat template."""
WITH_SHOTS: tuple[Format, ...] = ("in-context", "in-context-chat")
"""Behind training examples."""
ChooseShots = Literal["seed", "longest", "shortest"]
"""Which in-context examples are tried first: by lot, or by the length of their response."""
_LABELS = {"system": "Note", "user": "Question", "assistant": "Answer"}
NEXT_QUESTION = re.compile(r"\n\s*Question:")
"""Where an in-context answer ends: the model goes on to invent a question of its own."""
EMPTY_THOUGHT = re.compile(r"\A\s*<think>\s*</think>")
"""What templates of models that think (Qwen3) write before a response without a thought."""


class NoRoom(InputError):
    """A prompt fills a model's whole context."""


@dataclass(frozen=True)
class Prompt:
    """One prompt as tokens."""

    id: str
    tokens: tuple[int, ...]
    control_strings: frozenset[str] = frozenset()
    """The model's control tokens that the question mentions, which are split as text."""
    prefill: str = ""
    """How the answer begins: the last of the tokens."""


def encoded(
    examples: Sequence[Example],
    tokenizer: Any,
    style: Format,
    *,
    shots: Sequence[Example] = (),
    context: int,
) -> list[Prompt]:
    """What each example asks, in a format, as tokens; of a dialogue the turns so far.

    Texts are data: no control token comes of what they mention, only of a chat template.

    Raises:
        InputError: the model has no chat template, its template refuses a prompt, or a prompt
            leaves no room in its `context`.
    """
    prompts = []
    for example in examples:
        tokens = prompt_tokens(example, tokenizer, style, shots)
        if len(tokens) >= context:
            raise NoRoom(
                f"prompt {example.id} has {len(tokens)} tokens, and the model's context {context}"
            )
        prefill = prefill_of(example)
        said = (*(turn.content for turn in asked_turns(example)), prefill)
        prompts.append(Prompt(example.id, tuple(tokens), mentioned(said, tokenizer), prefill))
    return prompts


def prompt_tokens(
    example: Example, tokenizer: Any, style: Format, shots: Sequence[Example]
) -> list[int]:
    """What a model reads of an example's turns up to the last question, and of the beginning of
    its answer, in a format.

    Raises:
        InputError: the model has no chat template, or its template refuses the turns.
    """
    if style in IN_CHAT and not tokenizer.chat_template:
        raise InputError(
            "the model's tokenizer has no chat template",
            fix="use --format raw or in-context; of an arm, format: plain",
        )
    try:
        return _tokens_of(asked_turns(example), tokenizer, style, shots, prefill_of(example))
    except jinja2.TemplateError as error:
        raise InputError(
            f"prompt {example.id}: the model's chat template refuses it: {error}"
        ) from None


def _tokens_of(
    turns: Sequence[Message],
    tokenizer: Any,
    style: Format,
    shots: Sequence[Example],
    prefill: str,
) -> list[int]:
    if style in IN_CHAT:
        turns = behind(shot_turns(shots), turns) if style == "in-context-chat" else turns
        return chat_tokens(turns, tokenizer, add_generation_prompt=True, begun=prefill)
    if style == "raw":
        text = "".join([*(f"{turn.content}\n" for turn in turns), prefill])
    else:
        blocks = [f"{_LABELS[turn.role]}: {turn.content}\n\n" for turn in turns]
        begun = f"Answer: {prefill}" if prefill else "Answer:"
        text = "".join([worked_examples(shots), *blocks, begun])
    return text_tokens(text, tokenizer)


def worked_examples(shots: Sequence[Example]) -> str:
    """What stands before the question of an in-context prompt."""
    return "".join(f"Question: {s.prompt}\n\nAnswer: {first_answer(s)}\n\n" for s in shots)


def shot_turns(shots: Sequence[Example]) -> list[Message]:
    """The same examples as turns of a conversation: question and answer of each."""
    return [
        turn
        for shot in shots
        for turn in (
            Message(role="user", content=shot.prompt),
            Message(role="assistant", content=first_answer(shot)),
        )
    ]


def behind(before: Sequence[Message], turns: Sequence[Message]) -> list[Message]:
    """Turns behind others; a system turn stays the first, where templates want it."""
    head = 1 if turns[0].role == "system" else 0
    return [*turns[:head], *before, *turns[head:]]


def first_answer(example: Example) -> str:
    """What an in-context example shows as its answer."""
    return next(m.content for m in example.messages if m.role == "assistant")


def response_text(prompt: Prompt, text: str, style: Format) -> str:
    """The response in what was generated after a prompt, with the beginning that was given."""
    if not prompt.prefill:
        return answer_text(text, style)
    if style == "in-context":
        text = NEXT_QUESTION.split(text, maxsplit=1)[0]
    return f"{prompt.prefill}{text}".strip()


def answer_text(text: str, style: Format) -> str:
    """The answer in a generated text, stripped: what stands before the next question, or behind
    the empty thought that a chat template had the model write."""
    if style == "in-context":
        text = NEXT_QUESTION.split(text, maxsplit=1)[0]
    if style in IN_CHAT:
        text = EMPTY_THOUGHT.sub("", text)
    return text.strip()
