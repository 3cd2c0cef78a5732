"""Responses laid beside the prompts they answer, with nothing missing and nothing left over."""

from collections.abc import Iterable, Sequence

from limaflow.errors import InputError
from limaflow.records import Example, Response

SHOWN_IDS = 5


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
