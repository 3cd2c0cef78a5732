"""Whether a reference model gives every token id the meaning that the tuned model gives it.

The reference reads the tuned model's own ids, so ids have to mean the same text. A base model lacks
the tokens of the dialogue format (end of turn, pad): it then gets them as fine-tuning gives them
before its first step, with the end of turn as a copy of EOS (`training/conversation.py`).
"""

import copy
from typing import Any

from limaflow.errors import InputError
from limaflow.generation.local import LocalModel
from limaflow.training.conversation import add_dialogue_tokens, extend_embeddings


def give_same_tokens(reference: LocalModel, tuned: LocalModel, name: str) -> bool:
    """Have `reference` read the tuned model's token ids, and return whether rows were added.

    Args:
        name: of the reference, for the message.

    Raises:
        InputError: an id means another text, or one of the two models lacks it.
    """
    wanted = tuned.tokenizer.get_vocab()
    given = reference.tokenizer.get_vocab()
    added: list[int] = []
    if wanted != given:
        # `tuned` names the end of turn as its EOS, and its row is to be that of the base's own EOS.
        tokenizer = copy.deepcopy(reference.tokenizer)
        added = add_dialogue_tokens(tokenizer)
        given = tokenizer.get_vocab()
        if wanted == given:
            extend_embeddings(reference.model, tokenizer, added)
    if wanted != given:
        raise InputError(
            f"{name} and the tuned model do not share a tokenizer: {_difference(given, wanted)}",
            fix="compare a model with the one that it was tuned from",
        )
    rows = reference.model.get_input_embeddings().num_embeddings
    if rows < len(tuned.tokenizer):
        raise InputError(f"{name} has {rows} embeddings for {len(tuned.tokenizer)} tokens")
    return bool(added)


def _difference(given: dict[str, int], wanted: dict[str, int]) -> str:
    token = min(
        (token for token in given.keys() | wanted.keys() if given.get(token) != wanted.get(token)),
        key=lambda token: (wanted.get(token, given.get(token, 0)), token),
    )
    return f"token {token!r} is {_id(given, token)} there and {_id(wanted, token)} in the tuned one"


def _id(vocabulary: dict[str, int], token: str) -> Any:
    return vocabulary.get(token, "missing")
