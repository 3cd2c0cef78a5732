"""`limaflow train inspect` says what a user would not expect of data and base model."""

import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer
from typer.testing import CliRunner

from limaflow.jsonl import write_records
from limaflow.records import Example, Message, example_id
from limaflow.training.cli import app
from limaflow.training.conversation import CHAT_TEMPLATE, END_OF_TURN
from limaflow.training.settings import Training

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>{% endfor %}"
)


def answered(question: str, answer: str) -> Example:
    turns = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Example(id=example_id(turns), messages=turns, source="test", split="train")


def inspected(base: Path, data: Path, settings: Training) -> str:
    asked = ["inspect", "--base", str(base), "--data", str(data)]
    done = CliRunner().invoke(app, [*asked, "--settings", settings.model_dump_json()])
    assert done.exit_code == 0, done.output
    return done.output


def test_inspecting_counts_the_examples_that_mention_a_control_token(
    tiny_base: Path, settings: Training, tmp_path: Path
) -> None:
    data = tmp_path / "train.jsonl"
    rows = [
        answered("How is text struck through?", "Between <s> and </s>."),
        answered("Is </s> old?", f"Yes, </s> is. {END_OF_TURN} is not."),
        answered("Hi?", "Yes."),
    ]
    write_records(data, rows, key=lambda row: row.id)
    output = inspected(tiny_base, data, settings)
    assert (
        "control tokens that the texts of 3 examples mention, split like any other text: "
        f"</s> in 2, <s> in 1, {END_OF_TURN} in 1"
    ) in output
    assert "'control_strings': {'</s>': 2," in output
    assert "warning" not in output


@pytest.mark.parametrize(("template", "lost"), [(CHATML, True), (CHAT_TEMPLATE, False)])
def test_a_base_models_own_chat_template_is_not_lost_in_silence(
    *,
    tiny_base: Path,
    tiny_examples: Path,
    settings: Training,
    tmp_path: Path,
    template: str,
    lost: bool,
) -> None:
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    folder = tmp_path / "base/model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    output = inspected(tmp_path / "base/model.json", tiny_examples / "train.jsonl", settings)
    assert ("warning: the base model has a chat template of its own" in output) is lost
