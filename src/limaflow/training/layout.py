"""How the steps of a run are laid out over ranks and micro-batches, and what padding that costs."""

import math
from collections.abc import Iterator, Sequence

from limaflow.training.batches import packed_shares, shares, steps_of_epoch
from limaflow.training.settings import Launch, Training


def steps_an_epoch(examples: int, settings: Training) -> int:
    """Optimizer steps of an epoch; the last one takes the examples that are left."""
    return math.ceil(examples / settings.batch_examples)


def micro_steps(
    lengths: Sequence[int], settings: Training, launch: Launch, *, world: int, seed: int
) -> int:
    """Micro-batches of each rank in every step of the run: as many as its fullest step needs.

    DeepSpeed wants one number for all steps; one with less to do runs some that are empty.

    Args:
        lengths: tokens of each training example.
    """
    if launch.packed_tokens is None:
        return math.ceil(settings.batch_examples / (world * launch.micro_batch_examples))
    needed = 1
    for epoch in range(1, settings.epochs + 1):
        for step in _steps(lengths, settings, seed=seed, epoch=epoch):
            needed = len(packed_shares(step, world, launch.packed_tokens, needed)[0])
    return needed


def padding_if_padded(
    lengths: Sequence[int], settings: Training, launch: Launch, *, world: int, seed: int
) -> float:
    """Share of the first epoch's positions that would be padding if nothing were packed."""
    unpacked = launch.model_copy(update={"micro_batch_tokens": None})
    splits = micro_steps(lengths, settings, unpacked, world=world, seed=seed)
    computed = sum(
        len(micro) * max((step[position] for position in micro), default=0)
        for step in _steps(lengths, settings, seed=seed, epoch=1)
        for rank in shares(step, world, splits)
        for micro in rank
    )
    return 1 - sum(lengths) / computed


def _steps(
    lengths: Sequence[int], settings: Training, *, seed: int, epoch: int
) -> Iterator[list[int]]:
    """The lengths of the examples of each step of an epoch."""
    for step in steps_of_epoch(len(lengths), settings.batch_examples, seed=seed, epoch=epoch):
        yield [lengths[index] for index in step]
