"""Verdicts on one pair in two orders and several samples, merged into one prompt's outcome.

Plain functions on scores from the view of one model: 1 it wins, 0 a tie, -1 it loses.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from limaflow.errors import InputError, shortened
from limaflow.intervals import Array
from limaflow.measures.summaries import Merge
from limaflow.records import Choice, Verdict

Sample = Mapping[str, int]
"""Model shown first → score: one or two orders."""
Prompts = Mapping[str, Mapping[int, Sample]]
"""Prompt id → sample number → its scores."""
CHOSEN: Mapping[Choice, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}


def scores_by_prompt(verdicts: Iterable[Verdict], first: str) -> dict[str, dict[int, Sample]]:
    """Prompt → sample → order → 1 where `first` wins, 0 a tie, -1 where it loses.

    A sample of which one order failed is left out, and with its last sample the prompt.

    Raises:
        InputError: one sample was judged twice in one order.
    """
    read: dict[tuple[str, int], dict[str, int | None]] = defaultdict(dict)
    for verdict in verdicts:
        orders = read[verdict.prompt_id, verdict.sample]
        if verdict.first in orders:
            raise InputError(
                f"prompt {shortened(verdict.prompt_id)}, sample {verdict.sample}: two verdicts of "
                f"'{shortened(verdict.annotator)}' with '{shortened(verdict.first)}' shown first",
                fix="`limaflow judge import --repeats` takes the second one as another reading",
            )
        orders[verdict.first] = _score(verdict, first)
    prompts: dict[str, dict[int, Sample]] = defaultdict(dict)
    for (prompt_id, sample), orders in sorted(read.items()):
        scores = {shown: score for shown, score in orders.items() if score is not None}
        if len(scores) == len(orders):
            prompts[prompt_id][sample] = scores
    return dict(prompts)


def _score(verdict: Verdict, first: str) -> int | None:
    if verdict.choice is None:
        return None
    if verdict.choice == "tie":
        return 0
    chosen = verdict.first if verdict.choice == "first" else verdict.second
    return 1 if chosen == first else -1


def shares_given(verdicts: Iterable[Verdict], first: str, prompts: Prompts) -> Array:
    """What part of the win the annotator gives `first`, of each prompt in the order of ids.

    The mean over orders and samples that `prompts` counts. A mere choice gives 1, ½ or 0. Empty
    where every verdict is one.
    """
    given: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    graded = False
    for v in verdicts:
        if v.choice is None or v.sample not in prompts.get(v.prompt_id, {}):
            continue
        graded |= v.first_share is not None
        share = CHOSEN[v.choice] if v.first_share is None else v.first_share
        given[v.prompt_id][v.sample].append(share if v.first == first else 1 - share)
    found = [
        float(np.mean([np.mean(orders) for orders in samples.values()]))
        for _, samples in sorted(given.items())
    ]
    return np.array(found if graded else [], dtype=np.float64)


def pooled(verdicts: Sequence[Verdict], name: str) -> list[Verdict]:
    """The verdicts of all annotators as those of one crowd called `name`.

    Each annotator's reading of a response counts as a sample of its own of the same prompt.
    """
    readings = sorted({(v.annotator, v.sample) for v in verdicts})
    number = {reading: n for n, reading in enumerate(readings)}
    several = len({v.annotator for v in verdicts})
    return [
        replace(v, annotator=name, pool=several, sample=number[v.annotator, v.sample])
        for v in verdicts
    ]


def renumbered(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts, each further reading of a sample as a sample of its own of the same prompt."""
    kept = list(verdicts)
    if not any(v.reading for v in kept):
        return kept
    readings = sorted({(v.sample, v.reading) for v in kept})
    number = {reading: n for n, reading in enumerate(readings)}
    return [replace(v, sample=number[v.sample, v.reading], reading=0) for v in kept]


def merged(orders: Collection[int], rule: Merge) -> tuple[float, float, float]:
    """(win, tie, lose) of one sample, summing to 1, from the scores of its one or two orders.

    strict: a win or loss only where all orders agree, else a tie (the conservative rule of Zheng et
    al. 2023, 2306.05685, sec. 3.4). majority: what more orders say, so that a tie yields to the
    other order's win, and a win and a loss are a tie (Li et al. 2023, 2308.12032, for Cherry LLM;
    Tan et al. 2024, 2410.12784, for JudgeBench). mean: each order counts an equal part.
    """
    scores = list(orders)
    if rule == "strict":
        scores = [scores[0] if len(set(scores)) == 1 else 0]
    if rule == "majority":
        scores = [int(np.sign(sum(scores)))]
    win, tie, lose = (sum(score == kind for score in scores) / len(scores) for kind in (1, 0, -1))
    return win, tie, lose


def rates(prompts: Prompts, rule: Merge) -> list[tuple[float, float, float]]:
    """(win, tie, lose) of each prompt in the order of ids: the mean over its samples."""
    return [
        tuple(np.mean([merged(s.values(), rule) for s in samples.values()], axis=0).tolist())
        for _, samples in sorted(prompts.items())
    ]
