"""Dialogues by script: to each of the user's turns an arm answers after its own earlier answers.

All dialogues go on together, turn by turn, so that a turn is one batch of prompts like any other.
Its prompts and responses stay in a folder beside the output: the prompts hold all that was said
before, so that a killed run goes on with the turn at which it was killed.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limaflow.dialogue.scripts import Script
from limaflow.dialogue.turns import place_of, turn_id
from limaflow.endpoints.settings import Budget
from limaflow.generation import served
from limaflow.generation.ask_endpoint import ask as ask_endpoint
from limaflow.generation.prompting import NoRoom, encoded
from limaflow.generation.respond import ResponseJob, respond, shots_of
from limaflow.generation.settings import AskedEndpoint, Decoding
from limaflow.jsonl import read_records, write_json, write_records
from limaflow.manifests import read_manifest
from limaflow.prompt_tags import Tags
from limaflow.records import Example, Message, Response

Answer = Callable[[list[Example], Path, Path], None]
"""Answers the prompts, which are in the first file, into the second."""
Room = Callable[[list[Example]], list[Example]]
"""Those of the prompts that a model has room to answer."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What became of the dialogues of one arm."""

    prompts: list[Example]
    """One for each turn that was answered: all that was said before it."""
    responses: list[Response]
    cut: dict[str, int]
    """Script → the turn for which the model's context had no room, where there is one."""


def hold(scripts: Sequence[Script], answer: Answer, room: Room, folder: Path) -> Held:
    """The dialogues of all scripts; what each turn was asked and answered stays in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {script.id: _opening(script) for script in scripts}
    held = Held(prompts=[], responses=[], cut={})
    for turn in range(1, max(len(script.turns) for script in scripts) + 1):
        going = [s for s in scripts if len(s.turns) >= turn and s.id not in held.cut]
        asked = [_prompt(script, turn, said[script.id]) for script in going]
        with_room = room(asked)
        left = {prompt.id for prompt in asked} - {prompt.id for prompt in with_room}
        held.cut.update(place_of(prompt_id) for prompt_id in sorted(left))
        if not with_room:
            continue
        prompts, output = folder / f"turn-{turn}.prompts.jsonl", folder / f"turn-{turn}.jsonl"
        write_records(prompts, with_room)
        answer(with_room, prompts, output)
        responses = {r.prompt_id: r for r in read_records(output, Response)}
        for prompt in with_room:
            reply = Message(role="assistant", content=responses[prompt.id].text)
            said[place_of(prompt.id)[0]] = (*prompt.messages, reply)
        held.prompts.extend(with_room)
        held.responses.extend(responses[prompt.id] for prompt in with_room)
    return held


def _opening(script: Script) -> tuple[Message, ...]:
    return (Message(role="system", content=script.system),) if script.system else ()


def _prompt(script: Script, turn: int, said: tuple[Message, ...]) -> Example:
    asks = Message(role="user", content=script.turns[turn - 1])
    return Example(
        id=turn_id(script.id, turn),
        messages=(*said, asks),
        source="dialogues",
        split="test",
        kind="dialogue",
        stratum=script.task,
        tags=Tags(format=(script.constraint,)) if script.constraint else None,
    )


def hold_here(job: ResponseJob, scripts: Sequence[Script], folder: Path) -> Held:
    """The dialogues of a model that runs here.

    Args:
        job: how it answers; its prompts are those that its shots must fit before, and its number
            of samples does not count.

    Raises:
        InputError: a model that cannot be used, or too many responses cut off by length.
    """
    manifest, location = read_manifest(job.model)
    model = served.load(location, manifest.revision)
    shots = shots_of(job, model.tokenizer, model.context)

    def room(prompts: list[Example]) -> list[Example]:
        return [prompt for prompt in prompts if fits(prompt)]

    def fits(prompt: Example) -> bool:
        try:
            encoded([prompt], model.tokenizer, job.style, shots=shots, context=model.context)
        except NoRoom:
            return False
        return True

    def answer(prompts: list[Example], asked: Path, output: Path) -> None:
        respond(replace(job, prompts=asked, output=output, samples=1, fit_before=job.prompts))

    return hold(scripts, answer, room, folder)


def hold_at_endpoint(
    endpoint: AskedEndpoint,
    scripts: Sequence[Script],
    folder: Path,
    *,
    decoding: Decoding,
    seed: int,
    store: Path,
    run: str,
    budget: Budget,
) -> Held:
    """The dialogues of a model behind an endpoint, which itself says when its context is full.

    Raises:
        BudgetReached: the run's budget would be passed.
        InputError: no key in the environment, or a request that failed for good.
    """

    def answer(prompts: list[Example], asked: Path, output: Path) -> None:
        ask_endpoint(
            endpoint,
            asked,
            decoding=decoding,
            samples=1,
            seed=seed,
            store=store,
            run=run,
            budget=budget,
            output=output,
        )

    return hold(scripts, answer, lambda prompts: prompts, folder)


def write(held: Held, prompts: Path, responses: Path, cut: Path) -> None:
    """Write the turns as prompts and responses, and which dialogues ended for want of room."""
    write_records(prompts, held.prompts, key=lambda prompt: prompt.id)
    write_records(responses, held.responses, key=lambda response: response.prompt_id)
    write_json(cut, held.cut)
    for script, turn in sorted(held.cut.items()):
        print(
            f"{script}: ended before turn {turn}, for which the context has no room",
            file=sys.stderr,
        )
