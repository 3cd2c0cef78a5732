"""How many responses GPUs have room for, from the model's configuration."""

from types import SimpleNamespace

import pytest
import torch
from transformers import Gemma3Config, LlamaConfig, Qwen3Config

from limaflow.errors import InputError
from limaflow.generation import local, placement
from limaflow.generation.prompting import Prompt
from limaflow.generation.room import cache_bytes, fitting, row_bytes
from limaflow.generation.settings import Decoding
from limaflow.training.packing import Separation

GIB = 2**30
LLAMA_7B = LlamaConfig(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32)
LLAMA_30B = LlamaConfig(
    hidden_size=6656, num_hidden_layers=60, num_attention_heads=52, intermediate_size=17920
)


def test_the_cache_of_a_token_is_that_of_its_keys_and_values() -> None:
    assert cache_bytes(LLAMA_7B, 2) == 512 * 1024
    # What was measured of LLaMA 30B: 1.52 MiB a token.
    assert cache_bytes(LLAMA_30B, 2) / 2**20 == pytest.approx(1.52, abs=0.01)
    grouped = Qwen3Config(
        hidden_size=4096,
        num_hidden_layers=36,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
    )
    assert cache_bytes(grouped, 2) == 2 * 36 * 8 * 128 * 2
    # A model of text and images keeps the sizes of its text apart.
    assert cache_bytes(Gemma3Config(), 2) == cache_bytes(Gemma3Config().text_config, 2) > 0


def test_a_batch_takes_no_more_than_the_cards_have() -> None:
    row = row_bytes(LLAMA_7B, 2, prompt=48, response=2000)
    assert row / GIB == pytest.approx(1.0, abs=0.1)
    assert fitting(16, row, [10 * GIB]) == 8
    assert fitting(16, row, [10 * GIB, 12 * GIB]) == 16
    assert fitting(16, row, [GIB // 4]) == 1


def test_a_long_prompt_shrinks_the_batch_which_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local, "free_memory", lambda _: [10 * GIB])
    model = SimpleNamespace(config=LLAMA_7B, dtype=torch.bfloat16)
    none = Separation(difference=0, bound=1)
    here = local.LocalModel(
        model=model, tokenizer=None, context=2048, stops=frozenset(), padding=none
    )
    decoding = Decoding(top_p=1, temperature=0, repetition_penalty=1, max_tokens=2048, samples=1)
    wanted = [(Prompt(id="a", tokens=tuple(range(48))), 0)]
    assert local._fitting(here, wanted, decoding, 16) == 8
    assert "8 responses at once, not 16: with 2048 tokens each" in capsys.readouterr().err
    assert local._fitting(here, wanted, decoding, 4) == 4
    assert not capsys.readouterr().err


def test_several_cards_are_divided_and_nothing_goes_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: ((card + 1) * GIB, 80 * GIB))
    assert placement.spread(2) == {
        "device_map": "balanced",
        "max_memory": {0: GIB, 1: 2 * GIB, "cpu": 0},
    }
    whole = SimpleNamespace(hf_device_map={"model.layers.0": 0, "model.layers.1": 1})
    placement.require_whole(whole, 2)
    cut = SimpleNamespace(hf_device_map={"model.layers.0": 0, "model.layers.1": "disk"})
    with pytest.raises(InputError, match=r"does not fit on 2 GPU\(s\)"):
        placement.require_whole(cut, 2)
