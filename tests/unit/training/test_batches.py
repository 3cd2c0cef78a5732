"""What a step sees, and how it is shared."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.training.batches import (
    MicroBatch,
    packed,
    packed_shares,
    padded,
    shares,
    steps_of_epoch,
)
from limaflow.training.conversation import IGNORED, TokenizedExample


@given(examples=st.integers(1, 200), batch=st.integers(1, 64), epoch=st.integers(1, 20))
def test_an_epoch_sees_every_example_once(examples: int, batch: int, epoch: int) -> None:
    steps = steps_of_epoch(examples, batch, seed=1, epoch=epoch)
    assert sorted(index for step in steps for index in step) == list(range(examples))
    assert all(len(step) == batch for step in steps[:-1])


def test_epochs_differ_in_order_and_repeat_by_seed() -> None:
    first = steps_of_epoch(100, 32, seed=1, epoch=1)
    assert first == steps_of_epoch(100, 32, seed=1, epoch=1)
    assert first != steps_of_epoch(100, 32, seed=1, epoch=2)
    assert first != steps_of_epoch(100, 32, seed=2, epoch=1)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    world=st.integers(1, 8),
    micro_steps=st.integers(1, 8),
)
def test_a_step_is_shared_whole_in_equally_many_micro_steps(
    lengths: list[int], world: int, micro_steps: int
) -> None:
    shared = shares(lengths, world, micro_steps)
    assert len(shared) == world
    assert all(len(mine) == micro_steps for mine in shared)
    micro_batches = [micro for mine in shared for micro in mine]
    assert sorted(p for micro in micro_batches for p in micro) == list(range(len(lengths)))
    sizes = [len(micro) for micro in micro_batches]
    assert max(sizes) - min(sizes) <= 1


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    world=st.integers(1, 8),
    capacity=st.integers(1, 200),
)
def test_a_packed_step_is_shared_whole_within_the_capacity(
    lengths: list[int], world: int, capacity: int
) -> None:
    shared = packed_shares(lengths, world, capacity)
    assert len(shared) == world
    assert len({len(mine) for mine in shared}) == 1
    micro_batches = [micro for mine in shared for micro in mine]
    assert sorted(p for micro in micro_batches for p in micro) == list(range(len(lengths)))
    for micro in micro_batches:
        assert len(micro) <= 1 or sum(lengths[p] for p in micro) <= capacity
    loads = [sum(lengths[p] for p in micro) for micro in micro_batches]
    assert max(loads) - min(loads) <= max(lengths)


LONG = TokenizedExample("a", (1, 2, 3), (IGNORED, 2, 3), 0)
SHORT = TokenizedExample("b", (4, 5), (IGNORED, 5), 0)


def test_a_micro_batch_is_padded_to_its_own_longest() -> None:
    batch = padded([LONG, SHORT], [0.25, 0.5], pad=0)
    assert batch.tokens.tolist() == [[1, 2, 3], [4, 5, 0]]
    assert batch.predicting.tolist() == [[True, True, False], [True, False, False]]
    assert batch.targets.tolist() == [2, 3, 5]
    assert batch.weights.tolist() == [0.25, 0.25, 0.5]
    assert batch.positions is None


def test_a_packed_micro_batch_is_one_row_whose_positions_begin_again_at_each_example() -> None:
    batch = packed([LONG, SHORT], [0.25, 0.5], pad=0)
    assert batch.tokens.tolist() == [[1, 2, 3, 4, 5]]
    assert batch.predicting.tolist() == [[True, True, False, True, False]]
    assert batch.targets.tolist() == [2, 3, 5]
    assert batch.weights.tolist() == [0.25, 0.25, 0.5]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert batch.lengths == (3, 2)


@pytest.mark.parametrize("form", [padded, packed])
def test_an_empty_micro_batch_still_runs(form: Callable[..., MicroBatch]) -> None:
    batch = form([], [], pad=0)
    assert batch.tokens.shape == (1, 2)
    assert not batch.predicting.any()
    assert len(batch.targets) == len(batch.weights) == 0
