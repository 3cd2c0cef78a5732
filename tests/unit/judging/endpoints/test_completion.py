"""What is read of a response's body, whatever it holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.endpoints.completion import Completion, Failure, Usage, completion_in

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(
    [
        "choices",
        "message",
        "content",
        "type",
        "text",
        "refusal",
        "usage",
        "error",
        "code",
        "output",
        "object",
        "status",
        "reason",
        "incomplete_details",
        "total_tokens",
        "prompt_tokens",
    ]
)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from(["response", "message", "output_text", "failed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
)


@given(st.binary(max_size=50) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_too_strange(body: bytes) -> None:
    assert completion_in(body) is None or isinstance(completion_in(body), Completion | Failure)


def body(**message: object) -> bytes:
    return json.dumps({"choices": [{"message": message}]}).encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("first", "first"),
        (None, None),
        ([], None),
        ([{"type": "text", "text": "So.\n"}, {"type": "text", "text": "first"}], "So.\nfirst"),
        ([{"type": "thinking", "thinking": "second"}], ""),
        ([{"type": "text", "text": None}, "first", 7], ""),
    ],
)
def test_of_a_list_of_parts_those_of_text_are_the_reply(content: object, text: str | None) -> None:
    found = completion_in(body(content=content))
    assert isinstance(found, Completion) and found.text == text


@pytest.mark.parametrize(
    ("error", "message", "passing"),
    [
        ({"message": "busy", "code": 502}, "busy (502)", True),
        ({"message": "slow", "code": 429}, "slow (429)", True),
        ({"message": "no", "code": 403}, "no (403)", False),
        ({"message": "no", "code": "invalid_prompt"}, "no (invalid_prompt)", False),
        ({}, "it gave no reason", True),
        ("down", "down", True),
    ],
)
def test_an_error_in_place_of_a_reply_says_whether_it_may_pass(
    error: object, message: str, passing: bool
) -> None:
    assert completion_in(json.dumps({"error": error}).encode()) == Failure(message, passing)


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}, Usage(5, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 90}, Usage(5, 85)),
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": -1}, Usage(5, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 3}, Usage(5, 3)),
        ({"prompt_tokens": 5}, None),
        ({"prompt_tokens": -5, "completion_tokens": 3}, None),
    ],
)
def test_tokens_that_only_the_total_holds_are_of_the_reply(
    usage: object, found: Usage | None
) -> None:
    sent = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    completion = completion_in(json.dumps(sent).encode())
    assert isinstance(completion, Completion) and completion.usage == found


def test_a_byte_order_mark_is_no_part_of_a_body() -> None:
    assert isinstance(completion_in(b"\xef\xbb\xbf" + body(content="first")), Completion)
