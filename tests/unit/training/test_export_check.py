"""An export counts only if it is the model that was trained."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from architectures import tiny_model
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from limaflow.errors import InputError
from limaflow.training.conversation import take_template
from limaflow.training.export import export
from limaflow.training.export_check import require_same_logits

ROWS = [list(range(5, 45)), list(range(60, 80))]


@torch.no_grad()
def logits(model: Any) -> list[torch.Tensor]:
    return [model(torch.tensor([row])).logits[0].float() for row in ROWS]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_is_itself_and_one_frozen_layer_is_seen(tmp_path: Path, dtype: torch.dtype) -> None:
    model = tiny_model("llama", 100).to(dtype).eval()
    model.save_pretrained(tmp_path)
    require_same_logits(tmp_path, ROWS, logits(model), dtype)

    weights = load_file(tmp_path / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"] *= 0.5
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"not the trained one: its logits differ by .* the check"):
        require_same_logits(tmp_path, ROWS, logits(model), dtype)


def test_what_nothing_can_open_and_what_is_not_a_number_are_errors(tmp_path: Path) -> None:
    model = tiny_model("llama", 100).eval()
    model.save_pretrained(tmp_path)
    broken = [torch.full_like(each, torch.nan) for each in logits(model)]
    with pytest.raises(InputError, match="not the trained one"):
        require_same_logits(tmp_path, ROWS, broken, torch.float32)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_attention_heads": 5}))
    with pytest.raises(InputError, match="cannot be opened"):
        require_same_logits(tmp_path, ROWS, logits(model), torch.float32)


class Elsewhere(SimpleNamespace):
    """An engine whose model is not what is written: what a wrong merge looks like."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.trained(*args, **options)


@pytest.mark.usefixtures("alone")
def test_an_export_that_differs_leaves_no_folder(tmp_path: Path, tiny_base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    take_template(tokenizer)
    trained, written = tiny_model("llama", 410), tiny_model("llama", 410)
    engine = Elsewhere(
        module=written, trained=trained, device="cpu", eval=trained.eval, train=trained.train
    )

    def write(manifest: Path) -> None:
        export(engine, tokenizer, manifest, name="m", notes={}, card=lambda: "", examples=ROWS)

    write(tmp_path / "epoch-1" / "model.json")
    assert (tmp_path / "epoch-1" / "model.json").is_file()
    with torch.no_grad():
        trained.model.norm.weight.mul_(torch.linspace(0.5, 1.5, 48))
    with pytest.raises((InputError, SystemExit)):
        write(tmp_path / "epoch-2" / "model.json")
    assert not (tmp_path / "epoch-2").exists()
