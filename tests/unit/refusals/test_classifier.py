"""Answers classed by a classifier of the user's: a tiny random one, read from safetensors alone."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.records import Example, Grade, Message, Response
from limaflow.refusals.classes import CLASS_OF, SCALE
from limaflow.refusals.classifier import grades_by_classifier

LABELS = {"COMPLIES": "compliance", "REFUSES": "refusal"}


@pytest.fixture
def classifier(tiny_base: Path, tmp_path: Path) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=40,
        pad_token_id=tokenizer.pad_token_id,
    )
    config.id2label = dict(enumerate(LABELS))
    folder = tmp_path / "classifier"
    LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def answers(number: int) -> list[Response]:
    return [
        Response(
            prompt_id=f"p{n}",
            model="arm",
            sample=0,
            text="What happens in Arlo? " * (1 + n),
            tokens=3,
            finish_reason="stop",
        )
        for n in range(number)
    ]


def test_a_class_does_not_depend_on_the_batch_and_what_is_cut_is_counted(
    classifier: Path,
) -> None:
    at_once, alone = (
        grades_by_classifier(answers(7), None, classifier, LABELS, name="mine", batch=batch)
        for batch in (7, 1)
    )
    assert [g.value for g in at_once.grades] == [g.value for g in alone.grades]
    assert at_once.cut == alone.cut > 0
    assert {(g.annotator, g.annotator_kind, g.scale) for g in alone.grades} == {
        ("mine", "model", SCALE)
    }


def test_the_command_writes_grades_of_the_mapped_classes(classifier: Path, tmp_path: Path) -> None:
    responses, output = tmp_path / "responses.jsonl", tmp_path / "grades.jsonl"
    prompts = tmp_path / "prompts.jsonl"
    write_records(responses, answers(3))
    asked = (Message(role="user", content="What of goats?"),)
    write_records(
        prompts, [Example(id=f"p{n}", messages=asked, source="t", split="test") for n in range(3)]
    )
    command = ["refusals", "classify", str(responses), "--model", str(classifier)]
    command += ["--prompts", str(prompts), "--label", "COMPLIES=compliance"]
    command += ["--label", "REFUSES=refusal", "--output", str(output)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("3 answers by classifier:")
    found = list(read_records(output, Grade))
    assert {CLASS_OF[grade.value or 0] for grade in found} <= {"compliance", "refusal"}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"COMPLIES": "compliance"}, "the model's label 'REFUSES' stands for no class"),
        ({**LABELS, "MAYBE": "partial"}, "the model has no label 'MAYBE'"),
    ],
)
def test_labels_are_mapped_each_and_none_besides(
    classifier: Path, labels: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        grades_by_classifier(answers(1), None, classifier, labels, name="mine", batch=1)
    assert message in str(caught.value)


def test_what_is_no_classifier_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a model's folder"):
        grades_by_classifier(answers(1), None, tmp_path, LABELS, name="mine", batch=1)
    with pytest.raises(InputError, match="lacks weights of a classifier"):
        folder = tiny_base.parent / "model"
        grades_by_classifier(answers(1), None, folder, LABELS, name="mine", batch=1)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(InputError, match="no safetensors"):
        grades_by_classifier(answers(1), None, tmp_path, LABELS, name="mine", batch=1)
