"""A conversation as tokens and labels, in the paper's dialogue format or another chat template.

In the paper's, every utterance ends in a dedicated end-of-turn token, distinct from EOS (LIMA,
section 3); nothing names the roles. The same Jinja template renders training examples here and
prompts wherever the exported model is used, so that both see the same tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import TemplateError

from limaflow.errors import InputError
from limaflow.records import Example, Message
from limaflow.training.chat_template import (
    end_token,
    responses_in,
    take_own_template,
    take_template_of_file,
)
from limaflow.training.control_tokens import keep_named, mentioned
from limaflow.training.partition import whole
from limaflow.training.settings import BASE, LIMA

END_OF_TURN = "<|end_of_turn|>"
PAD = "<|pad|>"
IGNORED = -100
"""Label of a token that no loss is taken on (PyTorch's `ignore_index`)."""

CHAT_TEMPLATE = (
    "{{ bos_token or '' }}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) or message['role'] == 'system' %}"
    "{{ raise_exception('turns must alternate, the user first; there is no system turn') }}"
    "{% endif %}"
    "{{ message['content'] }}" + END_OF_TURN + "{% endfor %}"
)


@dataclass(frozen=True)
class TokenizedExample:
    """One conversation, ready for a batch; `tokens` and `labels` are equally long."""

    id: str
    tokens: tuple[int, ...]
    labels: tuple[int, ...]
    trimmed: int
    """Tokens cut off at the end to fit the recipe's limit."""
    ends: tuple[int, ...] = ()
    """Places of the tokens that end its responses, of those that were not cut off."""
    control_strings: frozenset[str] = frozenset()
    """Those of the tokenizer's control tokens that its texts mention, which are split as text."""

    @property
    def trained(self) -> int:
        """Number of tokens that the loss is taken on."""
        return sum(label != IGNORED for label in self.labels)


def take_template(tokenizer: Any, choice: str = LIMA) -> list[int]:
    """Give `tokenizer` the chat template of `training.chat_template`, and the tokens that it needs.

    Returns:
        The ids of the tokens that it did not have before.

    Raises:
        InputError: the template cannot be used.
    """
    if choice == LIMA:
        return add_dialogue_tokens(tokenizer)
    if choice == BASE:
        return take_own_template(tokenizer)
    return take_template_of_file(tokenizer, Path(choice))


def add_dialogue_tokens(tokenizer: Any) -> list[int]:
    """Give `tokenizer` the paper's format: its end-of-turn token, a pad token of its own, template.

    The names of control tokens that only its own template tells stay with it
    (`chat_control_tokens`), so that they are text in texts for the exported model too.

    Returns:
        The ids of the tokens that it did not have before.
    """
    from tokenizers import AddedToken

    known = set(tokenizer.get_vocab())
    tokenizer.add_tokens([AddedToken(END_OF_TURN, normalized=False, special=True)])
    if tokenizer.pad_token in (None, tokenizer.eos_token, END_OF_TURN):
        tokenizer.add_special_tokens({"pad_token": AddedToken(PAD, normalized=False, special=True)})
    keep_named(tokenizer)
    tokenizer.chat_template = CHAT_TEMPLATE
    new = {END_OF_TURN, tokenizer.pad_token} - known
    return sorted(tokenizer.convert_tokens_to_ids(token) for token in new)


def extend_embeddings(model: Any, tokenizer: Any, new: Sequence[int], *, multiple: int = 1) -> None:
    """Make room in `model` for the `new` tokens that `take_template` added.

    The end-of-turn row starts as a copy of the EOS row, the nearest thing that the base model
    knows; every other new row starts as the mean of all. Tied and untied heads alike.

    Args:
        multiple: rows are added up to a multiple of it; those beyond the tokenizer's tokens are
            never asked for, and the loss pushes them down in the head.

    Raises:
        InputError: the tokenizer has other tokens that the model has no rows for.
    """
    import torch

    size = model.get_input_embeddings().num_embeddings
    missing = [token for token in range(size, len(tokenizer)) if token not in new]
    if missing:
        raise InputError(
            f"the tokenizer has {len(tokenizer) - len(new)} tokens and the model's embedding "
            f"{size} rows: they do not belong together",
            fix="bring the tokenizer that the base model was trained with",
        )
    if len(tokenizer) > size:
        model.resize_token_embeddings(
            len(tokenizer), pad_to_multiple_of=multiple, mean_resizing=False
        )
    model.config.pad_token_id = tokenizer.pad_token_id
    end, eos = end_token(tokenizer), tokenizer.eos_token_id
    tables = {
        id(t.weight): t for t in (model.get_input_embeddings(), model.get_output_embeddings())
    }
    for table in tables.values():
        with torch.no_grad(), whole([table.weight], modified=True):
            mean = table.weight[:size].float().mean(dim=0)
            table.weight[size:] = mean
            table.weight[list(new)] = mean.to(table.weight.dtype)
            if end in new and eos is not None:
                table.weight[end] = table.weight[eos]


def tokenized(
    example: Example,
    tokenizer: Any,
    *,
    max_tokens: int,
    loss_on: Literal["responses", "everything"],
) -> TokenizedExample:
    """`example` in the chat template, cut to `max_tokens`, with a label for every trained token.

    Trained is what the model is to write: each response with its end of turn, without what a
    template writes around them.

    Raises:
        InputError: turns do not alternate, a response is empty, the template refuses the turns or
            hides a response, or the tokenizer cannot take a control token as text.
    """
    _check_turns(example.id, example.messages)
    try:
        tokens, responses, trained = responses_in(example.messages, tokenizer)
    except TemplateError as error:
        raise InputError(f"example {example.id}: the chat template refuses it: {error}") from None
    except InputError as error:
        raise InputError(f"example {example.id}: {error}") from None
    labels = [
        token if loss_on == "everything" or place in trained else IGNORED
        for place, token in enumerate(tokens)
    ]
    # Nothing precedes the first token, so that nothing can predict it.
    labels[0] = IGNORED
    return TokenizedExample(
        id=example.id,
        tokens=tuple(tokens[:max_tokens]),
        labels=tuple(labels[:max_tokens]),
        trimmed=max(0, len(tokens) - max_tokens),
        ends=tuple(response[-1] for response in responses if response[-1] < max_tokens),
        control_strings=mentioned((m.content for m in example.messages), tokenizer),
    )


def _check_turns(example_id: str, messages: Sequence[Message]) -> None:
    expected = ["user", "assistant"] * len(messages)
    if not messages or [m.role for m in messages] != expected[: len(messages)]:
        raise InputError(f"example {example_id}: turns must alternate, the user first")
    if any(m.role == "assistant" and not m.content.strip() for m in messages):
        raise InputError(f"example {example_id}: a response is empty, which would teach silence")


def check_trained(examples: Sequence[TokenizedExample], path: Path | None = None) -> None:
    """Make sure that every example teaches something and every whole response teaches to stop.

    Raises:
        InputError: an example has no trained token, or an assistant's end of turn is untrained.
    """
    for example in examples:
        if not example.trained:
            raise InputError(
                f"example {example.id} has no trained token: its response is missing or cut off",
                path=path,
                fix="raise training.max_tokens, or drop the example in review",
            )
        untrained = [at for at in example.ends if example.labels[at] == IGNORED]
        if untrained:
            raise InputError(
                f"example {example.id}: end of turn at {untrained} is not trained",
                path=path,
                fix="a chat template with {% generation %} blocks closes them behind it",
            )


def shown(example: TokenizedExample, tokenizer: Any) -> str:
    """Tokens and labels of one example as a table to be read, one token a line."""
    lines = [f"example {example.id}: position, token, id, trained"]
    for place, (token, label) in enumerate(zip(example.tokens, example.labels, strict=True)):
        text = tokenizer.convert_ids_to_tokens(token)
        lines.append(f"{place:5d}  {text!r:24} {token:7d}  {'yes' if label != IGNORED else '-'}")
    return "\n".join(lines)
