"""Whole runs under torchrun: what they leave, and that no kill changes it."""

import csv
import json
import math
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from huggingface_hub import ModelCard
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.config import Launch, Recipe
from limaflow.manifests import checksums, manifest_of_epoch, read_manifest
from limaflow.training.conversation import END_OF_TURN, IGNORED
from limaflow.training.data import dialogue_tokenizer, prepared

pytestmark = pytest.mark.slow
PATIENCE = 300
"""Seconds that any of these small runs may take on a busy machine."""


def finish(run: subprocess.Popen[str]) -> str:
    output = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode == 0, output
    return output


def wait_for_rows(folder: Path, rows: int, run: subprocess.Popen[str]) -> None:
    """Wait until the run has logged that many steps."""
    deadline = time.monotonic() + PATIENCE
    while sum(len(log.read_text().splitlines()) for log in folder.glob("runs/*/log.csv")) <= rows:
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def losses(folder: Path) -> list[tuple[str, ...]]:
    """The log without what depends on the machine."""
    training = json.loads((folder / "training.json").read_text())
    with (folder / training["log"]).open() as file:
        drop = {"tokens_per_second", "memory"}
        return [tuple(row[c] for c in row if c not in drop) for row in csv.DictReader(file)]


def test_a_run_leaves_a_model_that_others_open_and_is_recognised_when_asked_again(
    *,
    fine_tune: Callable,
    tiny_base: Path,
    tiny_examples: Path,
    recipe: Recipe,
    launch: Launch,
    tmp_path: Path,
) -> None:
    shown = finish(fine_tune(tmp_path, recipe, launch))
    assert END_OF_TURN in shown
    training = json.loads((tmp_path / "training.json").read_text())
    assert [bool(epoch["model"]) for epoch in training["epochs"]] == [True, False, True]
    assert [row[0] for row in losses(tmp_path)] == [str(step) for step in range(1, 10)]
    run_folder = tmp_path / "runs" / training["identity"]
    assert sorted(p.name for p in run_folder.glob("checkpoints/step-*")) == ["step-6", "step-9"]

    manifest, location = read_manifest(manifest_of_epoch(tmp_path / "training.json", 3))
    assert manifest.sha256 == checksums(Path(location))
    for text in Path(location).glob("*.*"):
        if text.suffix in (".json", ".md"):
            assert str(tiny_base.parent) not in text.read_text(), text
            assert str(tmp_path) not in text.read_text(), text
    card = ModelCard.load(Path(location) / "README.md")
    assert card.data.library_name == "transformers"
    for told in ("21 conversations", training["identity"], "learning_rate: 0.01", "epoch 3 of 3"):
        assert told in card.content
    tokenizer = AutoTokenizer.from_pretrained(location)
    model = AutoModelForCausalLM.from_pretrained(location)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert model.generation_config.eos_token_id == [end, tokenizer.eos_token_id]
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Yes."}]
    assert tokenizer.apply_chat_template(turns, tokenize=False) == (
        f"<s>Hi?{END_OF_TURN}Yes.{END_OF_TURN}"
    )

    # The perplexity that was logged is that of the exported weights, computed the plain way.
    losses_of_dev, tokens = 0.0, 0
    data = prepared(
        tiny_examples / "train.jsonl",
        tiny_examples / "dev.jsonl",
        dialogue_tokenizer(tiny_base)[0],
        recipe,
    )
    for example in data.dev:
        with torch.no_grad():
            logits = model(torch.tensor([example.tokens])).logits[0, :-1]
        labels = torch.tensor(example.labels)[1:]
        losses_of_dev += cross_entropy(logits, labels, reduction="sum").item()
        tokens += int((labels != IGNORED).sum())
    assert len(data.dev) == 4
    expected = math.exp(losses_of_dev / tokens)
    assert training["epochs"][2]["dev_perplexity"] == pytest.approx(expected, rel=1e-5)

    before = (tmp_path / "training.json").read_bytes()
    (tmp_path / "training.json").unlink()
    assert "step" not in finish(fine_tune(tmp_path, recipe, launch))
    assert (tmp_path / "training.json").read_bytes() == before


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_killed_and_stopped_runs_end_in_the_same_weights(
    *, zero_stage: int, fine_tune: Callable, recipe: Recipe, launch: Launch, tmp_path: Path
) -> None:
    recipe = recipe.model_copy(update={"epochs": 16, "residual_dropout": 0.2})
    launch = launch.model_copy(update={"zero_stage": zero_stage})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(fine_tune(whole, recipe, launch, exports="[16]"))

    # A checkpoint a step, so that many kills fall into the middle of a save.
    often = launch.model_copy(update={"checkpoint_every_steps": 1})
    moment = random.Random(zero_stage)
    run = fine_tune(broken, recipe, often, exports="[16]")
    wait_for_rows(broken, moment.randrange(2, 20), run)
    time.sleep(moment.random() / 10)
    workers = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert len(gone) >= 2
    assert not alive

    run = fine_tune(broken, recipe, often, exports="[16]")
    wait_for_rows(broken, moment.randrange(24, 36), run)
    run.send_signal(signal.SIGTERM)
    output = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode != 0
    assert "run it again to go on" in output

    assert "stopped" not in finish(fine_tune(broken, recipe, launch, exports="[16]"))
    assert losses(broken) == losses(whole)
    weights = [
        read_manifest(manifest_of_epoch(folder / "training.json", 16))[0].sha256
        for folder in (whole, broken)
    ]
    assert weights[0] == weights[1]


def test_another_launch_does_not_go_on_from_a_checkpoint_that_it_cannot_read(
    *, fine_tune: Callable, recipe: Recipe, launch: Launch, tmp_path: Path
) -> None:
    recipe = recipe.model_copy(update={"epochs": 60})
    run = fine_tune(tmp_path, recipe, launch)
    wait_for_rows(tmp_path, 8, run)
    run.kill()
    run.wait()
    other = fine_tune(tmp_path, recipe, launch.model_copy(update={"zero_stage": 3}))
    output = other.communicate(timeout=PATIENCE)[0]
    assert other.returncode != 0
    assert "error:" in output
    assert "2 processes at ZeRO stage 2" in output
    # torchrun shows a traceback of its own.
    assert "src/limaflow" not in output


def test_bad_input_is_one_line_before_any_work(
    *, fine_tune: Callable, recipe: Recipe, launch: Launch, tmp_path: Path
) -> None:
    run = fine_tune(
        tmp_path, recipe.model_copy(update={"max_tokens": 8, "max_trimmed_share": 1.0}), launch
    )
    output = run.communicate(timeout=PATIENCE)[0]
    assert run.returncode != 0
    assert output.count("error: ") == 1
    assert "no trained token" in output
