"""The in-context examples of an arm: the same before every prompt, and before every benchmark."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.generation.prompting import ChooseShots, choose_shots, given_shots
from limaflow.generation.prompts import read_prompts
from limaflow.jsonl import read_records
from limaflow.records import Example


def drawn_shots(
    examples: Path,
    prompts: Path,
    tokenizer: Any,
    *,
    count: int,
    context: int,
    max_tokens: int,
    seed: int,
    choose: ChooseShots = "seed",
    given: Sequence[str] = (),
) -> list[Example]:
    """`count` training examples that fit before the longest of the prompts, or those `given` by id.

    A response may take half the `context`; a shorter limit (`max_tokens`) leaves the examples more.

    Raises:
        InputError: fewer than `count` fit, an id is not known, or a file cannot be read.
    """
    pool, asked = list(read_records(examples, Example)), read_prompts(prompts)
    room = context - min(max_tokens, context // 2)
    if given:
        return given_shots(pool, asked, tokenizer, given=given, room=room)
    return choose_shots(pool, asked, tokenizer, count=count, room=room, seed=seed, choose=choose)
