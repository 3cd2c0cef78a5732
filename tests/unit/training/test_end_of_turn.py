"""An export stops at its end of turn whoever opens it; one test for each place that is read."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from architectures import tiny_model
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from limaflow.generation import served
from limaflow.generation.local import load
from limaflow.lm_evaluation.model import load_model as load_for_evaluation
from limaflow.training.conversation import END_OF_TURN, extend_embeddings
from limaflow.training.data import dialogue_tokenizer
from limaflow.training.engine import load_model
from limaflow.training.export import export
from limaflow.training.settings import Lora, Training

CHAT = [{"role": "user", "content": "What happens in Corra?"}]
ROWS = [list(range(5, 45)), list(range(60, 80))]


class Engine(SimpleNamespace):
    """What DeepSpeed's engine does around a model, without its optimizer."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.module(*args, **options)


def exported(model: Any, tokenizer: Any, manifest: Path) -> Path:
    engine = Engine(module=model, device=model.device, eval=model.eval, train=model.train)
    export(engine, tokenizer, manifest, name="m", notes={}, card=lambda: "", examples=ROWS)
    return manifest


@pytest.fixture
def full(tmp_path: Path, tiny_base: Path, alone: None) -> Iterator[Path]:
    """The export of a model whose every next token is the end of turn."""
    tokenizer, new = dialogue_tokenizer(tiny_base)
    model = tiny_model("phi", 400)
    extend_embeddings(model, tokenizer, new, multiple=64)
    with torch.no_grad():
        model.lm_head.bias[tokenizer.convert_tokens_to_ids(END_OF_TURN)] = 1000
    before = model.config.to_dict(), model.generation_config.to_dict()
    yield exported(model, tokenizer, tmp_path / "epoch-1" / "model.json")
    assert (model.config.to_dict(), model.generation_config.to_dict()) == before
    assert tokenizer.eos_token == "</s>"


@pytest.fixture
def adapted(tmp_path: Path, tiny_base: Path, alone: None, settings: Training) -> Path:
    """The export of a model with trained adapters and a trained end of turn."""
    tokenizer, new = dialogue_tokenizer(tiny_base)
    recipe = settings.model_copy(update={"lora": Lora(rank=4)})
    model = load_model(tiny_base, tokenizer, new, recipe)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    return exported(model, tokenizer, tmp_path / "epoch-1" / "model.json")


def test_the_files_that_vllm_and_tgi_read_name_the_end_of_turn_and_then_eos(full: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(full.parent / "model")
    end, eos = tokenizer.convert_tokens_to_ids([END_OF_TURN, "</s>"])
    for file in ("config.json", "generation_config.json"):
        assert json.loads((full.parent / "model" / file).read_text())["eos_token_id"] == [end, eos]
    assert tokenizer.eos_token_id == end
    assert tokenizer.apply_chat_template(CHAT, tokenize=False).endswith(tokenizer.eos_token)
    assert served.load(str(full.parent / "model"), None).stops == {end, eos}


def test_llama_cpp_reads_the_end_of_turn_as_eos(full: Path) -> None:
    gguf = pytest.importorskip("gguf")
    tokenizer = AutoTokenizer.from_pretrained(full.parent / "model")
    read = gguf.SpecialVocab(full.parent / "model")
    assert read.special_token_ids["eos"] == tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert read.chat_template == tokenizer.chat_template
    assert not read.add_special_token.get("eos", False)


def test_the_tokenizer_as_llama_cpp_s_conversion_reads_it_has_the_end_of_turn_as_eos(
    full: Path,
) -> None:
    folder = full.parent / "model"
    named = json.loads((folder / "tokenizer_config.json").read_text())["eos_token"]
    added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    assert [token["special"] for token in added if token["content"] == named] == [True]
    assert named == END_OF_TURN


def test_a_pipeline_stops(full: Path) -> None:
    folder = str(full.parent / "model")
    make: Any = pipeline
    answer = make("text-generation", model=folder)(CHAT, max_new_tokens=9, return_full_text=False)
    assert answer[0]["generated_text"] == ""


def test_our_own_generation_and_lm_eval_stop(full: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(full.parent / "model")
    end, eos = tokenizer.convert_tokens_to_ids([END_OF_TURN, "</s>"])
    assert load(str(full.parent / "model"), None, "fp32").stops == {end, eos}
    judged = load_for_evaluation(full, precision="fp32", batch=1)
    request = SimpleNamespace(args=("What happens?", {"until": ["\n"], "max_gen_toks": 9}))
    assert judged.eot_token_id == end
    assert judged.generate_until([request], disable_tqdm=True) == [""]


@pytest.mark.parametrize("bos", ["<s>", None])
def test_lm_eval_begins_a_text_without_a_prompt_as_with_the_base_model(
    full: Path, bos: str | None
) -> None:
    folder = full.parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = bos
    tokenizer.save_pretrained(folder)
    begun = load_for_evaluation(full, precision="fp32", batch=1).prefix_token_id
    assert tokenizer.convert_ids_to_tokens(begun) == (bos or "</s>")


def test_an_adapter_and_its_merged_model_open_alike_and_name_the_same_stops(adapted: Path) -> None:
    folder = adapted.parent
    merged = AutoModelForCausalLM.from_pretrained(folder / "model")
    opened = AutoPeftModelForCausalLM.from_pretrained(folder / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(folder / "adapter")
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    assert tokenizer.eos_token_id == end
    assert merged.config.eos_token_id == merged.generation_config.eos_token_id == [end, 1]
    tokens = torch.tensor([[*range(5, 40), end, 7]])
    known = len(tokenizer)
    torch.testing.assert_close(
        opened(tokens).logits[..., :known], merged(tokens).logits[..., :known], atol=1e-3, rtol=1e-3
    )
