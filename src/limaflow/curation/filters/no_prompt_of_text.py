"""A post that asks for no text, or shows what it asks about, is no prompt."""

from limaflow.curation.filters.rule import Reading, Rule


def no_prompt_of_text(reading: Reading, _: None) -> str | None:
    """Object to a title that its source marks as none, such as [IP] for an image."""
    marks = reading.policy.marks_of_no_prompt
    found = marks.match(reading.candidate.title) if marks else None
    return found.group().strip() if found else None


RULE = Rule(check=no_prompt_of_text, reads="title, for the marks of its kind")
