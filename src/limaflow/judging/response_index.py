"""Responses laid beside the prompts they answer, with nothing missing and nothing left over."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from limaflow.errors import InputError
from limaflow.judging.instrument import Instrument
from limaflow.records import Example, Response
from limaflow.tags import has_label

SHOWN_IDS = 5


def concerned(
    instrument: Instrument,
    prompts: Sequence[Example],
    responses: Sequence[Sequence[Response]],
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> tuple[list[Example], list[list[Response]]]:
    """The prompts that an instrument asks about, and the responses without those to the others.

    Args:
        only: tags or labels of which a prompt must have one; none: any prompt.
        without: tags or labels of which it must have none.
    """
    asked = [
        prompt
        for prompt in prompts
        if instrument.asks_about(prompt)
        and (not only or any(has_label(prompt.tags, label) for label in only))
        and not any(has_label(prompt.tags, label) for label in without)
    ]
    left_out = {prompt.id for prompt in prompts} - {prompt.id for prompt in asked}
    return asked, [[r for r in of_file if r.prompt_id not in left_out] for of_file in responses]


def model_of(responses: Sequence[Response]) -> str:
    """The one model that gave all `responses`.

    Raises:
        InputError: there are none, or they are of several models.
    """
    models = sorted({response.model for response in responses})
    if len(models) != 1:
        held = "no responses" if not models else f"responses of several models: {models}"
        raise InputError(f"a file to judge must hold one model's responses; it holds {held}")
    return models[0]


def by_model(responses: Sequence[Response]) -> list[list[Response]]:
    """The responses of each model, by its name.

    Raises:
        InputError: there are none.
    """
    if not responses:
        model_of(responses)
    found: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        found[response.model].append(response)
    return [of_model for _, of_model in sorted(found.items())]


def by_prompt_and_sample(
    prompts: Sequence[Example], responses: Sequence[Response]
) -> dict[tuple[str, int], Response]:
    """(prompt id, sample) → response.

    Raises:
        InputError: a prompt has no response, a response no prompt, or one sample stands twice.
    """
    found: dict[tuple[str, int], Response] = {}
    model = model_of(responses)
    for response in responses:
        place = (response.prompt_id, response.sample)
        if place in found:
            raise InputError(f"'{model}' has two responses for {named([place])}")
        found[place] = response
    asked = {prompt.id for prompt in prompts}
    answered = {prompt_id for prompt_id, _ in found}
    if unanswered := asked - answered:
        raise InputError(f"'{model}' has no response to {named((i, 0) for i in unanswered)}")
    if unknown := answered - asked:
        raise InputError(
            f"'{model}' answers what is not among the prompts: {named((i, 0) for i in unknown)}"
        )
    return found


def named(places: Iterable[tuple[str, int]]) -> str:
    """Some prompts and samples by id, for an error: the first few and the number of the rest."""
    ordered = sorted(places)
    shown = [f"{i} (sample {n})" if n else i for i, n in ordered[:SHOWN_IDS]]
    rest = len(ordered) - len(shown)
    noun = "prompt" if len(ordered) == 1 else "prompts"
    return f"{noun} {', '.join(shown)}" + (f" and {rest} more" if rest else "")
