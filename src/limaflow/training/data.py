"""The examples of a run as tokens, checked before any work is done."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.manifests import read_manifest
from limaflow.records import Example
from limaflow.training.chat_template import DATED
from limaflow.training.control_tokens import counted, counts_in_words
from limaflow.training.conversation import (
    TokenizedExample,
    check_trained,
    take_template,
    tokenized,
)
from limaflow.training.manifest import DataFacts
from limaflow.training.settings import LIMA, Training


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training and dev examples (those with a response), and counts to be told about them."""

    train: list[TokenizedExample]
    dev: list[TokenizedExample]
    facts: DataFacts


def dialogue_tokenizer(base: Path, template: str = LIMA) -> tuple[Any, list[int]]:
    """The base model's tokenizer with `training.chat_template`, and the ids that are new.

    Raises:
        InputError: as `base_tokenizer`; the template cannot be used.
    """
    tokenizer = base_tokenizer(base)
    return tokenizer, take_template(tokenizer, template)


def loses_template(before: str | None, tokenizer: Any) -> bool:
    """Whether a base model's chat template, `before`, is another than the tokenizer's now."""
    return before not in (None, tokenizer.chat_template)


def base_tokenizer(base: Path) -> Any:
    """The base model's tokenizer as it is.

    Raises:
        InputError: there is no whole tokenizer where the manifest points.
    """
    from transformers import AutoTokenizer

    manifest, location = read_manifest(base)
    try:
        return AutoTokenizer.from_pretrained(location, revision=manifest.revision)
    # Damaged files fail in many ways.
    except Exception as error:
        raise InputError(
            f"no tokenizer at {location}: {type(error).__name__}: {error}", path=base
        ) from None


def prepared(data: Path, dev: Path | None, tokenizer: Any, settings: Training) -> Data:
    """Tokenize the train set and the dev examples that carry a response.

    Raises:
        InputError: no examples, one that is no dialogue or trains nothing, one id twice, or too
            many trimmed.
    """

    def read(path: Path) -> list[TokenizedExample]:
        examples = [e for e in read_records(path, Example) if e.response or path == data]
        _distinct(examples, path)
        try:
            return [
                tokenized(e, tokenizer, max_tokens=settings.max_tokens, loss_on=settings.loss_on)
                for e in examples
            ]
        except InputError as error:
            raise InputError(str(error), path=path) from None

    train = read(data)
    if not train:
        raise InputError("no examples to train on", path=data)
    check_trained(train, data)
    trimmed = [example.id for example in train if example.trimmed]
    if len(trimmed) > settings.max_trimmed_share * len(train):
        raise InputError(
            f"{len(trimmed)} of {len(train)} examples exceed {settings.max_tokens} tokens, more "
            f"than training.max_trimmed_share {settings.max_trimmed_share} allows",
            path=data,
        )
    held_out = [] if dev is None else [example for example in read(dev) if example.trained]
    facts = DataFacts(
        examples=len(train),
        tokens=sum(len(example.tokens) for example in train),
        trained_tokens=sum(example.trained for example in train),
        trimmed=tuple(trimmed),
        control_strings=counted(example.control_strings for example in train),
        dev_examples=len(held_out),
    )
    return Data(train=train, dev=held_out, facts=facts)


def notices(facts: DataFacts, tokenizer: Any, choice: str, *, loses_template: bool) -> list[str]:
    """What a person should know before the data are trained on, a line each.

    Args:
        tokenizer: with the template that is trained in.
        choice: `training.chat_template`.
        loses_template: whether it is another than the base model's own.
    """
    lines = []
    if loses_template and choice == LIMA:
        lines.append(
            "warning: the base model has a chat template of its own; the dialogue format of the "
            "paper replaces it, with its roles, its system turn and its end of a turn "
            "(training.chat_template: base keeps it)"
        )
    elif loses_template:
        lines.append(f"the base model's own chat template gives way to that of {choice}")
    if DATED in tokenizer.chat_template:
        lines.append(
            "warning: the chat template writes today's date, so that examples and prompts are "
            f"others tomorrow ({DATED})"
        )
    if facts.control_strings:
        lines.append(
            f"control tokens that the texts of {facts.examples} examples mention, split like any "
            f"other text: {counts_in_words(facts.control_strings)}"
        )
    return lines


def _distinct(examples: Sequence[Example], path: Path) -> None:
    twice = [id for id, count in Counter(e.id for e in examples).items() if count > 1]
    if twice:
        raise InputError(
            f"ids of examples that stand more than once: {len(twice)}, such as {twice[0]}",
            path=path,
            fix="remove the repeated examples",
        )
