"""Answers over 4,096 characters go."""

from typing import Annotated

from pydantic import Field

from limaflow.curation.filters.rule import Reading, Rule, Threshold


def response_too_long(reading: Reading, most: int) -> str | None:
    """Object to a rendered response of more characters."""
    chars = len(reading.response)
    return f"{chars} characters > {most}" if chars > most else None


RULE = Rule(
    check=response_too_long,
    threshold=Threshold(
        key="max_response_chars",
        type=Annotated[int, Field(ge=1)] | None,
        paper=4096,
        off=None,
        meaning="most characters of the response, counted likewise",
    ),
    reads="rendered response (Markdown, no links)",
)
