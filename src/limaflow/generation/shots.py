"""The in-context examples of an arm: the same before every prompt, and before every benchmark."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.generation.prompting import ChooseShots, Format, first_answer, prompt_tokens
from limaflow.generation.prompts import read_prompts
from limaflow.jsonl import read_records
from limaflow.records import Example
from limaflow.seeds import generator_for


def drawn_shots(
    examples: Path,
    prompts: Path,
    tokenizer: Any,
    *,
    count: int,
    context: int,
    max_tokens: int,
    seed: int,
    style: Format = "in-context",
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
        return given_shots(pool, asked, tokenizer, given=given, room=room, style=style)
    return choose_shots(
        pool, asked, tokenizer, count=count, room=room, seed=seed, style=style, choose=choose
    )


def choose_shots(
    pool: Sequence[Example],
    prompts: Sequence[Example],
    tokenizer: Any,
    *,
    count: int,
    room: int,
    seed: int,
    style: Format = "in-context",
    choose: ChooseShots = "seed",
) -> list[Example]:
    """The same `count` examples for all prompts, chosen among those that fit.

    Each takes at most its share of the room, so that `longest` gives the longest that leave place
    for the others. The shortest do so only if they do not fit together: a short response may follow
    a long question. Equal lengths are ordered by the seed.

    Args:
        room: tokens that shots and question may take together.
        style: in-context or in-context-chat, in which tokens are counted.

    Raises:
        InputError: fewer than `count` fit before the longest prompt.
    """
    order = sorted((e for e in pool if e.response), key=lambda e: e.id)
    generator_for(seed, "shots").shuffle(order)
    if choose != "seed":
        order.sort(key=lambda e: len(first_answer(e)), reverse=choose == "longest")

    def length(prompt: Example, shots: Sequence[Example] = ()) -> int:
        return len(prompt_tokens(prompt, tokenizer, style, shots))

    longest = max(prompts, key=length)
    asked = length(longest)

    def taken(*, evenly: bool) -> list[Example]:
        shots: list[Example] = []
        for example in order:
            if len(shots) == count:
                break
            parts = len(shots) + 1 if evenly else count
            share = asked + (room - asked) * parts // count
            if length(longest, [*shots, example]) <= share:
                shots.append(example)
        return shots

    shots = taken(evenly=choose != "shortest")
    if len(shots) < count and choose == "shortest":
        shots = taken(evenly=True)
    if len(shots) < count:
        raise InputError(
            f"only {len(shots)} of {count} in-context examples fit into {room} tokens before "
            f"prompt {longest.id}",
            fix="lower the arm's `examples` or generation.decoding.max_tokens",
        )
    return shots


def given_shots(
    pool: Sequence[Example],
    prompts: Sequence[Example],
    tokenizer: Any,
    *,
    given: Sequence[str],
    room: int,
    style: Format = "in-context",
) -> list[Example]:
    """The examples that the user names, in that order.

    Raises:
        InputError: the pool has no example of an id, one has no response, or they do not fit before
            the longest prompt.
    """
    by_id = {example.id: example for example in pool}
    if unknown := [name for name in given if name not in by_id or not by_id[name].response]:
        raise InputError(
            f"in-context example {unknown[0]} is not among the {len(pool)} training examples, or "
            "has no response",
            fix="`given` holds ids of the arm's data set (frozen/train.jsonl)",
        )
    shots = [by_id[name] for name in given]
    lengths = {prompt.id: len(prompt_tokens(prompt, tokenizer, style, shots)) for prompt in prompts}
    longest = max(lengths, key=lengths.__getitem__)
    if lengths[longest] > room:
        raise InputError(
            f"the {len(shots)} in-context examples and prompt {longest} take {lengths[longest]} "
            f"tokens, and there is room for {room}",
            fix="give shorter ones, or lower generation.decoding.max_tokens",
        )
    return shots
