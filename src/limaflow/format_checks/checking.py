"""Whether responses have the forms that their prompts ask for, by strict and by loose reading.

Loose as in IFEval: a response has a form if any of eight texts has it, the response itself and what
is left without its first line, its last line, both, each with and without asterisks (appendix of
2311.07911). A blank text has no form.
"""

from collections.abc import Iterator, Sequence

from limaflow.errors import InputError
from limaflow.format_checks.catalogue import rule_of
from limaflow.format_checks.rule import NotCheckable
from limaflow.prompt_tags import FormatRule
from limaflow.records import Example, FormatCheck, Response


def loose_readings(response: str) -> list[str]:
    """The eight texts of the loose reading."""
    lines = response.split("\n")
    parts = [lines[1:], lines[:-1], lines[1:-1]]
    texts = [response, *("\n".join(part).strip() for part in parts)]
    return [*texts, *(text.replace("*", "") for text in texts)]


def has_form(response: str, named: FormatRule) -> tuple[bool, bool]:
    """Whether a response has a form, strictly and loosely.

    Raises:
        InputError: as `rule_of`.
        NotCheckable: the rule cannot be checked here.
    """
    rule, arguments = rule_of(named)

    def has(text: str) -> bool:
        return bool(text.strip()) and rule.check(text, arguments)

    strict = has(response)
    return strict, strict or any(map(has, loose_readings(response)))


def checks_of(prompts: Sequence[Example], responses: Sequence[Response]) -> list[FormatCheck]:
    """A record for each form that a prompt asks for and each response to it, by prompt and sample.

    Raises:
        InputError: no prompt asks for a form, one has no response, or as `rule_of`.
    """
    asking = {prompt.id: prompt for prompt in prompts if prompt.tags and prompt.tags.format}
    if not asking:
        raise InputError(
            "no prompt asks for a form that a rule can check",
            fix="give prompts the tag `format` (docs/curation.md, Tags)",
        )
    answered = [response for response in responses if response.prompt_id in asking]
    if missing := sorted(asking.keys() - {response.prompt_id for response in answered}):
        raise InputError(f"no response to {len(missing)} prompts, the first of them {missing[0]}")
    ordered = sorted(answered, key=lambda r: (r.prompt_id, r.sample))
    return [check for r in ordered for check in _checks(asking[r.prompt_id], r)]


def _checks(prompt: Example, response: Response) -> Iterator[FormatCheck]:
    for place, named in enumerate(prompt.tags.format if prompt.tags else ()):
        strict: bool | None
        loose: bool | None
        try:
            (strict, loose), error = has_form(response.text, named), None
        except NotCheckable as reason:
            strict = loose = None
            error = str(reason)
        yield FormatCheck(
            prompt_id=prompt.id,
            sample=response.sample,
            model=response.model,
            response_id=response.id,
            place=place,
            rule=named.rule,
            arguments=named.arguments,
            strict=strict,
            loose=loose,
            error=error,
        )
