"""Whole dialogues: one arm's answers to a script with the user's turns between them, as one text.

A dialogue becomes a response to its script (`judging/transcripts.py` has the form), so that two
arms' dialogues of one script are compared, drawn into packets and summarised as any two responses
are, and intervals are over scripts.
"""

from collections import defaultdict
from collections.abc import Sequence

from limaflow.dialogue.scripts import Script
from limaflow.dialogue.turns import place_of, turn_id
from limaflow.errors import InputError, listed
from limaflow.judging.transcripts import transcript, turns_in
from limaflow.records import Example, Message, Response


def script_prompt(script: Script) -> Example:
    """A script as the prompt that a whole dialogue is a response to: the user's turns alone."""
    return Example(
        id=script.id,
        messages=(*_system(script), *(Message(role="user", content=t) for t in script.turns)),
        source="dialogues",
        split="test",
        kind="dialogue",
        stratum=script.task,
    )


def wholes(scripts: Sequence[Script], responses: Sequence[Response]) -> list[Response]:
    """The dialogue of each script, sorted by its id; up to the last turn that was answered.

    Raises:
        InputError: the responses are of several arms, one answers no turn of the scripts, or a
            turn before the last answered one has none.
    """
    arms = sorted({response.model for response in responses})
    if len(arms) != 1:
        raise InputError(f"dialogues of one arm are needed, and these are of {listed(arms)}")
    answers: dict[str, dict[int, Response]] = defaultdict(dict)
    known = {script.id: len(script.turns) for script in scripts}
    for response in responses:
        name, turn = _place(response)
        if not 1 <= turn <= known.get(name, 0):
            raise InputError(
                f"'{arms[0]}' answers {response.prompt_id}, which is no turn of the scripts",
                fix="give all files of scripts by which the dialogues were held",
            )
        answers[name][turn] = response
    return [_whole(script, answers[script.id], arms[0]) for script in scripts]


def turn_responses(whole: Response) -> list[Response]:
    """The assistant's turns of a whole dialogue, each as the response that it was."""
    said = [turn.content for turn in turns_in(whole.text) if turn.role == "assistant"]
    return [
        Response(
            prompt_id=turn_id(whole.prompt_id, number),
            model=whole.model,
            sample=whole.sample,
            text=text,
            tokens=0,
            finish_reason="stop",
        )
        for number, text in enumerate(said, start=1)
    ]


def _place(response: Response) -> tuple[str, int]:
    try:
        return place_of(response.prompt_id)
    except ValueError as error:
        raise InputError(
            str(error), fix="give the responses.jsonl that `limaflow dialogue` wrote"
        ) from None


def _whole(script: Script, answers: dict[int, Response], arm: str) -> Response:
    missing = [n for n in range(1, max(answers, default=0) + 1) if n not in answers]
    if missing:
        raise InputError(f"'{arm}' has no answer to {turn_id(script.id, missing[0])}")
    turns = list(_system(script))
    for number in sorted(answers):
        turns.append(Message(role="user", content=script.turns[number - 1]))
        turns.append(Message(role="assistant", content=answers[number].text))
    ordered = [answers[number] for number in sorted(answers)]
    return Response(
        prompt_id=script.id,
        model=arm,
        sample=0,
        text=transcript(turns),
        tokens=sum(answer.tokens for answer in ordered),
        finish_reason="stop"
        if len(ordered) == len(script.turns) and ordered[-1].finish_reason == "stop"
        else "length",
        decoding=ordered[-1].decoding if ordered else {},
    )


def _system(script: Script) -> tuple[Message, ...]:
    return (Message(role="system", content=script.system),) if script.system else ()
