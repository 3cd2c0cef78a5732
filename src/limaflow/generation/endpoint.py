"""Responses of a model behind an OpenAI-compatible endpoint: the paper's baselines.

An endpoint gets temperature, top-p, the length limit and a seed, and whatever else the arm's
`extra_body` holds. The protocol knows no repetition penalty and nobody promises that one request
gives one text twice: the records say what was sent.
"""

import asyncio
import os
from pathlib import Path
from typing import cast

import openai
from openai.types.chat import ChatCompletionMessageParam
from tqdm import tqdm

from limaflow import fingerprint
from limaflow.config import Decoding, EndpointArm
from limaflow.connection import connected
from limaflow.errors import InputError
from limaflow.generation.partial import Partial
from limaflow.generation.prompts import read_prompts
from limaflow.manifests import sha256_of
from limaflow.records import Example, Response, asked_turns
from limaflow.seeds import digest, seed_for


def ask(
    endpoint: EndpointArm,
    prompts: Path,
    *,
    decoding: Decoding,
    samples: int,
    seed: int,
    output: Path,
) -> tuple[int, float]:
    """Write the responses and return their number and the share cut off by length.

    Raises:
        InputError: no key in the environment, or a request that failed for good; what has been
            answered is kept for the next run.
    """
    key = os.environ.get(endpoint.key_env)
    if not key:
        raise InputError(
            f"the environment variable {endpoint.key_env} with the key of arm "
            f"'{endpoint.name}' is not set"
        )
    examples = read_prompts(prompts)
    settings = decoding.model_dump(mode="json", exclude={"samples"})
    code = fingerprint.of("limaflow.generation.cli", "ask")
    pace = {"key_env", "concurrency", "timeout_seconds"}
    asked = endpoint.model_dump(mode="json", exclude=pace)
    partial = Partial(output, digest(asked, sha256_of(prompts), settings, seed, code))
    wanted = {(example.id, sample) for example in examples for sample in range(samples)}
    todo = [(e, s) for e in examples for s in range(samples) if (e.id, s) not in partial.done]

    async def answer_all() -> None:
        limit, failed = asyncio.Semaphore(endpoint.concurrency), asyncio.Event()
        bar = tqdm(total=len(wanted), initial=len(partial.done), desc=endpoint.name)
        async with connected(endpoint.base_url, key, timeout=endpoint.timeout_seconds) as client:

            async def one(example: Example, sample: int) -> None:
                async with limit:
                    # Cancelling comes a moment after a failure: none may begin in between.
                    if failed.is_set():
                        return
                    try:
                        answer = await _one(
                            client, endpoint, example, sample, decoding=decoding, seed=seed
                        )
                    except InputError:
                        failed.set()
                        raise
                    partial.add(answer)
                    bar.update()

            try:
                async with asyncio.TaskGroup() as group:
                    for example, sample in todo:
                        group.create_task(one(example, sample))
            except* InputError as group_of_errors:
                raise group_of_errors.exceptions[0] from None
            finally:
                bar.close()

    asyncio.run(answer_all())
    return len(wanted), partial.publish(wanted)


async def _one(
    client: openai.AsyncOpenAI,
    endpoint: EndpointArm,
    example: Example,
    sample: int,
    *,
    decoding: Decoding,
    seed: int,
) -> Response:
    try:
        reply = await client.chat.completions.create(
            model=endpoint.model,
            messages=[
                cast(ChatCompletionMessageParam, {"role": turn.role, "content": turn.content})
                for turn in asked_turns(example)
            ],
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            max_tokens=decoding.max_tokens,
            # The protocol's seeds are 32 bits wide.
            seed=seed_for(seed, "decoding", example.id, sample) % 2**31,
            extra_body=endpoint.extra_body or None,
        )
    except openai.OpenAIError as error:
        raise InputError(
            f"arm '{endpoint.name}' did not answer prompt {example.id}: {error}",
            fix="what has been answered is kept; run it again",
        ) from None
    if not reply.choices:
        raise InputError(f"arm '{endpoint.name}' answered prompt {example.id} with no choice")
    choice = reply.choices[0]
    return Response(
        prompt_id=example.id,
        model=endpoint.name,
        sample=sample,
        text=(choice.message.content or "").strip(),
        tokens=reply.usage.completion_tokens if reply.usage else 0,
        finish_reason="length" if choice.finish_reason == "length" else "stop",
        decoding={
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "max_tokens": decoding.max_tokens,
            # What the arm's extra_body does not send, the endpoint does not do.
            "repetition_penalty": endpoint.extra_body.get("repetition_penalty"),
            "extra_body": endpoint.extra_body,
            "seed": seed,
            "engine": "openai",
            "answered_by": f"{reply.model} {reply.system_fingerprint or ''}".strip(),
            "reproducible": False,
        },
    )
