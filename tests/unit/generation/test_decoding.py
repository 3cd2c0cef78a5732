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


def generators(rows: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + row) for row in range(rows)]


def one_for_all(rows: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(0)] * rows


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


@pytest.mark.parametrize("top_p", [1.0, 0.6, 0.3])
def test_tokens_of_the_nucleus_are_drawn_as_often_as_they_are_probable(top_p: float) -> None:
    logits = torch.tensor([0.0, 1.0, 1.8, 0.7, -1.0])
    rows = 20_000
    fresh = torch.zeros(rows, 5, dtype=torch.bool)
    asked = decoding(temperature=0.7, top_p=top_p)
    chosen = next_tokens(logits.expand(rows, 5), fresh, one_for_all(rows), asked)
    probabilities = (logits / 0.7).softmax(dim=0)
    inside = in_nucleus(probabilities.expand(5, 5), torch.arange(5), top_p)
    expected = probabilities * inside / (probabilities * inside).sum()
    shares = chosen.bincount(minlength=5) / rows
    assert shares.tolist() == pytest.approx(expected.tolist(), abs=0.015)
    assert not shares[~inside].any()


@given(seed=st.integers(0, 10_000), top_p=st.floats(0.0, 1.0))
def test_a_draw_lies_in_the_nucleus_and_is_the_same_beside_other_rows(
    seed: int, top_p: float
) -> None:
    logits = torch.randn(5, 40, generator=torch.Generator().manual_seed(seed)) * 3
    logits[:, 7] = -torch.inf
    fresh = torch.zeros(5, 40, dtype=torch.bool)
    together = next_tokens(logits, fresh, generators(5, seed), decoding(top_p=top_p))
    assert in_nucleus(logits.softmax(dim=-1), together, top_p).all()
    assert 7 not in together
    for row, noise in enumerate(generators(5, seed)):
        alone = next_tokens(logits[[row]], fresh[[row]], [noise], decoding(top_p=top_p))
        assert alone == together[row]


def test_one_number_is_drawn_of_a_vocabulary_of_which_all_is_kept() -> None:
    noise, same = generators(1)[0], generators(1)[0]
    next_tokens(
        torch.randn(1, 50_000), torch.zeros(1, 50_000, dtype=torch.bool), [noise], decoding()
    )
    torch.rand(1, generator=same)
    assert noise.get_state().equal(same.get_state())


def test_temperature_zero_takes_the_most_probable_after_the_penalty() -> None:
    logits = torch.tensor([[2.0, 1.9, 0.0]])
    fresh, used = torch.tensor([[False] * 3]), torch.tensor([[True, False, False]])
    greedy = decoding(temperature=0.0, repetition_penalty=1.2)
    assert next_tokens(logits, fresh, [], greedy).tolist() == [0]
    assert next_tokens(logits, used, [], greedy).tolist() == [1]
