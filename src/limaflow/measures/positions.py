"""What the order in which two answers are shown does to a judge (Zheng et al. 2023, table 2)."""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from limaflow.intervals import Array
from limaflow.measures.outcomes import Prompts
from limaflow.records import Verdict


def consistency(prompts: Prompts) -> Array:
    """Of each prompt judged in both orders: the share of samples on which the two agree."""
    return _shares(prompts, lambda one, other: one == other)


def toward_first(prompts: Prompts, first: str) -> Array:
    """Likewise: the share on which both orders chose the answer shown first.

    Args:
        first: the model from whose view the scores are.
    """
    return _shares(prompts, lambda ahead, behind: (ahead, behind) == (1, -1), first)


def toward_second(prompts: Prompts, first: str) -> Array:
    """Likewise: the share on which both orders chose the answer shown second."""
    return _shares(prompts, lambda ahead, behind: (ahead, behind) == (-1, 1), first)


def _shares(prompts: Prompts, holds: Callable[[int, int], bool], first: str = "") -> Array:
    """Share of samples whose scores, that with `first` shown first ahead, fulfil `holds`."""
    shares = []
    for _, samples in sorted(prompts.items()):
        both = [
            [score for _, score in sorted(orders.items(), key=lambda shown: shown[0] != first)]
            for orders in samples.values()
            if len(orders) == 2
        ]
        if both:
            shares.append(sum(holds(ahead, behind) for ahead, behind in both) / len(both))
    return np.array(shares, dtype=np.float64)


def first_slot(verdicts: Iterable[Verdict]) -> tuple[Array, Array]:
    """Decided verdicts for the answer shown first, and all decided ones, prompt by prompt.

    Their ratio is ½ without bias, provided that each pair is shown in both orders or in one drawn.
    """
    hits: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.choice in {"first", "second"}:
            decided[verdict.prompt_id] += 1
            hits[verdict.prompt_id] += verdict.choice == "first"
    return per_prompt(hits, decided)


def per_prompt(parts: Counter[str], wholes: Counter[str]) -> tuple[Array, Array]:
    """Two counts as arrays over the prompts that have any, in the order of ids."""
    ids = sorted(i for i, count in wholes.items() if count)
    return np.array([parts[i] for i in ids], float), np.array([wholes[i] for i in ids], float)
