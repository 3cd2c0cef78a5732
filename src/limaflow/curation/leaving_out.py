"""Examples that a data set leaves out for an ablation: those with a tag, or named by id."""

from collections.abc import Sequence

from limaflow.errors import InputError
from limaflow.records import Drop, Example
from limaflow.tags import LABELS, has_label, labels


def left_out(
    examples: Sequence[Example], without: Sequence[str]
) -> tuple[list[Example], list[Drop]]:
    """The examples that stay, in their order, and the others as drops of the step `review`.

    Args:
        without: tags (`format`), labels (`sensitive: malicious`) or ids of examples.

    Raises:
        InputError: one of `without` is none of an example's, so that nothing would be left out.
    """
    by_example = {example.id: _reason(example, without) for example in examples}
    found = {reason for reasons in by_example.values() for reason in reasons}
    if idle := [word for word in without if word not in found]:
        has = sorted({label for example in examples for label in labels(example.tags)})
        raise InputError(
            f"without: no example has the tag or id '{idle[0]}'",
            fix=f"they have {', '.join(has[:12])}"
            if has
            else f"tags are {', '.join(LABELS)}; none of these examples has any (docs/curation.md)",
        )
    stay = [example for example in examples if not by_example[example.id]]
    return stay, [
        Drop(
            id=example.id,
            source=example.source,
            step="review",
            rule="left_out",
            detail=", ".join(by_example[example.id]),
        )
        for example in examples
        if by_example[example.id]
    ]


def _reason(example: Example, without: Sequence[str]) -> list[str]:
    return [word for word in without if word == example.id or has_label(example.tags, word)]
