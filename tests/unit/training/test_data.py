"""Data that cannot be trained on is one clear error before anything is loaded."""

from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import write_json, write_records
from limaflow.records import Example, Message, ModelManifest
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.settings import Training


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """One example with a short prompt and one whose prompt alone takes 60 tokens."""
    file = tmp_path / "train.jsonl"
    rows = [
        Example(
            id=name,
            messages=(
                Message(role="user", content=prompt),
                Message(role="assistant", content="Yes."),
            ),
            source="test",
            split="train",
        )
        for name, prompt in (("short", "Hi?"), ("long", "Why? " * 20))
    ]
    write_records(file, rows)
    return file


def test_an_empty_data_set_is_refused(tiny_base: Path, tmp_path: Path, settings: Training) -> None:
    (tmp_path / "train.jsonl").touch()
    with pytest.raises(InputError, match=r"train\.jsonl: no examples to train on"):
        prepared(tmp_path / "train.jsonl", None, dialogue_tokenizer(tiny_base)[0], settings)


def test_an_id_that_stands_twice_is_refused(
    tiny_base: Path, examples: Path, settings: Training
) -> None:
    examples.write_text(examples.read_text() * 2)
    with pytest.raises(InputError, match=r"train\.jsonl: .* more than once: 2, such as short"):
        prepared(examples, None, dialogue_tokenizer(tiny_base)[0], settings)


def test_what_is_no_dialogue_is_refused_with_its_file(
    tiny_base: Path, examples: Path, settings: Training
) -> None:
    examples.write_text(examples.read_text().replace("Yes.", " "))
    with pytest.raises(InputError, match=r"train\.jsonl: example short: a response is empty"):
        prepared(examples, None, dialogue_tokenizer(tiny_base)[0], settings)


def test_a_response_that_is_cut_off_whole_is_refused_by_name(
    tiny_base: Path, examples: Path, settings: Training
) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    lenient = settings.model_copy(update={"max_tokens": 30, "max_trimmed_share": 1.0})
    with pytest.raises(
        InputError, match=r"train\.jsonl: example long has no trained token"
    ) as error:
        prepared(examples, None, tokenizer, lenient)
    assert "raise training.max_tokens" in str(error.value)


def test_trimmed_examples_are_counted_listed_and_limited(
    tiny_base: Path, examples: Path, settings: Training
) -> None:
    tokenizer, _ = dialogue_tokenizer(tiny_base)
    everything = settings.model_copy(
        update={"max_tokens": 30, "loss_on": "everything", "max_trimmed_share": 0.5}
    )
    assert prepared(examples, None, tokenizer, everything).facts.trimmed == ("long",)
    strict = everything.model_copy(update={"max_trimmed_share": 0.4})
    with pytest.raises(InputError, match="1 of 2 examples exceed 30 tokens"):
        prepared(examples, None, tokenizer, strict)


def test_a_base_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "model.json"
    write_json(manifest, ModelManifest(model="base", path="./nowhere"))
    with pytest.raises(InputError, match="nowhere does not exist"):
        dialogue_tokenizer(manifest)
