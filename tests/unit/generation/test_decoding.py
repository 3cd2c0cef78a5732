"""The paper's decoding, against transformers' own where the two should agree, and by its laws."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import RepetitionPenaltyLogitsProcessor, TopPLogitsWarper

from limaflow.generation.decoding import in_nucleus, next_tokens, penalized
from limaflow.generation.settings import Decoding


def decoding(**changes: float) -> Decoding:
    values = {"top_p": 1.0, "temperature": 1.0, "repetition_penalty": 1.0}
    return Decoding(**{**values, **changes}, max_tokens=10, samples=1)


def exponential(rows: int, vocabulary: int) -> torch.Tensor:
    return torch.empty(rows, vocabulary).exponential_(generator=torch.Generator().manual_seed(0))


@given(seed=st.integers(0, 10_000), top_p=st.floats(0.05, 0.99))
def test_the_nucleus_is_the_one_of_transformers(seed: int, top_p: float) -> None:
    scores = torch.randn(3, 40, generator=torch.Generator().manual_seed(seed)) * 3
    probabilities = scores.softmax(dim=-1)
    columns = [in_nucleus(probabilities, torch.full((3,), t), top_p) for t in range(40)]
    ours = torch.stack(columns, dim=-1)
    theirs = TopPLogitsWarper(top_p)(torch.zeros(3, 1, dtype=torch.long), scores).isfinite()
    assert ours.equal(theirs)


def test_the_penalty_is_the_one_of_transformers_on_the_tokens_it_is_given() -> None:
    scores = torch.randn(2, 10, generator=torch.Generator().manual_seed(0))
    seen = torch.tensor([[1, 5], [2, 7]])
    generated = torch.zeros(2, 10, dtype=torch.bool).scatter(1, seen, True)
    expected = RepetitionPenaltyLogitsProcessor(1.2)(seen, scores.clone())
    assert penalized(scores, generated, 1.2).equal(expected)


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    rows = 40_000
    chosen = next_tokens(
        logits.expand(rows, 4), torch.zeros(rows, 4, dtype=torch.bool), exponential(rows, 4),
        decoding(temperature=0.7),
    )  # fmt: skip
    shares = chosen.bincount(minlength=4) / rows
    assert shares.tolist() == pytest.approx((logits / 0.7).softmax(dim=0).tolist(), abs=0.01)


def test_nothing_outside_the_nucleus_is_ever_drawn() -> None:
    rows = 5_000
    logits = torch.tensor([3.0, 2.9, 0.0, -1.0]).expand(rows, 4)
    noise = exponential(rows, 4)
    noise[:, 3] = 0.0
    chosen = next_tokens(logits, torch.zeros(rows, 4, dtype=torch.bool), noise, decoding(top_p=0.8))
    assert set(chosen.tolist()) == {0, 1}


@given(seed=st.integers(0, 10_000), top_p=st.floats(0.0, 1.0))
def test_a_draw_is_the_best_one_of_the_nucleus(seed: int, top_p: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(5, 40, generator=generator) * 3
    noise = torch.empty(5, 40).exponential_(generator=generator)
    probabilities = logits.softmax(dim=-1)
    columns = [in_nucleus(probabilities, torch.full((5,), t), top_p) for t in range(40)]
    expected = (torch.stack(columns, dim=-1) * probabilities / noise).argmax(dim=-1)
    fresh = torch.zeros(5, 40, dtype=torch.bool)
    assert next_tokens(logits, fresh, noise, decoding(top_p=top_p)).equal(expected)


def test_temperature_zero_takes_the_most_probable_after_the_penalty() -> None:
    logits = torch.tensor([[2.0, 1.9, 0.0]])
    fresh, used = torch.tensor([[False] * 3]), torch.tensor([[True, False, False]])
    greedy = decoding(temperature=0.0, repetition_penalty=1.2)
    assert next_tokens(logits, fresh, logits, greedy).tolist() == [0]
    assert next_tokens(logits, used, logits, greedy).tolist() == [1]
