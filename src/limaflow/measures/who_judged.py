"""Who made judgments and on which prompts, read from the records themselves."""

from collections.abc import Collection, Iterable, Sequence

from limaflow.measures.summaries import Annotators, AnnotatorsKind
from limaflow.records import Judgment
from limaflow.seeds import digest

MINIATURE = "miniature-"
"""Begins the system fingerprint that the judge of the invented world returns
(tools/miniature/judge_server.py), whatever model it is asked for."""


def annotators_of(judgments: Sequence[Judgment]) -> Annotators:
    """Kind, number and models of all who judged.

    A model is also known by answers that name the model that gave them. A call that failed names
    nobody and says nothing of who answered the others.
    """
    answered = [judgment for judgment in judgments if judgment.error is None]
    kinds = {kind_of(judgment) for judgment in answered or judgments} or {"unspecified"}
    return Annotators(
        kind=kinds.pop() if len(kinds) == 1 else "mixed",
        number=max(
            len({judgment.annotator for judgment in judgments}),
            max((judgment.pool for judgment in judgments), default=0),
        ),
        models=tuple(sorted({j.answered_by.split(" ")[0] for j in judgments if j.answered_by})),
    )


def kind_of(judgment: Judgment) -> AnnotatorsKind:
    """What made one judgment: a model is also known by the name that it answered by."""
    if judgment.answered_by:
        _, _, fingerprint = judgment.answered_by.partition(" ")
        return "simulated" if fingerprint.startswith(MINIATURE) else "model"
    return judgment.annotator_kind or "unspecified"


def prompt_set(judged: Iterable[str], asked: Collection[str] = ()) -> str:
    """Hash of a set of prompt ids: that of `asked` where all judged ones are among them."""
    ids = set(judged)
    return digest(sorted(set(asked) if ids <= set(asked) else ids))
