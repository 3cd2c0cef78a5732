"""Attacks that others recorded, with the answers: as prompts and responses of ours."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from limaflow.attacks.goals import read_goals
from limaflow.errors import InputError
from limaflow.records import Example, Response
from limaflow.sources.kinds.attack_goals import artifact_rows


class Recorded(NamedTuple):
    """What an artifact holds."""

    prompts: list[Example]
    responses: list[Response]
    without: int
    """Goals for which it has no prompt, or no answer to it."""


def read_artifact(path: Path, arm: str) -> Recorded:
    """The recorded prompts and the answers to them, as those of `arm`, by prompt.

    Raises:
        InputError: it is no artifact of JailbreakBench's form, or holds no attack.
    """
    prompts = {prompt.prompt: prompt for prompt in read_goals([path])}
    responses: list[Response] = []
    samples, without = Counter[str](), 0
    for _, row in artifact_rows(path):
        asked, said = row.get("prompt"), row.get("response")
        if asked is None or said is None:
            without += 1
            continue
        if (prompt := prompts.get(str(asked).strip())) is None:
            raise InputError("a response to a prompt that is none", path=path)
        counted = row.get("response_tokens")
        responses.append(
            Response(
                prompt_id=prompt.id,
                model=arm,
                sample=samples[prompt.id],
                text=str(said),
                tokens=counted if isinstance(counted, int) else 0,
                finish_reason="stop",
                decoding={"engine": "recorded"},
            )
        )
        samples[prompt.id] += 1
    return Recorded(sorted(prompts.values(), key=lambda prompt: prompt.id), responses, without)
