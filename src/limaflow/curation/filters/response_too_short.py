"""Answers under 1,200 characters go."""

from typing import Annotated

from pydantic import Field

from limaflow.curation.filters.rule import Reading, Rule, Threshold


def response_too_short(reading: Reading, least: int) -> str | None:
    """Object to a rendered response of fewer characters."""
    chars = len(reading.response)
    return f"{chars} characters < {least}" if chars < least else None


RULE = Rule(
    check=response_too_short,
    threshold=Threshold(
        key="min_response_chars",
        type=Annotated[int, Field(ge=0)] | None,
        paper=1200,
        off=None,
        meaning="fewest characters of the response, counted after HTML is gone",
        at_most="max_response_chars",
    ),
    reads="rendered response (Markdown, no links)",
)
