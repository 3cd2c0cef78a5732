"""LoRA: which weights are trained, what a run leaves, and that no kill changes it."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from architectures import tiny_model
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from limaflow.errors import InputError
from limaflow.manifests import read_manifest
from limaflow.records import ModelManifest
from limaflow.training.adapter import merged, with_adapter
from limaflow.training.conversation import END_OF_TURN, extend_embeddings
from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.manifest import model_of_epoch
from limaflow.training.settings import Launch, Lora, Training


def with_lora(settings: Training, **changes: object) -> Training:
    return settings.model_copy(update={"lora": Lora(rank=4, **changes)})


@pytest.mark.parametrize("tied", [True, False])
def test_adapters_and_the_end_of_turn_are_all_that_is_trained_and_merged(
    tiny_base: Path, tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    tokenizer, new = dialogue_tokenizer(tiny_base)
    base = AutoModelForCausalLM.from_pretrained(
        tiny_base.parent / "model", tie_word_embeddings=tied
    )
    if tied:
        base.lm_head.weight = base.model.embed_tokens.weight
    extend_embeddings(base, tokenizer, new)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    model = with_adapter(base, Lora(rank=4), trained_tokens=[end], seed=1)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    rows = [p for name, p in trained.items() if "trainable_tokens" in name]
    assert [tuple(row.shape) for row in rows] == [(1, 32)] * (1 if tied else 2)
    assert len(trained) == len(rows) + 2 * 2 * 7
    for parameter in trained.values():
        torch.nn.init.normal_(parameter, std=0.1)

    before = {name: p.clone() for name, p in model.state_dict().items()}
    plain, weights = merged(model)
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert weights["model.embed_tokens.weight"][end].equal(rows[0][0])
    one = weights["lm_head.weight"] is weights["model.embed_tokens.weight"]
    assert one == tied
    plain.load_state_dict(weights, assign=True)
    tokens = torch.tensor([[5, 6, end, 7]])
    plain.model.rotary_emb = base.model.rotary_emb
    torch.testing.assert_close(plain(tokens).logits, model(tokens).logits)


@pytest.mark.parametrize("name", ["mixtral", "qwen3-moe", "phi"])
def test_adapters_on_experts_and_beside_a_head_with_a_bias_are_merged(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    base = tiny_model(name, 100).eval()
    before = base(torch.arange(5, 45)[None]).logits
    model = with_adapter(base, Lora(rank=4), trained_tokens=[7], seed=1).eval()
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    _, weights = merged(model)
    plain = tiny_model(name, 100).eval()
    plain.load_state_dict(weights)
    tokens = torch.arange(5, 45)[None]
    torch.testing.assert_close(plain(tokens).logits, model(tokens).logits, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(before, plain(tokens).logits, atol=0.1)


def test_residual_dropout_is_off_with_lora_unless_its_block_says_otherwise(
    tiny_base: Path, settings: Training
) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    tokens = torch.arange(20)[None]
    settings = settings.model_copy(update={"residual_dropout": 0.3})
    for lora, drops in ((Lora(rank=4), False), (Lora(rank=4, residual_dropout=0.3), True)):
        model = load_model(tiny_base, tokenizer, new, settings.model_copy(update={"lora": lora}))
        assert model(tokens).logits.equal(model(tokens).logits) != drops


def test_an_architecture_that_residual_dropout_does_not_know_is_named_with_lora_too(
    tiny_base: Path, tmp_path: Path, settings: Training
) -> None:
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=2))
    model.save_pretrained(tmp_path / "base" / "model")
    base = tmp_path / "base" / "model.json"
    settings = with_lora(settings, target_modules=["c_attn"], residual_dropout=0.1)
    with pytest.raises(InputError, match="architecture GPT2LMHeadModel"):
        load_model(base, *dialogue_tokenizer(base), settings)


def test_modules_that_the_model_does_not_have_are_refused(
    tiny_base: Path, settings: Training
) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    with pytest.raises(InputError, match=r"training\.lora does not fit.*query_key"):
        load_model(tiny_base, tokenizer, new, with_lora(settings, target_modules=["query_key"]))


@pytest.mark.slow
def test_a_killed_run_ends_in_the_same_adapter_which_is_left_merged_and_by_itself(
    *,
    fine_tune: Callable,
    tiny_base: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    settings = with_lora(settings, dropout=0.1, residual_dropout=0.1).model_copy(
        update={"epochs": 4}
    )
    launch = launch.model_copy(update={"zero_stage": 3, "checkpoint_every_steps": 1})
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    def finish(folder: Path) -> tuple[Path, ModelManifest]:
        run = fine_tune(folder, settings, launch, exports="[4]")
        output = run.communicate(timeout=300)[0]
        assert run.returncode == 0, output
        manifest = model_of_epoch(folder / "training.json", 4)
        return manifest.parent, read_manifest(manifest)[0]

    export, manifest = finish(whole)
    run = fine_tune(broken, settings, launch, exports="[4]")
    while not list(broken.glob("runs/*/checkpoints/step-4/checkpoint.json")):
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.01)
    run.kill()
    run.wait()
    assert finish(broken)[1].sha256 == manifest.sha256
    assert str(tiny_base.parent) not in (export / "adapter" / "README.md").read_text()
    model_bytes = (export / "model" / "model.safetensors").stat().st_size
    assert all(
        file.stat().st_size < model_bytes
        for file in whole.glob("runs/*/checkpoints/step-*/*model_states.pt")
    )

    tokenizer = AutoTokenizer.from_pretrained(export / "model")
    model = AutoModelForCausalLM.from_pretrained(export / "model")
    base_tokenizer, new = dialogue_tokenizer(tiny_base)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert model.generation_config.eos_token_id == [end, base_tokenizer.eos_token_id]
    base = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    extend_embeddings(base, base_tokenizer, new, multiple=settings.vocabulary_multiple)
    tokens = torch.tensor([[*tokenizer("What happens in Corra?")["input_ids"], end]])
    before = base(tokens).logits
    adapted = PeftModel.from_pretrained(base, export / "adapter")
    torch.testing.assert_close(adapted(tokens).logits, model(tokens).logits)
    assert not torch.allclose(before, model(tokens).logits, atol=0.1)
