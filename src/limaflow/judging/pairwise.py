"""Pairwise verdicts: which of two responses to one prompt is significantly better, or neither.

Three choices as in the paper's preference study (Zhou et al. 2023, sec. 4.1). Judges favour a
position (Wang et al. 2023, 2305.17926), so each pair is shown in both orders; `limaflow judge
summarize` merges the two verdicts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from limaflow.endpoints.client import Ask
from limaflow.endpoints.session import Question
from limaflow.errors import InputError
from limaflow.judging.instrument import Instrument, delimited
from limaflow.judging.response_index import by_prompt_and_sample, model_of, named
from limaflow.records import Choice, Example, Response, Verdict
from limaflow.seeds import generator_for

_CHOICES: dict[int, Choice] = {1: "first", -1: "second", 0: "tie"}
"""Value of an instrument's word → the choice."""
VALUES = {choice: value for value, choice in _CHOICES.items()}


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt in the order in which the judge sees them."""

    prompt: Example
    first: Response
    second: Response

    def question(self, instrument: Instrument) -> Question:
        """The message that shows this pair."""
        text = instrument.render(
            question=delimited(self.prompt), answer_1=self.first.text, answer_2=self.second.text
        )
        return Question(text, instrument.key, tuple(instrument.head.words))


def pairs(
    prompts: Sequence[Example],
    first: Sequence[Response],
    second: Sequence[Response],
    *,
    orders: Literal["both", "one"],
    seed: int,
) -> list[Pair]:
    """Every prompt and sample as one pair in each order, or in one order drawn by `seed`.

    Equal responses are shown as well: a preference between equal texts shows a bias of the judge.

    Raises:
        InputError: a file holds several models, both hold the same one, a prompt has no response,
            a response has no counterpart or answers no prompt.
    """
    one, other = model_of(first), model_of(second)
    if one == other:
        raise InputError(f"both files hold responses of '{one}'; a comparison needs two models")
    ours, theirs = (by_prompt_and_sample(prompts, responses) for responses in (first, second))
    for model, missing in ((one, theirs.keys() - ours), (other, ours.keys() - theirs)):
        if missing:
            raise InputError(f"'{model}' has no counterpart for {named(missing)}")
    return list(_ordered(prompts, ours, theirs, orders, seed))


def _ordered(
    prompts: Sequence[Example],
    ours: dict[tuple[str, int], Response],
    theirs: dict[tuple[str, int], Response],
    orders: Literal["both", "one"],
    seed: int,
) -> Iterator[Pair]:
    asked = {prompt.id: prompt for prompt in prompts}
    for prompt_id, sample in sorted(ours):
        prompt = asked[prompt_id]
        straight = Pair(prompt, ours[prompt_id, sample], theirs[prompt_id, sample])
        swapped = Pair(prompt, straight.second, straight.first)
        if orders == "both":
            yield from (straight, swapped)
        else:
            yield generator_for(seed, "order", prompt_id, sample).choice((straight, swapped))


def choice_of_value(value: int) -> Choice:
    """The choice that a word of this value makes."""
    return _CHOICES[value]


def choice_of(reply: str, instrument: Instrument) -> Choice | None:
    """The choice that a reply ends with (`Instrument.value_of`), or None."""
    value = instrument.value_of(reply)
    return None if value is None else choice_of_value(value)


def verdicts(
    shown: Sequence[Pair],
    instrument: Instrument,
    annotator: str,
    ask: Ask,
) -> list[Verdict]:
    """One verdict for each pair, sorted by prompt, sample and the model shown first."""

    def is_choice(reply: str) -> bool:
        return choice_of(reply, instrument) is not None

    answers = ask([pair.question(instrument) for pair in shown], is_choice)
    judged = [
        Verdict(
            prompt_id=pair.prompt.id,
            sample=pair.first.sample,
            first=pair.first.model,
            second=pair.second.model,
            first_response_id=pair.first.id,
            second_response_id=pair.second.id,
            choice=choice_of(answer.reply, instrument) if answer.error is None else None,
            **answer.judgment_fields(annotator, instrument.hash),
        )
        for pair, answer in zip(shown, answers, strict=True)
    ]
    return sorted(judged, key=lambda v: (v.prompt_id, v.sample, v.first))
