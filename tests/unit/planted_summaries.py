"""Summaries of comparisons and benchmarks with values that a test plants."""

from limaflow.intervals import Interval
from limaflow.measures.summaries import (
    Annotators,
    MeanChars,
    Preference,
    Rates,
    Refusable,
    StandardErrors,
    TaskTax,
)

MODEL = Annotators(kind="model", models=("some-model",))


def preference(
    first: str,
    second: str,
    win: float,
    *,
    half: float = 0.05,
    annotators: Annotators = MODEL,
    prompts: int = 100,
) -> Preference:
    def around(share: float) -> Interval:
        return Interval(share, share - half, share + half)

    return Preference(
        comparison=f"{first}-vs-{second}",
        first=first,
        second=second,
        judge="j",
        prompts=prompts,
        annotators=annotators,
        verdicts=100,
        errors=0,
        win=around(win),
        tie=around(0.2),
        lose=around(0.8 - win),
        adjusted_win=around(win + 0.1),
        error_share=0.0,
        p_value=0.04,
        permutation_p_value=0.05,
        merge="strict",
        other_merges=(Rates(rule="mean", win=0.6, tie=0.2, lose=0.2),),
        standard_errors=StandardErrors(
            win=0.03, tie=0.02, lose=0.02, adjusted_win=0.03, graded_win=None
        ),
        position_consistency=None,
        same_slot=None,
        first_slot_share=None,
        longer_wins=None,
        length_controlled_win=Refusable(refused="the lengths of the responses are not known"),
        longer_by=None,
        power=None,
        mean_chars=MeanChars(first=None, second=None),
        cost=0.0,
    )


def tax(low: float, high: float, arm: str = "lima", items: int = 1000, task: str = "t") -> TaskTax:
    even = Interval(0.5, 0.4, 0.6)
    return TaskTax(
        task=task,
        metric="acc",
        arm=arm,
        base=even,
        tuned=even,
        difference=Interval((low + high) / 2, low, high),
        items=items,
        loss_p_value=0.001 if high < 0 else 0.5,
    )
