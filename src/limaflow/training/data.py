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
from limaflow.training.control_tokens import counted, counts_in_words
from limaflow.training.conversation import (
    CHAT_TEMPLATE,
    END_OF_TURN,
    TokenizedExample,
    add_dialogue_tokens,
    check_trained,
    tokenized,
)
from limaflow.training.manifest import DataFacts
from limaflow.training.settings import Training


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training and dev examples (those with a response), and counts to be told about them."""

    train: list[TokenizedExample]
    dev: list[TokenizedExample]
    facts: DataFacts


def dialogue_tokenizer(base: Path) -> tuple[Any, list[int]]:
    """The base model's tokenizer with the dialogue tokens, and the ids that are new.

    Raises:
        InputError: as `base_tokenizer`.
    """
    tokenizer = base_tokenizer(base)
    return tokenizer, add_dialogue_tokens(tokenizer)


def loses_template(tokenizer: Any) -> bool:
    """Whether a base model's tokenizer has a chat template that ours replaces."""
    return tokenizer.chat_template not in (None, CHAT_TEMPLATE)


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
    check_trained(train, tokenizer.convert_tokens_to_ids(END_OF_TURN), data)
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


def notices(facts: DataFacts, *, loses_template: bool) -> list[str]:
    """What a person should know before the data are trained on, a line each."""
    lines = []
    if loses_template:
        lines.append(
            "warning: the base model has a chat template of its own; the dialogue format of the "
            "paper replaces it, with its roles, its system turn and its end of a turn"
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
