"""How the model lies in memory changes nothing of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.settings import Launch, Training


@pytest.fixture
def tied_base(tiny_base: Path, tmp_path: Path) -> Path:
    """The tiny model with one table for embedding and head."""
    folder = tmp_path / "tied" / "model"
    shutil.copytree(tiny_base.parent, folder.parent)
    config = AutoConfig.from_pretrained(folder, tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder.parent / "model.json"


@pytest.mark.slow
def test_weights_divided_offloaded_and_compiled_are_those_of_one_process(
    *,
    torchrun: Callable,
    tiny_base: Path,
    tied_base: Path,
    tiny_examples: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    settings = settings.model_copy(update={"batch_examples": 21, "decay_norms_and_biases": False})
    program = Path(__file__).parent / "layout_program.py"
    run = torchrun(
        2, program, tiny_base, tied_base, tiny_examples / "train.jsonl",
        settings.flag(), launch.flag(), tmp_path,
    )  # fmt: skip
    # DeepSpeed compiles its AdamW here the first time, PyTorch the model.
    output = run.communicate(timeout=600)[0]
    assert run.returncode == 0, output

    for base, tied in ((tiny_base, False), (tied_base, True)):
        tokenizer, new = dialogue_tokenizer(base)
        for precision in ("fp32", "bf16"):
            precise = settings.model_copy(update={"precision": precision})
            model = load_model(base, tokenizer, new, precise)
            assert (model.lm_head.weight is model.model.embed_tokens.weight) == tied
            expected = dict([*model.named_parameters(), *model.named_buffers()])
            file = tmp_path / f"{base.parent.name}-{precision}"
            found = load_file(file)
            assert found.keys() == expected.keys()
            for name, weight in expected.items():
                assert found[name].dtype == weight.dtype
                assert found[name].equal(weight), name
            exported = load_file(f"{file}-exported")
            assert exported.keys() == model.state_dict().keys()
            for name, weight in model.state_dict().items():
                assert exported[name].equal(weight), name
            with safe_open(file, "pt") as opened:
                held = json.loads(opened.metadata()["held"])
            for name, weight in model.model.layers.named_parameters():
                assert held[f"model.layers.{name}"] == weight.numel() / 2

    plain = load_file(tmp_path / "none-2")
    for other in ("none-3", "none-2-compiled", "optimizer-1", "optimizer-2", "parameters-3"):
        for name, weight in load_file(tmp_path / other).items():
            error = (weight - plain[name]).norm() / plain[name].norm()
            assert error < 1e-5, (other, name, float(error))
