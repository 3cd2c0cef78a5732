"""Whatever the architecture, padding is left out of an answer, or prompts are answered alone."""

import json
from pathlib import Path

import pytest
import torch
from architectures import ARCHITECTURES, tiny_model, written
from response_jobs import response_job

from limaflow.generation.padding import keeps_padding_out
from limaflow.generation.respond import respond
from limaflow.generation.settings import Decoding
from limaflow.jsonl import write_records
from limaflow.lm_evaluation.model import load_model
from limaflow.records import Example, Message, example_id

READS_PADDING = {"recurrent-gemma"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_models_that_read_padding_are_recognised(name: str, dtype: torch.dtype) -> None:
    model = tiny_model(name, 300).to(dtype).eval()
    assert keeps_padding_out(model).holds == (name not in READS_PADDING)


def test_such_a_model_answers_one_prompt_at_a_time(
    tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = written("recurrent-gemma", tmp_path / "model", like=tiny_base.parent / "model")
    turns = [(Message(role="user", content="What happens in " + "Arlo " * n),) for n in range(4)]
    prompts = tmp_path / "prompts.jsonl"
    write_records(
        prompts,
        [Example(id=example_id(t), messages=t, source="test", split="test") for t in turns],
    )

    def answers(batch: int) -> list[str]:
        output = tmp_path / f"{batch}.jsonl"
        job = response_job(
            model,
            prompts,
            output,
            name="m",
            decoding=Decoding(
                top_p=1.0, temperature=0.0, repetition_penalty=1.0, max_tokens=6, samples=1
            ),
            samples=1,
            seed=1,
            batch=batch,
        )
        respond(job)
        return [json.loads(line)["text"] for line in output.read_text().splitlines()]

    assert answers(4) == answers(1)
    assert "1 response at a time" in capsys.readouterr().err


def test_lm_eval_asks_such_a_model_one_item_at_a_time(tmp_path: Path, tiny_base: Path) -> None:
    model = written("recurrent-gemma", tmp_path / "model", like=tiny_base.parent / "model")
    assert load_model(model, precision="fp32", batch=4).batch_size == 1
    assert load_model(tiny_base, precision="fp32", batch=4).batch_size == 4
