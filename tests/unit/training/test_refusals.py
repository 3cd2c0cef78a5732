"""What cannot work is said in one line that names the key and the way out."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM
from transformers.utils import import_utils

from limaflow.errors import InputError
from limaflow.jsonl import write_json
from limaflow.records import ModelManifest
from limaflow.training import hardware
from limaflow.training.attention import attention_of, fallback
from limaflow.training.conversation import extend_embeddings
from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.hardware import require_hardware
from limaflow.training.settings import Launch, Lora, Training

FOUR_BITS = {"lora": Lora(rank=4, quantize="4bit")}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("launch_changes", "key"),
    [
        ({"liger": True}, "launch.liger"),
        ({"attention": "flash_attention_2"}, "launch.attention: flash_attention_2"),
        ({"attention": "flex_attention"}, "launch.attention: flex_attention"),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(
    settings: Training, launch: Launch, launch_changes: dict, key: str
) -> None:
    settings = settings.model_copy(update={"precision": "bf16"})
    require_hardware(settings, launch)
    with pytest.raises(InputError, match=f"{key} needs a CUDA GPU"):
        require_hardware(settings, launch.model_copy(update=launch_changes))


def test_a_missing_package_or_compiler_is_named(
    settings: Training, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(**changes: object) -> None:
        require_hardware(
            settings.model_copy(update={"precision": "bf16"}), launch.model_copy(update=changes)
        )

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"bitsandbytes.*\n?.*pip install -r envs/gpu\.txt"):
        require_hardware(settings.model_copy(update=FOUR_BITS), launch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    with pytest.raises(InputError, match=r"liger-kernel.*\n?.*pip install -r envs/gpu\.txt"):
        asked(liger=True)
    with pytest.raises(InputError, match=r"pip install --no-build-isolation flash-attn==.*nvcc"):
        asked(attention="flash_attention_2")
    with pytest.raises(InputError, match=r"built from its source.*envs/gpu\.txt"):
        asked(attention="flash_attention_3")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    for changes in ({"liger": True}, {"compile": True}, {"attention": "flex_attention"}):
        with pytest.raises(InputError, match=r"Triton compiles kernels, and gcc or clang cannot"):
            asked(**changes)
    with pytest.raises(InputError, match=r"launch\.offload.*ninja"):
        asked(offload="optimizer")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"launch\.compile.*c\+\+"):
        asked(compile=True)


def test_flash_attention_in_fp32_is_refused_before_the_model_is_read(
    settings: Training, launch: Launch
) -> None:
    for kernel in ("flash_attention_2", "flash_attention_3"):
        with pytest.raises(InputError, match=rf"{kernel} computes in 16 bits only"):
            require_hardware(
                settings.model_copy(update={"precision": "fp32"}),
                launch.model_copy(update={"attention": kernel}),
            )


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A GPU of that major compute capability, with both FlashAttentions installed."""

    def seen(capability: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (capability, 0))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")

        def has_bf16(*, including_emulation: bool) -> bool:
            return including_emulation or capability >= 8

        monkeypatch.setattr(torch.cuda, "is_bf16_supported", has_bf16)
        for version in (2, 3):
            there = f"is_flash_attn_{version}_available"
            monkeypatch.setattr(import_utils, there, lambda: True)
        monkeypatch.setattr(hardware, "PACKAGES", {})

    return seen


@pytest.mark.parametrize(
    ("capability", "best", "refused"),
    [
        (7, "sdpa", {"flash_attention_2", "flash_attention_3"}),
        (8, "flash_attention_2", {"flash_attention_3"}),
        (9, "flash_attention_3", set()),
        # Blackwell: FlashAttention 3 has no kernels for it.
        (10, "flash_attention_2", {"flash_attention_3"}),
        (12, "flash_attention_2", {"flash_attention_3"}),
    ],
)
def test_flash_attention_runs_where_its_kernels_do(
    *,
    gpu: Callable,
    settings: Training,
    launch: Launch,
    capability: int,
    best: str,
    refused: set[str],
) -> None:
    gpu(capability)
    bf16 = settings.model_copy(update={"precision": "bf16"})
    assert attention_of(bf16, launch) == best
    assert bool(fallback(bf16, launch)) == (best == "sdpa")
    for kernel in ("flash_attention_2", "flash_attention_3"):
        asked = launch.model_copy(update={"attention": kernel})
        if kernel in refused:
            with pytest.raises(InputError, match=f"{kernel} does not run on a GPU"):
                require_hardware(bf16, asked)
        else:
            require_hardware(bf16, asked)


