"""Where an export names its end of turn, so that whatever opens it stops there.

transformers, vLLM and TGI read `generation_config.json` and `config.json`; llama.cpp's conversion
and lm-eval take the tokenizer's EOS. The base model's EOS stays a stop beside it.
"""

import copy
from typing import Any

from limaflow.training.conversation import END_OF_TURN


def stops(tokenizer: Any) -> list[int]:
    """The end of turn first, then EOS, which a base model may still produce."""
    ids = (tokenizer.convert_tokens_to_ids(END_OF_TURN), tokenizer.eos_token_id)
    return list(dict.fromkeys(token for token in ids if token is not None))


def exported_tokenizer(tokenizer: Any) -> Any:
    """A copy of the dialogue tokenizer whose EOS is the end of turn."""
    exported = copy.deepcopy(tokenizer)
    # Its string alone: the end of turn is a special token already.
    exported.eos_token = END_OF_TURN
    return exported


def name_stops(model: Any, tokenizer: Any) -> None:
    """Have `model` be written with the stops of the dialogue tokenizer in both of its files."""
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
    if tokenizer.eos_token == END_OF_TURN and isinstance(named, list):
        return int(named[-1])
    return int(tokenizer.eos_token_id)
