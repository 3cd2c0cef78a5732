"""What a step sees, and how it is shared."""

from hypothesis import given
from hypothesis import strategies as st

from limaflow.training.batches import collate, shares, steps_of_epoch
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


def test_a_micro_batch_is_padded_to_its_own_longest_and_an_empty_one_still_runs() -> None:
    long = TokenizedExample("a", (1, 2, 3), (IGNORED, 2, 3), 0)
    short = TokenizedExample("b", (4, 5), (IGNORED, 5), 0)
    tokens, labels = collate([long, short], pad=0)
    assert tokens.tolist() == [[1, 2, 3], [4, 5, 0]]
    assert labels.tolist() == [[IGNORED, 2, 3], [IGNORED, 5, IGNORED]]
    tokens, labels = collate([], pad=0)
    assert tokens.shape == (1, 2)
    assert labels.unique().tolist() == [IGNORED]
