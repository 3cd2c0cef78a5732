"""Verdicts on one pair in two orders and several samples, merged into one prompt's outcome.

Plain functions on scores from the view of one model: 1 it wins, 0 a tie, -1 it loses.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from limaflow.errors import InputError
from limaflow.records import Verdict
from limaflow.summaries import Merge

Prompts = Mapping[str, Sequence[Sequence[int]]]
"""Prompt id → samples → the score of each order."""


def scores_by_prompt(verdicts: Iterable[Verdict], first: str) -> dict[str, list[list[int]]]:
    """Prompt → samples → the score of each order: 1 where `first` wins, 0 a tie, -1 where it loses.

    A sample of which one order failed is left out, and with its last sample the prompt.

    Raises:
        InputError: one sample was judged twice in one order.
    """
    read: dict[tuple[str, int], dict[str, int | None]] = defaultdict(dict)
    for verdict in verdicts:
        orders = read[verdict.prompt_id, verdict.sample]
        if verdict.first in orders:
            raise InputError(
                f"prompt {verdict.prompt_id}, sample {verdict.sample}: two verdicts of "
                f"'{verdict.annotator}' with '{verdict.first}' shown first"
            )
        orders[verdict.first] = _score(verdict, first)
    prompts: dict[str, list[list[int]]] = defaultdict(list)
    for (prompt_id, _), orders in sorted(read.items()):
        scores = [score for score in orders.values() if score is not None]
        if len(scores) == len(orders):
            prompts[prompt_id].append(scores)
    return dict(prompts)


def _score(verdict: Verdict, first: str) -> int | None:
    if verdict.choice is None:
        return None
    if verdict.choice == "tie":
        return 0
    chosen = verdict.first if verdict.choice == "first" else verdict.second
    return 1 if chosen == first else -1


def merged(orders: Sequence[int], rule: Merge) -> tuple[float, float, float]:
    """(win, tie, lose) of one sample, summing to 1, from the scores of its one or two orders.

    strict: a win or loss only where all orders agree, else a tie (the conservative rule of Zheng et
    al. 2023, 2306.05685, sec. 3.4). mean: each order counts an equal part.
    """
    if rule == "strict":
        orders = [orders[0] if len(set(orders)) == 1 else 0]
    win, tie, lose = (sum(score == kind for score in orders) / len(orders) for kind in (1, 0, -1))
    return win, tie, lose


def rates(prompts: Prompts, rule: Merge) -> list[tuple[float, float, float]]:
    """(win, tie, lose) of each prompt in the order of ids: the mean over its samples."""
    return [
        tuple(np.mean([merged(orders, rule) for orders in samples], axis=0).tolist())
        for _, samples in sorted(prompts.items())
    ]


def sign_test(prompts: Prompts, rule: Merge) -> float:
    """Two-sided p-value that a prompt is as likely won as lost; tied prompts are left out.

    The sign test (Dixon & Mood 1946) on the sign of each prompt's summed score.
    """
    sums = []
    for samples in prompts.values():
        parts = [merged(orders, rule) for orders in samples]
        sums.append(sum(win - lose for win, _, lose in parts))
    won, lost = sum(s > 0 for s in sums), sum(s < 0 for s in sums)
    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0


def consistency(prompts: Prompts) -> list[float]:
    """Of each prompt judged in both orders: the share of samples on which the two orders agree."""
    shares = []
    for _, samples in sorted(prompts.items()):
        both = [orders for orders in samples if len(orders) == 2]
        if both:
            shares.append(sum(one == other for one, other in both) / len(both))
    return shares


def first_slot_share(verdicts: Iterable[Verdict]) -> float | None:
    """Share of decided verdicts that chose the response shown first; ½ without position bias."""
    return _share([v.choice == "first" for v in verdicts if v.choice in {"first", "second"}])


def longer_wins(verdicts: Iterable[Verdict], chars: Mapping[str, int]) -> float | None:
    """Share of decided verdicts on responses of unequal length that chose the longer one.

    Args:
        chars: response id → length in characters.
    """
    decided = [v for v in verdicts if v.choice in {"first", "second"}]
    lengths = [(v, chars[v.first_response_id], chars[v.second_response_id]) for v in decided]
    return _share([(v.choice == "first") == (a > b) for v, a, b in lengths if a != b])


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
