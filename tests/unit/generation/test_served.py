"""A model decoded by a vLLM server: here a stand-in that speaks its protocol."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from response_jobs import PAPER, response_job
from transformers import AutoTokenizer

from limaflow.errors import InputError
from limaflow.generation.respond import ResponseJob, respond
from limaflow.jsonl import read_records, write_records
from limaflow.records import Example, Message, Response, example_id

STAND_IN = Path(__file__).with_name("vllm_stand_in.py")


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What the server was asked."""
    path = tmp_path / "notes"
    path.touch()
    monkeypatch.setenv("STAND_IN_NOTES", str(path))
    return lambda: [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def job_of(tiny_base: Path, tmp_path: Path) -> Callable[..., ResponseJob]:
    turns = [(Message(role="user", content=f"What of {n} goats?"),) for n in range(6)]
    prompts = [
        Example(id=example_id(turn), messages=turn, source="t", split="test") for turn in turns
    ]
    write_records(tmp_path / "prompts.jsonl", prompts)
    executable = tmp_path / "vllm"
    executable.write_text(f"#!{sys.executable}\n{STAND_IN.read_text()}")
    executable.chmod(0o755)

    def job(vllm: str = str(executable)) -> ResponseJob:
        return response_job(
            tiny_base,
            tmp_path / "prompts.jsonl",
            tmp_path / "responses.jsonl",
            batch=4,
            engine="vllm",
            vllm=vllm,
        )

    return job


def test_it_is_asked_in_tokens_with_the_papers_decoding_and_the_records_say_what_it_cannot(
    job_of: Callable[..., ResponseJob], notes, tiny_base: Path, tmp_path: Path
) -> None:
    count, cut = respond(job_of())
    responses = list(read_records(tmp_path / "responses.jsonl", Response))
    assert (count, len(responses)) == (12, 12)
    assert cut == sum(r.finish_reason == "length" for r in responses) / 12
    told = responses[0].decoding
    assert (told["engine"], told["reproducible"]) == ("vllm", False)
    assert told["penalized"] == "prompt and response"
    asked = notes()
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    assert {tuple(body["prompt"]) for body in asked} == {
        tuple(tokenizer(f"What of {n} goats?\n")["input_ids"]) for n in range(6)
    }
    assert len({body["seed"] for body in asked}) == 12
    settings = ("temperature", "top_p", "repetition_penalty", "max_tokens", "stop_token_ids")
    assert {key: asked[0][key] for key in settings} == {
        "temperature": 0.7,
        "top_p": 0.9,
        "repetition_penalty": 1.2,
        "max_tokens": 24,
        "stop_token_ids": [tokenizer.eos_token_id],
    }
    assert not psutil.pid_exists(asked[0]["pid"]), "the server ends with the command"


def test_after_a_failure_only_what_is_missing_is_asked(
    job_of: Callable[..., ResponseJob], notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "1")
    with pytest.raises(InputError, match=r"did not answer: .*out of memory"):
        respond(job_of())
    (kept,) = tmp_path.glob(".responses.jsonl.*.kept")
    before, done = len(notes()), len(kept.read_text().splitlines())
    monkeypatch.delenv("STAND_IN_FAILS")
    assert respond(job_of())[0] == 12
    assert len(notes()) - before == 12 - done


def test_a_server_that_does_not_start_is_told_from_one_that_is_not_there(
    job_of: Callable[..., ResponseJob], notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_BREAKS", "1")
    with pytest.raises(InputError, match="ended with code 1 before it served"):
        respond(job_of())
    with pytest.raises(InputError, match=r"cannot run /no/vllm: .*envs/vllm\.yaml"):
        respond(job_of("/no/vllm"))


def test_the_server_is_started_for_what_will_be_asked(
    job_of: Callable[..., ResponseJob], notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["/elsewhere", os.environ["PATH"]]))
    respond(replace(job_of(), gpus=4))
    started = json.loads((tmp_path / "notes.started").read_text())
    options, environment = started["options"], started["environment"]
    longest = max(len(body["prompt"]) for body in notes())
    assert options["--max-model-len"] == str(longest + 24)
    assert options["--tensor-parallel-size"] == "4"
    assert environment["VLLM_USE_FLASHINFER_SAMPLER"] == "0"
    assert environment["PATH"].split(os.pathsep)[:2] == [str(tmp_path), "/elsewhere"]
    # The tiny model's context is shorter than what may be written.
    respond(replace(job_of(), decoding=PAPER.model_copy(update={"max_tokens": 5000})))
    options = json.loads((tmp_path / "notes.started").read_text())["options"]
    assert int(options["--max-model-len"]) < 5000


def test_a_server_without_a_compiler_is_not_started(
    job_of: Callable[..., ResponseJob], notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match=r"vLLM compiles kernels.*gcc or clang cannot be found"):
        respond(job_of())
    assert not (tmp_path / "notes.started").exists()


def test_an_interrupted_command_waits_for_no_reply(
    job_of: Callable[..., ResponseJob], notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAND_IN_HANGS", "1")
    job = replace(job_of(), batch=12)
    words = ["generate", "respond", "--model", job.model, "--name", "base", "--format", "raw"]
    words += ["--prompts", job.prompts, "--decoding", PAPER.flag(), "--samples", "2"]
    words += ["--seed", "7", "--batch", "12", "--engine", "vllm", "--vllm", job.vllm]
    words += ["--gpus", "0", "--max-length-share", "1", "--output", job.output]
    # A shell's background job, such as the tests may run in, ignores the signal.
    command = ["env", "--default-signal=INT", sys.executable, "-c"]
    command += ["from limaflow.cli import main; main()", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(notes()) < 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    asked = notes()
    assert len(asked) == 12, "all of them are under way at once"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=150) != 0
    assert not psutil.pid_exists(asked[0]["pid"])
