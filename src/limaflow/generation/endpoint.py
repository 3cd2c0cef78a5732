"""Responses of a model behind an OpenAI-compatible endpoint: the paper's baselines.

An endpoint gets temperature, top-p, the length limit and a seed, but cannot promise that the same
request gives the same text, nor knows the repetition penalty: the records say so.
"""

import asyncio
import os
from pathlib import Path

import openai
from tqdm import tqdm

from limaflow import fingerprint
from limaflow.config import Decoding, EndpointArm
from limaflow.errors import InputError
from limaflow.generation.partial import Partial
from limaflow.generation.prompts import read_prompts
from limaflow.manifests import sha256_of
from limaflow.records import Example, Response
from limaflow.seeds import digest, seed_for

RETRIES = 5
"""Tries after the first that the SDK makes on 408, 409, 429, 5xx and lost connections."""


def ask(
    endpoint: EndpointArm,
    prompts: Path,
    *,
    decoding: Decoding,
    samples: int,
    seed: int,
    concurrency: int,
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
    asked = endpoint.model_dump(mode="json", exclude={"key_env"})
    partial = Partial(output, digest(asked, sha256_of(prompts), settings, seed, code))
    wanted = {(example.id, sample) for example in examples for sample in range(samples)}
    todo = [(e, s) for e in examples for s in range(samples) if (e.id, s) not in partial.done]

    async def answer_all() -> None:
        limit, failed = asyncio.Semaphore(concurrency), asyncio.Event()
        bar = tqdm(total=len(wanted), initial=len(partial.done), desc=endpoint.name)
        async with openai.AsyncOpenAI(
            api_key=key, base_url=endpoint.base_url, max_retries=RETRIES
        ) as client:

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
            messages=[{"role": "user", "content": example.prompt}],
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            max_tokens=decoding.max_tokens,
            # The protocol's seeds are 32 bits wide.
            seed=seed_for(seed, "decoding", example.id, sample) % 2**31,
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
            "repetition_penalty": None,
            "seed": seed,
            "engine": "openai",
            "answered_by": f"{reply.model} {reply.system_fingerprint or ''}".strip(),
            "reproducible": False,
        },
    )
