"""Verdicts that people or other programs made, checked before the statistics take them in."""

from collections.abc import Sequence

from limaflow.errors import InputError
from limaflow.records import Example, Verdict


def checked(
    verdicts: Sequence[Verdict], prompts: Sequence[Example], first: str, second: str
) -> list[Verdict]:
    """`verdicts` sorted by prompt, sample, model shown first and annotator.

    Raises:
        InputError: there are none; one is of other models or of an unknown prompt, has both or
            neither of choice and error, or repeats another.
    """
    known = {prompt.id for prompt in prompts}
    seen: set[tuple[str, int, str, str]] = set()
    for number, verdict in enumerate(verdicts, start=1):
        place = (verdict.prompt_id, verdict.sample, verdict.first, verdict.annotator)
        problem = ""
        if {verdict.first, verdict.second} != {first, second}:
            problem = f"compares '{verdict.first}' and '{verdict.second}'"
        elif verdict.prompt_id not in known:
            problem = "is on a prompt that is not among the prompts"
        elif (verdict.choice is None) == (verdict.error is None):
            problem = "must have either a choice or an error"
        elif place in seen:
            problem = "stands twice (same prompt, sample, order and annotator)"
        if problem:
            raise InputError(
                f"verdict {number} (prompt {verdict.prompt_id}) {problem}",
                fix=f"this is the comparison of '{first}' and '{second}'",
            )
        seen.add(place)
    if not verdicts:
        raise InputError("there are no verdicts")
    return sorted(verdicts, key=lambda v: (v.prompt_id, v.sample, v.first, v.annotator))
