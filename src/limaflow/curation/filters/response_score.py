"""The top answer needs a score of at least 10."""

from limaflow.curation.filters.rule import Reading, Rule, Threshold


def response_score(reading: Reading, least: float) -> str | None:
    """Object to a response with too low a score, or with none; prompts alone pass."""
    score = reading.candidate.response_score
    if not reading.candidate.response:
        return None
    return None if score is not None and score >= least else f"score {score} < {least}"


RULE = Rule(
    check=response_score,
    threshold=Threshold(
        key="min_response_score",
        type=float | None,
        paper=10,
        off=None,
        meaning="lowest score of the top answer",
    ),
    reads="score of the response, if there is one",
)