def test_the_kernel_that_is_taken_in_place_of_flash_attention_is_named(
    gpu: Callable, settings: Training, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fallback(settings, launch) == []
    gpu(9)
    assert "sdpa, since FlashAttention wants 16 bits" in fallback(settings, launch)[0]
    assert fallback(settings, launch.model_copy(update={"attention": "sdpa"})) == []
    for version in (2, 3):
        monkeypatch.setattr(import_utils, f"is_flash_attn_{version}_available", lambda: False)
    bf16 = settings.model_copy(update={"precision": "bf16"})
    assert fallback(bf16, launch) == ["attention: sdpa, since flash-attn is not installed"]


def test_four_bits_are_not_divided(settings: Training, launch: Launch) -> None:
    with pytest.raises(InputError, match=r"ZeRO-3.*4 bits"):
        require_hardware(
            settings.model_copy(update=FOUR_BITS), launch.model_copy(update={"zero_stage": 3})
        )


@pytest.mark.parametrize(("offload", "stage"), [("optimizer", 0), ("parameters", 2)])
def test_offload_wants_a_stage_that_divides_what_is_moved(
    launch: Launch, offload: str, stage: int
) -> None:
    with pytest.raises(ValidationError, match=f"offload: {offload} needs zero_stage {stage + 1}"):
        Launch.model_validate({**launch.model_dump(), "offload": offload, "zero_stage": stage})


def test_a_base_model_that_does_not_exist(settings: Training, tmp_path: Path) -> None:
    base = tmp_path / "model.json"
    write_json(base, ModelManifest(model="base", path="gone", sha256={"config.json": "0" * 64}))
    for ask in (lambda: dialogue_tokenizer(base), lambda: load_model(base, None, [], settings)):
        with pytest.raises(InputError, match=r"model\.json: .*gone does not exist"):
            ask()


@pytest.fixture
def copied_base(tiny_base: Path, tmp_path: Path) -> Path:
    """model.json of a copy of the tiny model, to be spoilt."""
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    return tmp_path / "base" / "model.json"


def test_damaged_files_of_a_base_model_are_named(copied_base: Path, settings: Training) -> None:
    folder = copied_base.parent / "model"
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"model\.json: no causal language model at .*header"):
        load_model(copied_base, None, [], settings)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"model\.json: no tokenizer at .*added_tokens"):
        dialogue_tokenizer(copied_base)


def test_weights_that_the_files_lack_are_not_made_up(copied_base: Path, settings: Training) -> None:
    file = copied_base.parent / "model" / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"no values for 9 weights at .*model\.layers\.2\."):
        load_model(copied_base, None, [], settings)


def test_a_tokenizer_of_another_model(copied_base: Path, settings: Training) -> None:
    folder = copied_base.parent / "model"
    small = AutoModelForCausalLM.from_pretrained(folder)
    small.resize_token_embeddings(300)
    small.save_pretrained(folder)
    tokenizer, new = dialogue_tokenizer(copied_base)
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == 300
    with pytest.raises(InputError, match="400 tokens and the model's embedding 300 rows"):
        load_model(copied_base, tokenizer, new, settings)


def test_a_model_with_more_rows_than_tokens_takes_the_new_ones_into_them(tiny_base: Path) -> None:
    tokenizer, new = dialogue_tokenizer(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    model.resize_token_embeddings(448)
    extend_embeddings(model, tokenizer, new)
    assert model.get_input_embeddings().num_embeddings == 448
    assert model.get_input_embeddings().weight[new[0]].isfinite().all()


def test_bf16_is_refused_where_a_gpu_only_emulates_it(
    gpu: Callable, settings: Training, launch: Launch
) -> None:
    bf16 = settings.model_copy(update={"precision": "bf16"})
    gpu(7)
    require_hardware(settings, launch)
    with pytest.raises(InputError, match=r"a GPU has no bf16.*training\.precision.*fp32"):
        require_hardware(bf16, launch)
    gpu(8)
    require_hardware(bf16, launch)
