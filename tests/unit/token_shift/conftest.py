"""Jobs of token shift on a tiny Llama."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from response_jobs import twelve_prompts
from shifted_models import PAPER

from limaflow.token_shift.measurement import Reference, ShiftJob


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """12 prompts of different lengths."""
    return twelve_prompts(tmp_path / "prompts.jsonl")


@pytest.fixture
def job_of(tiny_base: Path, prompts: Path, tmp_path: Path) -> Callable[..., ShiftJob]:
    """A job of the tiny base beside itself, changed in places."""

    def job(**changes: object) -> ShiftJob:
        plain = ShiftJob(
            model=str(tiny_base),
            name="tuned",
            style="raw",
            references=[Reference(name="base", role="base", model=str(tiny_base))],
            prompts=prompts,
            responses=100,
            decoding=PAPER,
            seed=7,
            batch=5,
            drawn_at_once=8,
            precision="fp32",
            gpus=1,
            output=tmp_path / "shifted.jsonl",
        )
        return replace(plain, **changes)

    return job
