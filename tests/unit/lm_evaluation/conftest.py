"""A tiny random Llama with a BPE tokenizer of its own, as a model folder with its manifest."""

import csv
from pathlib import Path

import pytest

from limaflow.jsonl import write_json
from limaflow.records import ModelManifest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """`model.json` of about 0.2M random parameters with a context of 256 tokens."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    with (shared_data / "benchmarks/mmlu/astronomy_test.csv").open(encoding="utf-8") as file:
        texts = [" ".join(row) for row in csv.reader(file)]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(texts, vocab_size=500, special_tokens=["<s>", "</s>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=500,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    write_json(folder / "model.json", ModelManifest(model="tiny", path="model"))
    return folder / "model.json"
