"""Every rule of form by its name, and the tags of prompts that name them."""

import json
from typing import Any

from limaflow.errors import InputError
from limaflow.format_checks.ifeval_rules import IFEVAL
from limaflow.format_checks.own_rules import OWN
from limaflow.format_checks.rule import Rule
from limaflow.mistakes import nearest, validated
from limaflow.prompt_tags import FormatRule, Tags
from limaflow.settings import Settings
from limaflow.tags import read_tags

RULES: dict[str, Rule[Any]] = {**OWN, **IFEVAL}


def rule_of(named: FormatRule) -> tuple[Rule[Any], Settings]:
    """A rule with its arguments.

    Raises:
        InputError: there is no such rule, or it does not take these arguments.
    """
    if named.rule not in RULES:
        raise InputError(
            f"tags.format: no rule is named '{named.rule}'{nearest(named.rule, list(RULES))}"
        )
    rule = RULES[named.rule]
    try:
        arguments = json.loads(named.arguments)
    except ValueError as error:
        raise InputError(f"tags.format, {named.rule}: arguments are not JSON: {error}") from None
    return rule, validated(rule.arguments, arguments, f"tags.format, {named.rule}")


def checked_tags(row: dict[str, Any]) -> Tags | None:
    """The tags of a row as people write it, of which every form is one that a rule checks.

    Raises:
        ValueError: as `read_tags`; a form that no rule checks, or arguments that it does not take.
    """
    tags = read_tags(row)
    try:
        for named in tags.format if tags else ():
            rule_of(named)
    except InputError as problem:
        raise ValueError(str(problem)) from None
    return tags
