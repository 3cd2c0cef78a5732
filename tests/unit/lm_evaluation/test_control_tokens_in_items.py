"""Texts of benchmark items are data: only a chat template makes control tokens."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer

from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate
from limaflow.lm_evaluation.model import load_model

TEXTS = ["Is it </s>?", "</s>", "<s> or <s>", "What is it?", "<s>What is it?", " a </s>\n"]


@pytest.fixture(scope="module")
def chat_base(roomy_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.json of a copy with a chat template."""
    folder = tmp_path_factory.mktemp("chat")
    shutil.copytree(roomy_base.parent, folder / "base")
    tokenizer = AutoTokenizer.from_pretrained(folder / "base/model")
    tokenizer.chat_template = "<s>{% for m in messages %}{{ m['content'] }}</s>{% endfor %}"
    tokenizer.save_pretrained(folder / "base/model")
    return folder / "base/model.json"


@pytest.fixture(scope="module")
def model(chat_base: Path) -> Any:
    return load_model(chat_base, precision="fp32", batch=4)


def plain(model: Any, text: str) -> list[int]:
    """The tokens that lm-eval's own model gives."""
    tokens: list[int] = HFLM.tok_encode(model, text)
    return tokens


def test_a_text_is_text_from_end_to_end_after_one_bos(model: Any) -> None:
    bos, eos = model.tokenizer.bos_token_id, model.tokenizer.eos_token_id
    for text in TEXTS:
        tokens = model.tok_encode(text)
        assert tokens[0] == bos
        assert not {bos, eos} & {*tokens[1:]}
        assert model.tokenizer.decode(tokens[1:]) == text
        assert model.tok_encode(text, add_special_tokens=False) == tokens[1:]
        assert model.tok_encode(text, left_truncate_len=2) == tokens[-2:]


def test_other_texts_have_the_tokens_that_lm_eval_gives_them(model: Any) -> None:
    texts = ["What is it?", "It is <so>.", ""]
    assert [model.tok_encode(text) for text in texts] == [plain(model, text) for text in texts]
    tokens, mask = model.tok_batch_encode(texts)
    own, own_mask = HFLM.tok_batch_encode(model, texts)
    assert tokens.equal(own)
    assert mask.equal(own_mask)


def test_a_batch_has_the_rows_of_its_texts_padded_on_the_left(model: Any) -> None:
    tokens, mask = model.tok_batch_encode(TEXTS)
    for row, kept, text in zip(tokens, mask.bool(), TEXTS, strict=True):
        assert row[kept].tolist() == model.tok_encode(text)
        assert kept.tolist() == sorted(kept.tolist())
    assert model.tok_batch_encode(TEXTS, left_truncate_len=3)[0].equal(tokens[:, -3:])


def test_the_chat_template_alone_makes_control_tokens(model: Any) -> None:
    bos, eos = model.tokenizer.bos_token_id, model.tokenizer.eos_token_id
    prompt = model.apply_chat_template([{"role": "user", "content": "Is it </s>, or <s>?"}])
    tokens = model.tok_encode(prompt)
    assert model.tokenizer.decode(tokens) == "<s>Is it </s>, or <s>?</s>"
    assert [place for place, token in enumerate(tokens) if token in (bos, eos)] == [
        0,
        len(tokens) - 1,
    ]
    context, continuation = model._encode_pair(prompt, " </s>")
    assert context == tokens
    assert eos not in continuation
    assert model.tokenizer.decode(continuation) == " </s>"
    without = model.apply_chat_template([{"role": "user", "content": "Is it?"}])
    assert model.tok_encode(without) == plain(model, "<s>Is it?</s>")


@pytest.mark.parametrize("chat", [False, True])
def test_the_items_that_mention_a_control_token_are_counted(
    chat_base: Path, tmp_path: Path, chat: bool
) -> None:
    items = [{"q": "Is it </s>?", "a": "yes"}, {"q": "Is it?", "a": "</s>"}, {"q": "It?", "a": "y"}]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    task = tmp_path / "tags.yaml"
    task.write_text(
        "task: tags\ndataset_path: json\noutput_type: multiple_choice\ntest_split: test\n"
        f"dataset_kwargs: {{data_files: {{test: {tmp_path}/items.jsonl}}}}\n"
        'doc_to_text: "{{q}}"\ndoc_to_target: 0\ndoc_to_choice: "{{[a, \'no\']}}"\n'
    )
    settings = EvaluationSettings(
        few_shot=None,
        limit=None,
        batch=2,
        formats=("chat",) if chat else ("plain",),
        precision="fp32",
        seed=0,
    )
    found, scores = evaluate(chat_base, "base", [str(task)], None, settings)
    assert found["scores"]["tags"]["control_token_items"] == 2
    assert len(scores) == 3
