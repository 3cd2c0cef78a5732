"""Scores depend on a row alone: not on its batch, nor on the pieces in which it is read."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from limaflow.token_shift.scoring import NAMES, Row, scored

ROWS = [
    Row(prompt=list(range(5, 5 + length)), response=list(range(40, 40 + response)))
    for length, response in ((3, 9), (12, 4), (1, 20), (7, 1))
]


def models(folder: Path) -> tuple[Any, Any]:
    base = AutoModelForCausalLM.from_pretrained(folder / "model").eval()
    tuned = AutoModelForCausalLM.from_pretrained(folder / "model").eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in tuned.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return tuned, base


@pytest.mark.parametrize("cells", [2**26, 4 * 400 * 3, 1])
def test_a_batch_in_pieces_is_as_each_row_alone_and_whole(tiny_base: Path, cells: int) -> None:
    tuned, base = models(tiny_base.parent)
    together = scored(tuned, base, ROWS, vocabulary=400, cells=cells)
    for row, found in zip(ROWS, together, strict=True):
        alone = scored(tuned, base, [row], vocabulary=400)[0]
        for name in NAMES:
            assert getattr(found, name) == pytest.approx(getattr(alone, name), abs=1e-5), name
            assert len(getattr(found, name)) == len(row.response)


def test_models_that_keep_a_window_are_read_whole() -> None:
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        sliding_window=4,
    )
    model = MistralForCausalLM(config).eval()
    rows = [Row(prompt=[1, 2, 3], response=list(range(10, 30))), Row(prompt=[4], response=[5, 6])]
    for row, found in zip(rows, scored(model, model, rows, vocabulary=64, cells=1), strict=True):
        with torch.inference_mode():
            logits = model(torch.tensor([[*row.prompt, *row.response]])).logits[0]
        after = logits[len(row.prompt) - 1 : -1].log_softmax(-1)
        expected = after.gather(-1, torch.tensor(row.response)[:, None])[:, 0].tolist()
        assert found.log_probabilities == pytest.approx(expected, abs=1e-5)


def test_equally_probable_tokens_share_the_better_rank(tiny_base: Path) -> None:
    _, base = models(tiny_base.parent)
    with torch.no_grad():
        base.lm_head.weight.zero_()
    found = scored(base, base, ROWS, vocabulary=400)
    assert all(set(one.ranks) == set(one.choice_ranks) == {1} for one in found)


def test_rows_of_the_head_beyond_the_vocabulary_do_not_count(tiny_base: Path) -> None:
    _, base = models(tiny_base.parent)
    narrow = scored(base, base, ROWS[:1], vocabulary=60)[0]
    assert max(narrow.ranks) <= 60
    assert max(narrow.reference_choices) < 60
