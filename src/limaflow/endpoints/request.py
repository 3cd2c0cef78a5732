"""The body of a request: the same question in the words of either protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from limaflow.endpoints.settings import REPLY_LIMITS, Endpoint

PATHS = {"chat": "/chat/completions", "responses": "/responses"}
UNKNOWN_TO_RESPONSES = ("seed",)
"""Parameters that the Responses API refuses."""


def request(
    endpoint: Endpoint, messages: Sequence[Mapping[str, str]], **parameters: Any
) -> dict[str, Any]:
    """The body that asks for one reply; the endpoint's `extra_body` has the last word.

    Where that limits the reply by another name, our limit, which some models refuse, is not sent.

    Args:
        parameters: as the protocol of chat completions names them.
    """
    turns = [dict(turn) for turn in messages]
    if endpoint.api == "responses":
        asked = {"model": endpoint.model, "input": turns}
        parameters = _of_responses(parameters)
    else:
        asked = {"model": endpoint.model, "messages": turns}
    if any(endpoint.extra_body.get(name) for name in REPLY_LIMITS):
        parameters = {name: v for name, v in parameters.items() if name not in REPLY_LIMITS}
    given = {**parameters, **_with_parts_of(parameters, endpoint.extra_body)}
    return asked | {name: value for name, value in given.items() if value is not None}


def _with_parts_of(ours: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra`, whose mappings add to ours, as `text: {verbosity: low}` does to a format."""
    return {
        name: {**ours[name], **value}
        if isinstance(value, dict) and isinstance(ours.get(name), dict)
        else value
        for name, value in extra.items()
    }


def _of_responses(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters under the names of the Responses API."""
    given = {name: v for name, v in parameters.items() if name not in UNKNOWN_TO_RESPONSES}
    given["max_output_tokens"] = given.pop("max_tokens")
    if form := given.pop("response_format", None):
        given["text"] = {"format": {"type": form["type"], **form["json_schema"]}}
    # Chat completions are not kept by the provider; nor are these to be.
    return given | {"store": False}


def one_of(words: Sequence[str]) -> dict[str, Any]:
    """The `response_format` of a judgment: reasons, then one of `words` as the last field."""
    fields = {"reasons": {"type": "string"}, "choice": {"type": "string", "enum": list(words)}}
    schema = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    named = {"name": "judgment", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": named}
