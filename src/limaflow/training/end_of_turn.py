"""Where an export names its end of turn, so that whatever opens it stops there.

transformers, vLLM and TGI read `generation_config.json` and `config.json`; llama.cpp's conversion
and lm-eval take the tokenizer's EOS. The base model's EOS stays a stop beside it.
"""

import copy
from typing import Any

from limaflow.training.chat_template import end_of_turn, end_token


def stops(tokenizer: Any) -> list[int]:
    """The end of turn first, then EOS, which a base model may still produce."""
    ids = (end_token(tokenizer), tokenizer.eos_token_id)
    return list(dict.fromkeys(token for token in ids if token is not None))


def asked_stops(stops: frozenset[int], tokenizer: Any, *, in_chat: bool) -> frozenset[int]:
    """A model's stops, and in its chat template what ends a response there.

    A base model's own files may name EOS alone.
    """
    end = end_of_turn(tokenizer) if in_chat else None
    return stops if end is None else stops | {int(tokenizer.convert_tokens_to_ids(end))}


def exported_tokenizer(tokenizer: Any) -> Any:
    """A copy of the training's tokenizer whose EOS is the end of turn.

    Where the template writes the base model's EOS beside another end of turn, EOS stays: the
    template would write the end of turn in its place.
    """
    exported, end = copy.deepcopy(tokenizer), end_token(tokenizer)
    if "eos_token" not in tokenizer.chat_template:
        # Its string alone: it is a control token already.
        exported.eos_token = tokenizer.convert_ids_to_tokens(end)
    return exported


def name_stops(model: Any, tokenizer: Any) -> None:
    """Have `model` be written with the stops of the training's tokenizer in both of its files."""
    from transformers import GenerationConfig

    config = model.config.get_text_config()
    for each in {id(part): part for part in (model.config, config)}.values():
        each.bos_token_id = tokenizer.bos_token_id
        each.eos_token_id = stops(tokenizer)
        each.pad_token_id = tokenizer.pad_token_id
    settings = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": stops(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
    }
    model.generation_config = GenerationConfig.from_dict(settings)


def base_eos(tokenizer: Any, generation_config: Any) -> int:
    """The EOS that the base model had: the last stop of an export, else the tokenizer's EOS."""
    named = generation_config.eos_token_id
    if isinstance(named, list) and named[0] == tokenizer.eos_token_id:
        return int(named[-1])
    return int(tokenizer.eos_token_id)
