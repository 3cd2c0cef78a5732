"""The stand-in base model: a real Llama folder, the same for one seed, resumed after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.records import ModelManifest
from limaflow.tools.miniature.pretraining import pretrain
from limaflow.training.settings import StandIn

SETTINGS = StandIn(
    corpus=["unused"],
    vocabulary=320,
    hidden_size=32,
    layers=2,
    heads=2,
    context=64,
    tokens=8_000,
    batch=4,
    learning_rate=0.01,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "text.jsonl"
    texts = [f"The river of town {n} is the Avel. It is {n % 7} miles long." for n in range(400)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def test_the_folder_opens_as_a_llama_with_marks_of_its_own(corpus: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    manifest = pretrain([corpus], SETTINGS, 1, tmp_path / "base/model.json")

    assert read_json(tmp_path / "base/model.json", ModelManifest) == manifest
    folder = tmp_path / "base" / manifest.path
    assert set(manifest.sha256) == {path.name for path in folder.iterdir()}
    assert not (tmp_path / "base/pretraining").exists()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert type(model).__name__ == "LlamaForCausalLM"
    marks = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    assert len(marks) == 3
    ids = tokenizer("The river é\n")["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == "The river é\n"
    assert model.config.max_position_embeddings == tokenizer.model_max_length == 64
    assert manifest.notes["final_loss"] < 2


def test_a_mark_that_a_document_mentions_does_not_end_it(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    corpus = tmp_path / "text.jsonl"
    texts = [f"House {n} has a </s> on its door." for n in range(200)]
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    manifest = pretrain([corpus], SETTINGS, 1, tmp_path / "base/model.json")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base/model")
    split = tokenizer(texts, split_special_tokens=True)["input_ids"]
    assert not any(tokenizer.eos_token_id in tokens for tokens in split)
    assert manifest.notes["corpus_tokens"] == sum(len(tokens) + 1 for tokens in split)


def test_the_same_seed_gives_the_same_weights(corpus: Path, tmp_path: Path) -> None:
    first, again, other = (
        pretrain([corpus], SETTINGS, seed, tmp_path / name / "model.json").sha256
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert first["tokenizer.json"] == other["tokenizer.json"]
    assert first["model.safetensors"] != other["model.safetensors"]


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(corpus: Path, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"tokens": 200_000})
    command = [
        str(Path(sys.executable).with_name("limaflow")), "miniature", "pretrain", str(corpus),
        "--seed", "1", "--stand-in", settings.flag(), "--output",
    ]  # fmt: skip
    whole, killed = tmp_path / "whole/model.json", tmp_path / "killed/model.json"
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    running = subprocess.Popen([*command, str(killed)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list((killed.parent / "pretraining").glob("*.safetensors")):
        assert running.poll() is None, "it ended before it left a state"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert not killed.exists()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert read_json(killed, ModelManifest).sha256 == read_json(whole, ModelManifest).sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a"}\n{"prompt": "b"}\n', 'text.jsonl:2: not a JSON object with a "text"'),
        ("no json\n", "text.jsonl:1: not a JSON object"),
        ('{"text": "too little"}\n', "do not fill one batch"),
    ],
)
def test_a_bad_corpus_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    corpus = tmp_path / "text.jsonl"
    corpus.write_text(text)
    with pytest.raises(InputError, match=message):
        pretrain([corpus], SETTINGS, 1, tmp_path / "model.json")
    with pytest.raises(InputError, match="no such file"):
        pretrain([tmp_path / "absent.jsonl"], SETTINGS, 1, tmp_path / "model.json")
