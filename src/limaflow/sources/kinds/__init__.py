"""The kinds of sources, one module each. A new kind is a module here and its line in READERS.

A kind that curation treats in a way of its own has a line in POLICIES too.
"""

from typing import Any

from limaflow.sources.kind import PLAIN, Policy, Reader
from limaflow.sources.kinds import (
    attack_goals,
    authored,
    ifeval,
    messages,
    natural_instructions,
    reddit,
    released,
    stackexchange,
    wikihow,
    xstest,
)

READERS: dict[str, Reader[Any]] = {
    "stackexchange": stackexchange.READER,
    "wikihow": wikihow.READER,
    "reddit": reddit.READER,
    "natural-instructions": natural_instructions.READER,
    "authored": authored.READER,
    "messages": messages.READER,
    "released": released.READER,
    "xstest": xstest.READER,
    "attack-goals": attack_goals.READER,
    "ifeval": ifeval.READER,
}

POLICIES: dict[str, Policy] = {
    "stackexchange": stackexchange.POLICY,
    "wikihow": wikihow.POLICY,
    "reddit": reddit.POLICY,
    "natural-instructions": natural_instructions.POLICY,
    "authored": authored.POLICY,
    "messages": messages.POLICY,
    "released": released.POLICY,
    "xstest": xstest.POLICY,
    "attack-goals": attack_goals.POLICY,
    "ifeval": ifeval.POLICY,
}


def policy_of(kind: str) -> Policy:
    """How curation treats the examples of a kind; "" is the kind of data brought whole."""
    return POLICIES.get(kind, PLAIN)
