"""Strengths of all models that one judge compared, from the outcomes of each prompt and pair."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from limaflow.intervals import Interval, NotEstimable, Resampling
from limaflow.measures.bradley_terry import Contest, estimates, strengths
from limaflow.measures.outcomes import rates, scores_by_prompt
from limaflow.measures.summaries import Merge, Strengths
from limaflow.records import Verdict


def strengths_by_judge(
    verdicts: Iterable[Verdict], *, rule: Merge, resampling: Resampling
) -> list[Strengths]:
    """Bradley–Terry strengths of the models that each annotator of more than two compared.

    Raises:
        InputError: one sample was judged twice in one order.
    """
    pairs: dict[str, dict[tuple[str, str], list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for verdict in verdicts:
        one, other = sorted((verdict.first, verdict.second))
        pairs[verdict.annotator][one, other].append(verdict)
    found = []
    for judge, of_pair in sorted(pairs.items()):
        if len({name for pair in of_pair for name in pair}) < 3:
            continue
        contests = []
        for (one, other), judged in sorted(of_pair.items()):
            prompts = scores_by_prompt(judged, one)
            contests += [
                Contest(prompt_id=prompt_id, first=one, second=other, share=win + tie / 2)
                for prompt_id, (win, tie, _) in zip(
                    sorted(prompts), rates(prompts, rule), strict=True
                )
            ]
        found.append(_strengths(judge, contests, resampling.seeded(judge)))
    return found


def _strengths(judge: str, contests: Sequence[Contest], resampling: Resampling) -> Strengths:
    fitted: dict[str, float] = {}
    found: dict[str, Interval] = {}
    refusal = ""
    try:
        fitted = estimates(contests)
        found = strengths(contests, resampling)
    except NotEstimable as refused:
        refusal = str(refused)
    prompts = len({contest.prompt_id for contest in contests})
    return Strengths(
        judge=judge, prompts=prompts, estimates=fitted, strengths=found, refused=refusal
    )
