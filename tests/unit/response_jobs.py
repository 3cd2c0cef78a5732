"""Prompts and jobs of answering, as small as a test of them needs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from limaflow.generation.respond import ResponseJob
from limaflow.generation.settings import Decoding
from limaflow.jsonl import write_records
from limaflow.records import Example, Message, example_id

PAPER = Decoding(top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=24, samples=1)


def asking(text: str) -> Example:
    messages = (Message(role="user", content=text),)
    return Example(id=example_id(messages), messages=messages, source="test", split="test")


def twelve_prompts(path: Path) -> Path:
    """Prompts of different lengths, written to `path`."""
    write_records(path, [asking("What happens in " + "Arlo " * n + "?") for n in range(1, 13)])
    return path


def response_job(model: Path, prompts: Path, output: Path, **changes: Any) -> ResponseJob:
    """Two responses to each prompt as it is, on the CPU."""
    plain = ResponseJob(
        model=model,
        name="base",
        style="raw",
        examples=None,
        shots=3,
        prompts=prompts,
        decoding=PAPER,
        samples=2,
        seed=7,
        batch=8,
        precision="fp32",
        engine="transformers",
        vllm="vllm",
        max_length_share=1.0,
        output=output,
    )
    return replace(plain, **changes)
