"""The head computes trained positions alone, with the loss and gradient of the full computation."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from architectures import ARCHITECTURES, tiny_model
from torch import nn
from torch.nn.functional import cross_entropy

from limaflow.training.batches import MicroBatch, packed, padded
from limaflow.training.conversation import IGNORED, TokenizedExample
from limaflow.training.logits import borders, logits_of_targets
from limaflow.training.loss import weighted_loss

VOCABULARY = 90
WEIGHTS = [0.02, 0.05, 0.03]
BOUND = 1e-5


class Engine(SimpleNamespace):
    """What DeepSpeed's engine does around a model, without its optimizer."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.module(*args, **options)


def engine_of(model: Any) -> Engine:
    return Engine(module=model, device=torch.device("cpu"))


def examples() -> list[TokenizedExample]:
    """Of 14, 9 and 5 tokens; the first two begin with questions, the first has a second one."""
    generator = torch.Generator().manual_seed(0)
    trained = [
        [*range(4, 8), *range(10, 14)],
        list(range(5, 9)),
        list(range(1, 5)),
    ]
    found = []
    for number, (length, places) in enumerate(zip((14, 9, 5), trained, strict=True)):
        tokens = torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()
        labels = tuple(t if at in places else IGNORED for at, t in enumerate(tokens))
        found.append(TokenizedExample(str(number), tuple(tokens), labels, 0))
    return found


def full_loss(model: Any, batch: MicroBatch) -> torch.Tensor:
    """Over all logits, of which those of trained tokens are then taken."""
    logits = model(batch.tokens, position_ids=batch.positions, use_cache=False).logits
    losses = cross_entropy(logits[batch.predicting], batch.targets, reduction="none")
    return (losses * batch.weights).sum()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_loss_and_gradient_are_those_of_the_full_computation(name: str) -> None:
    model = tiny_model(name, VOCABULARY).eval()
    forms = [padded, packed] if ARCHITECTURES[name].packs else [padded]
    for form in forms:
        batch = form(examples(), WEIGHTS, pad=0)
        found = logits_of_targets(engine_of(model), batch)
        assert found.shape == (16, VOCABULARY)
        expected = full_loss(model, batch)
        loss = weighted_loss(found, batch.targets, batch.weights)
        assert loss.item() == pytest.approx(expected.item(), rel=BOUND)
        gradients = []
        for each in (loss, expected):
            model.zero_grad(set_to_none=True)
            each.backward()
            gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
        assert gradients[0].keys() == gradients[1].keys()
        for weight, gradient in gradients[1].items():
            error = (gradients[0][weight] - gradient).norm()
            assert error <= BOUND * gradient.norm() + 1e-9, (form.__name__, weight, float(error))


@pytest.mark.parametrize("form", [padded, packed])
def test_the_head_reads_no_untrained_position(form: Any) -> None:
    model = tiny_model("llama", VOCABULARY)
    rows: list[int] = []
    model.lm_head.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    logits_of_targets(engine_of(model), form(examples(), WEIGHTS, pad=0))
    logits_of_targets(engine_of(model), form([], [], pad=0))
    assert rows == [16, 0]


class WithoutChoice(nn.Module):
    """A model whose head knows no positions."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.config = model, model.config

    def forward(self, tokens: Any, position_ids: Any = None, use_cache: bool = True) -> Any:
        return self.model(tokens, position_ids=position_ids, use_cache=use_cache)


def test_a_model_whose_head_knows_no_positions_computes_all() -> None:
    model = tiny_model("llama", VOCABULARY).eval()
    batch = padded(examples(), WEIGHTS, pad=0)
    found = logits_of_targets(engine_of(WithoutChoice(model)), batch)
    assert torch.allclose(found, logits_of_targets(engine_of(model), batch), atol=1e-5)


def test_flash_attention_is_told_where_examples_end() -> None:
    model = SimpleNamespace(config=SimpleNamespace(_attn_implementation="flash_attention_2"))
    told = borders(model, [3, 2], torch.device("cpu"))
    assert told["cu_seq_lens_q"].tolist() == [0, 3, 5]
    assert told["cu_seq_lens_q"].dtype == torch.int32
    assert told["max_length_k"] == 3
    model.config._attn_implementation = "sdpa"
    assert borders(model, [3, 2], torch.device("cpu")) == {}
