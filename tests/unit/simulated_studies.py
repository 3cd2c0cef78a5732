"""How often the rules of claims decide rightly, on simulated studies.

`python tests/unit/simulated_studies.py` prints the tables of docs/statistics.md, in two
minutes.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from limaflow.analysis.decision_rules import (
    Decision,
    equivalent,
    every,
    joined,
    no_sure_loss,
)
from limaflow.analysis.replication import Margin, replicates, replication_margin
from limaflow.intervals import Interval, Resampling, mean_of_independent
from limaflow.measures.significance import loss_test

CONFIDENCE = 0.95
MARGIN, LEVEL = 0.02, 0.0125
"""Of the entry `no-tax`."""
PAPER = {300: (0.34, 0.43, 0.58, 0.83), 30: (0.8,), 10: (0.452,)}
"""Prompts of a sample of the paper's → shares that it reports."""


@cache
def task(gained: int, lost: int, items: int) -> tuple[Interval, float]:
    """The paired difference of one task, and the p-value of a loss."""
    changes = np.repeat([1.0, -1.0, 0.0], [gained, lost, items - gained - lost])
    drawn = Resampling(rounds=300, confidence=CONFIDENCE, seed=gained)
    return drawn.mean(changes, -1, 1), loss_test(changes, 1)


def no_tax(tasks: Sequence[tuple[Interval, float]]) -> Decision:
    """As the entry: the mean by two one-sided tests, and no task with a sure loss."""
    mean = mean_of_independent([difference for difference, _ in tasks])
    return every(
        [
            equivalent(mean, MARGIN, confidence=CONFIDENCE),
            joined(no_sure_loss([p_value for _, p_value in tasks], LEVEL)),
        ]
    )


def interval_by_interval(tasks: Sequence[tuple[Interval, float]]) -> Decision:
    """The rule that stood here before, for comparison: each task by its own interval."""
    if any(difference.high < 0 for difference, _ in tasks):
        return "contradicted"
    kept = all(difference.low >= -MARGIN for difference, _ in tasks)
    return "supported" if kept else "undecided"


def taxed(
    losses: Sequence[float], items: int, discordant: float, studies: int, rule=no_tax
) -> Counter[Decision]:
    """Verdicts of studies whose tasks lose these shares in truth."""
    draw = np.random.default_rng(len(losses) * items)
    found: Counter[Decision] = Counter()
    for _ in range(studies):
        tasks = []
        for loss in losses:
            chances = [(discordant - loss) / 2, (discordant + loss) / 2, 1 - discordant]
            gained, lost, _ = draw.multinomial(items, chances).tolist()
            tasks.append(task(gained, lost, items))
        found[rule(tasks)] += 1
    return found


@cache
def share(wins: int, prompts: int) -> Interval:
    drawn = Resampling(rounds=1000, confidence=CONFIDENCE, seed=wins)
    return drawn.share((np.arange(prompts) < wins) * 1.0, np.ones(prompts))


def replicated(
    truth: float, margin: Margin, prompts: int, studies: int, *, printed: bool = True
) -> Counter[Decision]:
    """Verdicts of replications of a share.

    Args:
        printed: whether the paper's share is as printed, or is drawn anew as the replication's is.
    """
    draw = np.random.default_rng(prompts)
    found: Counter[Decision] = Counter()
    for wins in draw.binomial(prompts, truth, studies).tolist():
        around = margin
        if not printed:
            again = draw.binomial(int(margin.prompts), margin.value) / margin.prompts
            around = replication_margin(again, margin.prompts)
        found[replicates(share(wins, prompts), around, confidence=CONFIDENCE)] += 1
    return found


def above_the_lower_end(truth: float, margin: Margin, prompts: int, studies: int) -> float:
    """The rule that stood here before: how often a replication lay above the derived lower end."""
    draw = np.random.default_rng(prompts)
    lowest = margin.value - 1.96 * (margin.value * (1 - margin.value) / margin.prompts) ** 0.5
    wins = draw.binomial(prompts, truth, studies).tolist()
    return sum(share(count, prompts).low > lowest for count in wins) / studies


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def main() -> None:
    studies = 1000
    designs = [
        ("20 tasks, none loses", [0.0] * 20, 1000),
        ("20 tasks, none loses", [0.0] * 20, 100),
        ("5 tasks, none loses", [0.0] * 5, 1000),
        ("one task, loses nothing", [0.0], 1000),
        ("20 tasks, each loses 1 point", [0.01] * 20, 1000),
        ("20 tasks, each loses 2 points", [0.02] * 20, 1000),
        ("20 tasks, one loses 10 points", [0.1] + [0.0] * 19, 1000),
        ("20 tasks, half lose and half gain 5 points", [0.05, -0.05] * 10, 1000),
    ]
    rows = []
    for name, losses, items in designs:
        cells = []
        for rule in (no_tax, interval_by_interval):
            found = taxed(losses, items, 0.25, studies, rule)
            cells += [f"{found[v] / studies:.1%}" for v in ("supported", "contradicted")]
        rows.append([name, items, *cells])
    columns = ["supported", "contradicted", "supported before", "contradicted before"]
    table(["truth", "items a task", *columns], rows)
    rows = []
    for prompts, shares in PAPER.items():
        for value in shares:
            margin = replication_margin(value, prompts)
            exact = replicated(value, margin, prompts, studies)["supported"]
            drawn = replicated(value, margin, prompts, studies, printed=False)["supported"]
            away = value + 2 * margin.size * (1 if value < 0.5 else -1)
            twice = replicated(away, margin, prompts, studies)["contradicted"]
            before = above_the_lower_end(value, margin, prompts, studies)
            rows.append(
                [
                    *(f"{value:.1%}", prompts, f"±{100 * margin.needed:.1f}"),
                    *("yes" if margin.decides else "no",),
                    *(f"{count / studies:.1%}" for count in (exact, drawn, twice)),
                    f"{before:.1%}",
                ]
            )
    table(
        [
            *("share", "prompts", "margin needed", "decides", "exact: supported"),
            *("both drawn: supported", "twice away: contradicted", "supported before"),
        ],
        rows,
    )


if __name__ == "__main__":
    main()
