"""A question without an answer teaches nothing."""

from limaflow.curation.filters.rule import Reading, Rule


def unanswered(reading: Reading, _: None) -> str | None:
    """Object to a candidate without a response, unless its kind may hold prompts alone.

    Prompts alone serve as dev and test prompts; the others leave with decontamination.
    """
    empty = not reading.candidate.response.strip()
    return "no response" if empty and not reading.policy.prompts_alone else None


RULE = Rule(check=unanswered, reads="raw response")
