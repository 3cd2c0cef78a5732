"""One job answers with the models of all epochs that are to be judged, and repeats none of them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from response_jobs import response_job
from transformers import AutoModelForCausalLM

from limaflow.errors import InputError
from limaflow.generation import respond as respond_module
from limaflow.generation.respond import ResponseJob, respond, respond_with_epochs
from limaflow.generation.settings import Decoding
from limaflow.jsonl import read_records, write_json, write_records
from limaflow.manifests import checksums
from limaflow.records import Example, Message, ModelManifest, Response, example_id
from limaflow.training.manifest import TrainedEpoch, TrainingManifest

DECODING = Decoding(top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=16, samples=1)
PROMPTS = 6


@pytest.fixture
def training(tiny_base: Path, tmp_path: Path) -> Path:
    """A finished run of 4 epochs, each with weights of its own; the last was not exported."""
    epochs = []
    for epoch in (1, 2, 3, 4):
        folder = tmp_path / f"runs/x/exports/epoch-{epoch}"
        if epoch < 4:
            shutil.copytree(tiny_base.parent / "model", folder / "model")
            model = AutoModelForCausalLM.from_pretrained(folder / "model")
            with torch.no_grad():
                model.lm_head.weight *= 1.0 + 0.5 * epoch
            model.save_pretrained(folder / "model")
            manifest = ModelManifest(model="m", path="model", sha256=checksums(folder / "model"))
            write_json(folder / "model.json", manifest)
        path = str((folder / "model.json").relative_to(tmp_path)) if epoch < 4 else None
        epochs.append(TrainedEpoch(epoch=epoch, train_loss=1.0, dev_perplexity=2.0, model=path))
    run = TrainingManifest(arm="lima", identity="x", epochs=tuple(epochs), log="runs/x/log.csv")
    write_json(tmp_path / "training.json", run)
    return tmp_path / "training.json"


@pytest.fixture
def job(training: Path, tmp_path: Path) -> ResponseJob:
    turns = [(Message(role="user", content=f"What of {n} goats?"),) for n in range(PROMPTS)]
    write_records(
        tmp_path / "prompts.jsonl",
        [Example(id=example_id(t), messages=t, source="t", split="dev") for t in turns],
    )
    return response_job(
        training,
        tmp_path / "prompts.jsonl",
        tmp_path / "dev" / "lima.jsonl",
        name="lima",
        decoding=DECODING,
        batch=4,
    )


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were asked anything, in order."""
    asked: list[str] = []
    answer = respond_module._answer

    def noted(job: ResponseJob, *rest: Any) -> None:
        asked.append(job.name)
        answer(job, *rest)

    monkeypatch.setattr(respond_module, "_answer", noted)
    return asked


def test_each_epoch_answers_as_it_would_alone_and_all_stand_in_one_file_in_order(
    job: ResponseJob, tmp_path: Path
) -> None:
    assert respond_with_epochs(job, (3, 1))[0] == 2 * 2 * PROMPTS
    together = list(read_records(job.output, Response))
    alone = []
    for epoch in (1, 3):
        model = job.model.parent / f"runs/x/exports/epoch-{epoch}/model.json"
        one = replace(job, model=model, name=f"lima@epoch-{epoch}", output=tmp_path / "alone.jsonl")
        respond(one)
        alone += list(read_records(tmp_path / "alone.jsonl", Response))
    assert together == alone
    assert Counter(r.model for r in together) == {"lima@epoch-1": 12, "lima@epoch-3": 12}
    texts = [{(r.prompt_id, r.sample): r.text for r in together if r.model == m} for m in
             ("lima@epoch-1", "lima@epoch-3")]  # fmt: skip
    assert texts[0] != texts[1]


def test_one_more_epoch_answers_that_one_only(job: ResponseJob, answering: list[str]) -> None:
    respond_with_epochs(job, (1, 2))
    # The workflow deletes an output before it repeats the job.
    job.output.unlink()
    respond_with_epochs(job, (1, 2, 3))
    assert answering == ["lima@epoch-1", "lima@epoch-2", "lima@epoch-3"]
    respond_with_epochs(job, (2,))
    assert len(answering) == 3
    assert {r.model for r in read_records(job.output, Response)} == {"lima@epoch-2"}


def test_a_fault_of_one_epoch_repeats_no_other(job: ResponseJob, answering: list[str]) -> None:
    weights = job.model.parent / "runs/x/exports/epoch-2/model/config.json"
    sound = weights.read_text()
    weights.write_text("{")
    with pytest.raises(InputError, match="no causal language model"):
        respond_with_epochs(job, (1, 2, 3))
    assert not job.output.exists()
    weights.write_text(sound)
    respond_with_epochs(job, (1, 2, 3))
    assert Counter(answering) == {"lima@epoch-1": 1, "lima@epoch-2": 2, "lima@epoch-3": 1}


def test_other_weights_of_an_epoch_are_asked_anew(job: ResponseJob, answering: list[str]) -> None:
    respond_with_epochs(job, (1, 2))
    folder = job.model.parent / "runs/x/exports/epoch-2"
    shutil.copytree(
        job.model.parent / "runs/x/exports/epoch-3/model", folder / "model", dirs_exist_ok=True
    )
    manifest = ModelManifest(model="m", path="model", sha256=checksums(folder / "model"))
    write_json(folder / "model.json", manifest)
    respond_with_epochs(job, (1, 2))
    assert answering == ["lima@epoch-1", "lima@epoch-2", "lima@epoch-2"]


def test_an_epoch_that_was_not_exported_is_named_before_anything_is_answered(
    job: ResponseJob, answering: list[str]
) -> None:
    with pytest.raises(InputError, match=r"epoch 4 was not exported; there are \[1, 2, 3\]"):
        respond_with_epochs(job, (1, 4))
    assert answering == []


@pytest.mark.slow
def test_killed_in_its_second_epoch_it_goes_on_there(job: ResponseJob) -> None:
    long = replace(job, decoding=DECODING.model_copy(update={"max_tokens": 80}), samples=6)
    respond_with_epochs(long, (1, 2))
    expected = long.output.read_bytes()
    output = long.output.parent.parent / "killed" / "lima.jsonl"
    command = [
        str(Path(sys.executable).with_name("limaflow")), "generate", "respond",
        "--model", str(long.model), "--epochs", "[1, 2]", "--name", "lima", "--format", "raw",
        "--prompts", str(long.prompts), "--decoding", long.decoding.flag(), "--samples", "6",
        "--seed", "7", "--batch", "2", "--precision", "fp32", "--max-length-share", "1",
        "--output", str(output),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(command, env=environment)
    kept: list[int] = []
    # All of the first epoch and some of the second.
    while len(kept) < 2 or max(kept) < 6 * PROMPTS or min(kept) < 5:
        assert run.poll() is None
        time.sleep(0.01)
        kept = [len(f.read_text().splitlines()) for f in output.parent.glob(".epochs/lima/*")]
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not output.exists()
    done = sum(len(f.read_text().splitlines()) for f in output.parent.glob(".epochs/lima/*"))
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"| {done - 6 * PROMPTS}/{6 * PROMPTS} " in again.stderr
    assert "lima@epoch-1" not in again.stderr
    assert output.read_bytes() == expected
