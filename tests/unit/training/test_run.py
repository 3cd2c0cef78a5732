"""Whole runs: what they leave, and how they end where they cannot go on."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from training_runs import fail, finish, losses, saved
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.jsonl import read_records
from limaflow.manifests import checksums, read_manifest
from limaflow.records import Example
from limaflow.training.batches import steps_of_epoch
from limaflow.training.conversation import END_OF_TURN, IGNORED
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.manifest import model_of_epoch
from limaflow.training.settings import Launch, Training

pytestmark = pytest.mark.slow


def test_a_run_leaves_a_model_that_others_open_and_is_recognised_when_asked_again(
    *,
    fine_tune: Callable,
    tiny_base: Path,
    tiny_examples: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    shown = finish(fine_tune(tmp_path, settings, launch))
    assert END_OF_TURN in shown
    training = json.loads((tmp_path / "training.json").read_text())
    assert [bool(epoch["model"]) for epoch in training["epochs"]] == [True, False, True]
    assert [row[0] for row in losses(tmp_path)] == [str(step) for step in range(1, 10)]
    run_folder = tmp_path / "runs" / training["identity"]
    assert sorted(p.name for p in run_folder.glob("checkpoints/step-*")) == ["step-6", "step-9"]

    manifest, location = read_manifest(model_of_epoch(tmp_path / "training.json", 3))
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
    assert model.generation_config.eos_token_id == [end, tokenizer.convert_tokens_to_ids("</s>")]
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
        settings,
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
    assert "step" not in finish(fine_tune(tmp_path, settings, launch))
    assert (tmp_path / "training.json").read_bytes() == before


def test_bad_input_is_one_line_before_any_work(
    *, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"max_tokens": 8, "max_trimmed_share": 1.0})
    output = fail(fine_tune(tmp_path, settings, launch))
    assert output.count("error: ") == 1
    assert "no trained token" in output
    # torchrun shows a traceback of its own.
    assert "src/limaflow" not in output


def test_a_training_that_diverges_stops_and_keeps_what_was_saved_before(
    *, fine_tune: Callable, tiny_examples: Path, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    # The first update makes weights so large that the second gradient overflows.
    settings = settings.model_copy(update={"learning_rate": 1e30})
    launch = launch.model_copy(update={"processes_per_node": 1, "checkpoint_every_steps": 1})
    output = fail(fine_tune(tmp_path, settings, launch))
    assert output.count("error: ") == 1
    assert "error: the gradient's norm is inf at step 2, on examples " in output
    examples = list(read_records(tiny_examples / "train.jsonl", Example))
    order = steps_of_epoch(len(examples), settings.batch_examples, seed=5, epoch=1)
    assert ", ".join(examples[index].id for index in order[1]) in output
    assert [checkpoint.step for checkpoint in saved(tmp_path)] == [1]

    refused = fail(fine_tune(tmp_path, settings, launch.model_copy(update={"zero_stage": 3})))
    assert refused.count("error: ") == 1
    assert "saved at ZeRO stage 2, and stage 3 cannot go on from it" in refused
    assert [checkpoint.step for checkpoint in saved(tmp_path)] == [1]

    part = next(tmp_path.glob("runs/*/checkpoints/step-1/*optim_states.pt"))
    flipped = bytearray(part.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    part.write_bytes(flipped)
    damaged = fail(fine_tune(tmp_path, settings, launch))
    assert damaged.count("error: ") == 1
    assert "step-1: the checkpoint cannot be loaded: " in damaged
    assert f"{part.name} is damaged, in its part " in damaged

    part.write_bytes(bytes(part.stat().st_size))
    damaged = fail(fine_tune(tmp_path, settings, launch))
    assert damaged.count("error: ") == 1
    assert "step-1: the checkpoint cannot be loaded: " in damaged
    assert "remove this folder" in damaged


def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_examples(
    *, fine_tune: Callable, tiny_base: Path, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    broken = tmp_path / "base"
    shutil.copytree(tiny_base.parent, broken)
    weights = load_file(broken / "model/model.safetensors")
    weights["lm_head.weight"][7, 7] = math.nan
    save_file(weights, broken / "model/model.safetensors", metadata={"format": "pt"})
    output = fail(fine_tune(tmp_path, settings, launch, base=broken / "model.json"))
    assert output.count("error: ") == 1
    assert "error: the loss is nan at step 1, on examples " in output
    assert not saved(tmp_path)


def test_a_training_starts_from_another_arms_model_in_its_own_template_and_knows_it_again(
    *, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    alone = launch.model_copy(update={"processes_per_node": 1})
    short = settings.model_copy(update={"epochs": 1})
    finish(fine_tune(tmp_path / "first", short, alone, "[1]"))
    aligned = model_of_epoch(tmp_path / "first/training.json", 1)
    own = short.model_copy(update={"chat_template": "base"})
    finish(fine_tune(tmp_path / "again", own, alone, "[1]", aligned))
    before = AutoTokenizer.from_pretrained(read_manifest(aligned)[1])
    _, location = read_manifest(model_of_epoch(tmp_path / "again/training.json", 1))
    after = AutoTokenizer.from_pretrained(location)
    assert (after.chat_template, len(after)) == (before.chat_template, len(before))
    # It begins where the first one ended, below the loss with which that began.
    first, again = (float(losses(tmp_path / name)[0][2]) for name in ("first", "again"))
    assert again < first
    identities = [
        json.loads((tmp_path / name / "training.json").read_text())["identity"]
        for name in ("first", "again")
    ]
    assert identities[0] != identities[1]
    # Asked again, it finds itself finished.
    written = (Path(location) / "model.safetensors").stat().st_mtime_ns
    finish(fine_tune(tmp_path / "again", own, alone, "[1]", aligned))
    assert (Path(location) / "model.safetensors").stat().st_mtime_ns == written
