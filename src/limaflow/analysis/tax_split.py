"""What a benchmark's change is made of: answers that are read, and answers that are right.

An answer that cannot be read counts as wrong, so a tuned model that words its answers otherwise
seems to know less. Of the items whose answers were read in both replies the difference is one of
knowledge; what is left of the whole is one of format. Both are stated, with what the difference
would be if an unread answer were a guess, since its sign can depend on that: from Mistral-7B-v0.2
to its Instruct model MMLU-Pro changes by −0.42, +0.43 (guessed) and +2.1 points (read in both).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limaflow.intervals import Constant, Interval, Resampling
from limaflow.measures.significance import loss_test
from limaflow.measures.summaries import Split, Sureness
from limaflow.records import BenchmarkItem
from limaflow.seeds import seed_for

Values = NDArray[np.float64]
Pairs = Sequence[tuple[BenchmarkItem, BenchmarkItem]]
"""An item before and after tuning."""
BINS = 10
"""Of the expected calibration error (Guo et al. 2017, arXiv 1706.04599, section 2)."""
ROUNDS_AT_ONCE = 64


def split_of(pairs: Pairs, resampling: Resampling) -> Split | None:
    """The split of one task's difference; None where no answers are read, or scores are no shares.

    Args:
        pairs: of one task whose higher scores are better, with scores from 0 to 1.
    """
    read = np.array([not (one.unread or other.unread) for one, other in pairs])
    if all(item.reply is None and not item.unread for pair in pairs for item in pair):
        return None
    weights = np.array([one.weight for one, _ in pairs])
    change = np.array([other.value - one.value for one, other in pairs])
    known = weights * read
    return Split(
        unread_base=sum(one.unread for one, _ in pairs),
        unread_tuned=sum(other.unread for _, other in pairs),
        read_in_both=int(read.sum()),
        format=_format(change, weights, read, resampling) if known.any() else None,
        knowledge=resampling.mean(change, -1, 1, known) if known.any() else None,
        lenient=_lenient(pairs, weights, resampling),
        guessed=_guessed(pairs, weights, resampling),
        format_loss_p=_format_loss(change, weights, read, resampling.seed) if known.any() else None,
        knowledge_loss_p=loss_test(change * known, resampling.seed) if known.any() else None,
    )


def _format_loss(change: Values, weights: Values, read: NDArray[np.bool_], seed: int) -> float:
    """P-value of a loss of format: each item's own part in it, with its sign as good as chance.

    Whether both replies are read stays as it is where base and tuned change names.
    """
    known = weights * read
    return loss_test(change * (weights / weights.sum() - known / known.sum()), seed)


def _lenient(pairs: Pairs, weights: Values, resampling: Resampling) -> Interval | None:
    """The difference by the lenient reader."""
    if any(item.lenient is None for pair in pairs for item in pair):
        return None
    change = np.array([float(other.lenient or 0) - float(one.lenient or 0) for one, other in pairs])
    return resampling.mean(change, -1, 1, weights)


def _guessed(pairs: Pairs, weights: Values, resampling: Resampling) -> Interval | None:
    """The difference where an unread answer counts as one guess among the choices."""
    if any(item.unread and not item.choices for pair in pairs for item in pair):
        return None
    change = np.array([_with_guess(other) - _with_guess(one) for one, other in pairs])
    return resampling.mean(change, -1, 1, weights)


def _with_guess(item: BenchmarkItem) -> float:
    return 1 / item.choices if item.unread and item.choices else item.value


def _format(
    change: Values, weights: Values, read: NDArray[np.bool_], resampling: Resampling
) -> Interval:
    """The whole difference minus that of the items read in both.

    Resampled as `Resampling.mean` does: with half a further item at the end of the scale, which
    here is one whose answer was read in one reply alone, so that no interval vanishes.
    """
    known = weights * read
    generator = np.random.default_rng(seed_for(resampling.seed, "format"))
    low, high = [], []
    for start in range(0, resampling.rounds, ROUNDS_AT_ONCE):
        rounds = min(ROUNDS_AT_ONCE, resampling.rounds - start)
        drawn = generator.standard_exponential((rounds, len(change)))
        beyond = generator.standard_gamma(0.5, rounds) * weights.mean()
        sums, sizes = drawn @ (weights * change), drawn @ weights + beyond
        knowledge = (drawn @ (known * change)) / (drawn @ known)
        low.append((sums - beyond) / sizes - knowledge)
        high.append((sums + beyond) / sizes - knowledge)
    tail = (1 - resampling.confidence) / 2
    whole = float((weights * change).sum() / weights.sum())
    among = float((known * change).sum() / known.sum())
    return Interval(
        estimate=whole - among,
        low=float(np.quantile(np.concatenate(low), tail)),
        high=float(np.quantile(np.concatenate(high), 1 - tail)),
    )


def sureness_of(pairs: Pairs, resampling: Resampling) -> Sureness | None:
    """How probable the right choices became; None where no item has a probability in both."""
    known = [
        (one, other)
        for one, other in pairs
        if one.right_probability is not None and other.right_probability is not None
    ]
    if not known:
        return None
    risen = np.array(
        [(other.right_probability or 0) - (one.right_probability or 0) for one, other in known]
    )
    before, after = _gaps([one for one, _ in known]), _gaps([other for _, other in known])

    def difference(weights: Values) -> Values:
        total = weights.sum(axis=1)
        change: Values = (_error(weights, after) - _error(weights, before)) / total
        return change

    ones = np.ones((1, len(known)))
    drawn = replace(resampling, seed=seed_for(resampling.seed, "calibration"))
    try:
        error = drawn.interval(difference, len(known))
    except Constant as constant:
        error = drawn.mean(np.full(len(known), constant.estimate), -1, 1)
    return Sureness(
        right_probability=resampling.mean(risen, -1, 1),
        base_error=float(_error(ones, before)[0] / len(known)),
        tuned_error=float(_error(ones, after)[0] / len(known)),
        error_difference=error,
        loss_p_value=loss_test(risen, resampling.seed),
    )


def _gaps(items: Sequence[BenchmarkItem]) -> Values:
    """Right minus sure (bins × items), 0 outside an item's own bin."""
    sure = np.array([item.confidence or 0.0 for item in items])
    right = np.array([item.right_probability == item.confidence for item in items], np.float64)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.zeros((BINS, len(items)))
    gaps[bins, np.arange(len(items))] = right - sure
    return gaps


def _error(weights: Values, gaps: Values) -> Values:
    """Sum over bins of |sum of right minus sure| for each round of weights."""
    sums: Values = np.abs(weights @ gaps.T).sum(axis=1)
    return sums
