"""Responses of a model that a vLLM server decodes, started for the occasion.

vLLM lives in an environment of its own (envs/vllm.yaml) and is spoken to in tokens, so that the
three formats are the local engine's. What it cannot do is said in the records: its repetition
penalty covers the prompt too, and a response may depend on what else is in the batch. Protocol:
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import openai

from limaflow.child_processes import end_with, guarded
from limaflow.compilers import require_compiler
from limaflow.errors import InputError
from limaflow.generation.prompting import Format, Prompt, response_text
from limaflow.generation.settings import Decoding
from limaflow.seeds import seed_for
from limaflow.training.context_length import context_length
from limaflow.unreachable import no_model

MODEL = "model"
"""The name under which the server has its one model."""
START_SECONDS = 3600.0
"""Loading large weights takes long."""
STOP_SECONDS = 30.0
REPLY_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that a vLLM server holds: only its tokenizer and its limits are known here."""

    tokenizer: Any
    context: int
    stops: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One response, whichever engine gave it."""

    prompt_id: str
    sample: int
    text: str
    tokens: int
    finish_reason: Literal["stop", "length"]


def load(location: str, revision: str | None) -> ServedModel:
    """Tokenizer and limits of a model, without its weights.

    Raises:
        InputError: there is no causal language model at `location`.
    """
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(location, revision=revision)
        config: Any = transformers.AutoConfig.from_pretrained(location, revision=revision)
    except (OSError, ValueError) as error:
        raise no_model(location, error) from None
    try:
        ends = transformers.GenerationConfig.from_pretrained(location, revision=revision or "main")
        named = ends.eos_token_id
    except OSError:
        named = config.eos_token_id
    stops = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id}
    return ServedModel(
        tokenizer=tokenizer,
        context=context_length(config),
        stops=frozenset(stop for stop in stops if stop is not None),
    )


@contextlib.contextmanager
def serving(
    executable: str,
    location: str,
    revision: str | None,
    precision: Literal["fp32", "bf16"],
    *,
    gpus: int,
    longest: int,
) -> Iterator[openai.OpenAI]:
    """A client of a vLLM server that serves the model at `location` while the block runs.

    Args:
        gpus: among which each layer is divided.
        longest: tokens of the longest prompt with its response; by itself the server wants room for
            the model's whole context.

    Raises:
        InputError: the executable or a compiler is not there, or it ended before it served.
    """
    program = shutil.which(executable)
    if program is None:
        raise InputError(
            f"cannot run {executable}: there is no such program",
            fix="generation.vllm names the executable of an environment made from envs/vllm.yaml",
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    key = secrets.token_urlsafe(24)
    dtype = "bfloat16" if precision == "bf16" else "float32"
    command = [executable, "serve", location, "--served-model-name", MODEL, "--dtype", dtype]
    command += ["--host", "127.0.0.1", "--port", str(port), "--generation-config", "vllm"]
    command += ["--max-model-len", str(longest), "--tensor-parallel-size", str(gpus)]
    command += ["--revision", revision] if revision else []
    environment = _environment(program)
    require_compiler("vLLM compiles kernels (Triton)", environment["PATH"])
    this = os.getpid()
    server = subprocess.Popen(
        guarded(command, STOP_SECONDS),
        # The key stands in no list of processes.
        env={**environment, "VLLM_API_KEY": key},
        stdout=sys.stderr,
        start_new_session=True,
        preexec_fn=lambda: end_with(this),  # noqa: PLW1509 - before any thread of ours
    )
    try:
        with openai.OpenAI(
            api_key=key, base_url=f"http://127.0.0.1:{port}/v1", timeout=REPLY_SECONDS
        ) as client:
            _wait_for(server, client)
            yield client
    finally:
        server.terminate()
        server.wait()


def _environment(program: str) -> dict[str, str]:
    """Of the server: its packages and its programs (ninja, a compiler) are those beside it."""
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PATH": os.pathsep.join([str(Path(program).resolve().parent), os.environ.get("PATH", "")]),
        # FlashInfer's sampler would be compiled with nvcc at the start; requests with a seed, as
        # all of ours are, never use it.
        "VLLM_USE_FLASHINFER_SAMPLER": "0",
    }


def _wait_for(server: subprocess.Popen[bytes], client: openai.OpenAI) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise InputError(
                f"the vLLM server ended with code {server.returncode} before it served; "
                "its own messages are printed above",
                may_pass=True,
            )
        with contextlib.suppress(openai.OpenAIError):
            client.with_options(max_retries=0, timeout=5.0).models.list()
            return
        time.sleep(0.5)
    raise InputError(f"the vLLM server did not serve within {START_SECONDS:.0f} s", may_pass=True)


def respond(
    client: openai.OpenAI,
    model: ServedModel,
    wanted: Sequence[tuple[Prompt, int]],
    *,
    decoding: Decoding,
    style: Format,
    batch: int,
    seed: int,
) -> Iterator[Answered]:
    """Yield a response to each wanted (prompt, sample), `batch` of them under way at once."""

    def one(prompt: Prompt, sample: int) -> Answered:
        reply = client.completions.create(
            model=MODEL,
            prompt=list(prompt.tokens),
            max_tokens=min(decoding.max_tokens, model.context - len(prompt.tokens)),
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            seed=seed_for(seed, "decoding", prompt.id, sample) % 2**31,
            stop=["\nQuestion:"] if style == "in-context" else None,
            extra_body={
                "repetition_penalty": decoding.repetition_penalty,
                "stop_token_ids": sorted(model.stops),
                "skip_special_tokens": True,
            },
        )
        choice = reply.choices[0]
        if choice.finish_reason not in ("stop", "length"):
            # Such as a server that is being stopped: what it has is no response.
            raise openai.OpenAIError(f"the server aborted a response ({choice.finish_reason})")
        return Answered(
            prompt_id=prompt.id,
            sample=sample,
            text=response_text(prompt, choice.text, style),
            tokens=reply.usage.completion_tokens if reply.usage else 0,
            finish_reason=choice.finish_reason,
        )

    pool = ThreadPoolExecutor(batch)
    asked = [pool.submit(one, prompt, sample) for prompt, sample in wanted]
    try:
        for done in as_completed(asked):
            yield done.result()
    except openai.OpenAIError as error:
        raise InputError(
            f"the vLLM server did not answer: {error}",
            fix="what has been answered is kept; run it again",
            may_pass=True,
        ) from None
    finally:
        # Who is interrupted ends the server, which ends what is under way: nothing is waited for.
        pool.shutdown(wait=False, cancel_futures=True)
