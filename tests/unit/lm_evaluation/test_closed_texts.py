"""A tokenizer that ends every text with EOS: no prompt of ours ends with it."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from limaflow.generation.prompting import encoded
from limaflow.jsonl import read_records
from limaflow.lm_evaluation.model import TextModel, load_model
from limaflow.records import Example
from limaflow.training.control_tokens import text_tokens
from limaflow.training.conversation import tokenized
from limaflow.training.data import dialogue_tokenizer

TEXTS = ["Question: what happens?\n\nAnswer:", "He wrote </s> twice.", "a"]


@pytest.fixture
def closing(tiny_base: Path, tmp_path: Path) -> Path:
    """model.json of the tiny model whose tokenizer puts EOS behind all texts, as BOS before."""
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    file = tmp_path / "base" / "model" / "tokenizer.json"
    inner = Tokenizer.from_file(str(file))
    inner.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    inner.save(str(file))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base" / "model")
    assert tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id
    return tmp_path / "base" / "model.json"


def test_prompts_in_all_formats_are_those_of_a_tokenizer_that_adds_none(
    closing: Path, tiny_base: Path, tiny_examples: Path
) -> None:
    ends, plain = dialogue_tokenizer(closing)[0], dialogue_tokenizer(tiny_base)[0]
    for text in TEXTS:
        assert text_tokens(text, ends) == text_tokens(text, plain)
        assert text_tokens(text, ends)[-1] != ends.eos_token_id
    *asked, shot = list(read_records(tiny_examples / "train.jsonl", Example))[:4]
    for style in ("raw", "in-context", "chat"):
        prompts = [
            encoded(asked, tokenizer, style, shots=[shot], context=999)
            for tokenizer in (ends, plain)
        ]
        assert prompts[0] == prompts[1]


def test_training_examples_and_their_labels_are_the_same(
    closing: Path, tiny_base: Path, tiny_examples: Path
) -> None:
    first = next(iter(read_records(tiny_examples / "train.jsonl", Example)))
    made = [
        tokenized(first, dialogue_tokenizer(base)[0], max_tokens=100, loss_on="responses")
        for base in (closing, tiny_base)
    ]
    assert made[0] == made[1]


def test_lm_eval_asks_the_same(closing: Path, tiny_base: Path) -> None:
    models = [load_model(base, precision="fp32", batch=2) for base in (closing, tiny_base)]

    def asked(model: TextModel) -> tuple[object, ...]:
        pairs = [SimpleNamespace(args=(text, " goats")) for text in (*TEXTS, "")]
        wholes = [SimpleNamespace(args=(text,)) for text in TEXTS]
        open_ended = [
            SimpleNamespace(args=(text, {"until": ["\n"], "max_gen_toks": 5})) for text in TEXTS
        ]
        return (
            model.loglikelihood(pairs, disable_tqdm=True),
            model.loglikelihood_rolling(wholes, disable_tqdm=True),
            model.generate_until(open_ended, disable_tqdm=True),
            [ids.tolist() for ids in model.tok_batch_encode(TEXTS)],
        )

    assert asked(models[0]) == asked(models[1])
