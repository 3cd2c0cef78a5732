"""Residual dropout: rates by depth, in training only, nothing left in the weights."""

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

from limaflow.errors import InputError
from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.residual_dropout import attach, rates
from limaflow.training.settings import Training

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "pad_token_id": None,
}
KNOWN = [LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config]


def test_rates_rise_linearly_from_zero_to_the_last() -> None:
    assert rates(4, 0.3) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert rates(1, 0.3) == [0.0]


@pytest.mark.parametrize("config", KNOWN)
def test_each_branch_drops_at_its_layers_rate(config: type) -> None:
    model = AutoModelForCausalLM.from_config(config(**SIZES))
    attach(model, 0.3)
    model.train()
    for layer, rate in zip(model.model.layers, rates(4, 0.3), strict=True):
        for branch in (layer.self_attn.o_proj, layer.mlp.down_proj):
            torch.nn.init.ones_(branch.weight)
            output = branch(torch.ones(500, branch.in_features))
            dropped = (output == 0).float().mean().item()
            assert dropped == pytest.approx(rate, abs=0.02)


@pytest.mark.parametrize("config", KNOWN)
def test_evaluation_and_weights_know_nothing_of_it(config: type) -> None:
    model = AutoModelForCausalLM.from_config(config(**SIZES)).eval()
    tokens = torch.arange(20)[None]
    plain, names = model(tokens).logits, set(model.state_dict())
    attach(model, 0.3)
    assert model.eval()(tokens).logits.equal(plain)
    assert set(model.state_dict()) == names
    assert not model.train()(tokens).logits.equal(plain)


def test_the_loaded_base_model_drops_from_the_first_step(
    tiny_base: Path, settings: Training
) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    settings = settings.model_copy(update={"residual_dropout": 0.3})
    model = load_model(tiny_base, tokenizer, new, settings)
    tokens = torch.arange(20)[None]
    assert not model(tokens).logits.equal(model(tokens).logits)


def test_an_unknown_architecture_is_refused_unless_dropout_is_off() -> None:
    model = AutoModelForCausalLM.from_config(GPT2Config(n_embd=32, n_layer=2, n_head=2))
    with pytest.raises(InputError, match="GPT2LMHeadModel"):
        attach(model, 0.3)
    assert attach(model, 0.0) == []
