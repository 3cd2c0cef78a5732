"""The in-context examples of an arm: the same before every prompt, and before every benchmark."""

from pathlib import Path
from typing import Any

from limaflow.generation.prompting import choose_shots
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
) -> list[Example]:
    """`count` training examples that fit before the longest of the prompts.

    A response may take half the `context`; a shorter limit (`max_tokens`) leaves the examples more.

    Raises:
        InputError: fewer than `count` fit, or a file cannot be read.
    """
    return choose_shots(
        list(read_records(examples, Example)),
        read_prompts(prompts),
        tokenizer,
        count=count,
        room=context - min(max_tokens, context // 2),
        seed=seed,
    )
