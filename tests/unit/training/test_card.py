"""The card of an exported model says where it comes from, and nothing of this machine."""

import shutil
from pathlib import Path

import pytest
import yaml

from limaflow.jsonl import write_json
from limaflow.manifests import checksums
from limaflow.records import ModelManifest
from limaflow.training.job import Job
from limaflow.training.model_card import model_card
from limaflow.training.settings import Launch, Training


@pytest.fixture
def job(
    *, tiny_base: Path, tiny_examples: Path, settings: Training, launch: Launch, tmp_path: Path
) -> Job:
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    return Job(
        arm="lima",
        base=tmp_path / "base/model.json",
        data=tiny_examples / "train.jsonl",
        dev=tiny_examples / "dev.jsonl",
        settings=settings,
        launch=launch,
        export_epochs=(3,),
        seed=5,
        run_folder=tmp_path / "runs",
        output=tmp_path / "training.json",
    )


def test_the_licence_is_that_of_the_base_models_own_card(job: Job) -> None:
    card = model_card(job, epoch=2, identity="abc", end="<|end_of_turn|>")
    assert "not stated beside its weights" in card
    (job.base.parent / "model/README.md").write_text("---\ntags: [x]\nlicense: apache-2.0\n---\n")
    card = model_card(job, epoch=2, identity="abc", end="<|end_of_turn|>")
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "apache-2.0"
    assert "epoch 2 of 3" in card
    assert str(job.base.parent) not in card


def test_a_model_on_a_stand_in_is_labelled_as_a_miniature(job: Job) -> None:
    assert "miniature" not in model_card(job, epoch=1, identity="abc", end="<|end_of_turn|>")
    folder = job.base.parent / "model"
    made = ModelManifest(
        model="base", path="model", sha256=checksums(folder), notes={"label": "stand-in"}
    )
    write_json(job.base, made)
    assert "**A miniature.**" in model_card(job, epoch=1, identity="abc", end="<|end_of_turn|>")


def test_a_chat_template_that_the_base_model_loses_is_told(job: Job) -> None:
    told = "has a chat template of its own"
    assert told not in model_card(job, epoch=1, identity="abc", end="<|end_of_turn|>")
    lost = model_card(job, epoch=1, identity="abc", end="<|im_end|>", loses_template=True)
    assert told in lost
    assert "A response ends in `<|im_end|>`" in lost


def test_a_base_of_the_hub_is_linked_with_its_revision(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_json(job.base, ModelManifest(model="base", path="huggyllama/llama-7b", revision="4782ad"))
    card = model_card(job, epoch=1, identity="abc", end="<|end_of_turn|>")
    assert yaml.safe_load(card.split("---\n")[1])["base_model"] == "huggyllama/llama-7b"
    assert "[huggyllama/llama-7b](https://huggingface.co/huggyllama/llama-7b), 4782ad" in card
