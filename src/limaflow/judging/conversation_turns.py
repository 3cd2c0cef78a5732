"""Recorded conversations as prompts and responses, so that each turn of a model can be judged.

The paper's dialogues (Zhou et al. 2023, sec. 6, Figure 7) were graded turn by turn: a turn is a
response to all turns before it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from limaflow.errors import InputError
from limaflow.records import Example, Message, Response, example_id


@dataclass(frozen=True, kw_only=True)
class Chat:
    """One conversation in the `messages` convention; more keys may stand."""

    messages: tuple[Message, ...]


def turns(chats: Sequence[Chat], model: str) -> tuple[list[Example], list[Response]]:
    """Every assistant turn as a response of `model`, and as its prompt the turns before it.

    Where two chats begin alike, their replies are samples of one prompt.

    Raises:
        InputError: there is no assistant turn, or one follows no user turn.
    """
    prompts: dict[str, Example] = {}
    responses: list[Response] = []
    samples: Counter[str] = Counter()
    for number, chat in enumerate(chats, start=1):
        for place, turn in enumerate(chat.messages):
            if turn.role != "assistant":
                continue
            before = chat.messages[:place]
            if not before or before[-1].role != "user":
                raise InputError(f"conversation {number}: turn {place + 1} answers no user turn")
            prompt = Example(id=example_id(before), messages=before, source="chats", split="test")
            prompts[prompt.id] = prompt
            responses.append(
                Response(
                    prompt_id=prompt.id,
                    model=model,
                    sample=samples[prompt.id],
                    text=turn.content,
                    tokens=0,
                    finish_reason="stop",
                    decoding={"engine": "recorded"},
                )
            )
            samples[prompt.id] += 1
    if not responses:
        raise InputError("no conversation holds an assistant turn")
    return list(prompts.values()), responses
