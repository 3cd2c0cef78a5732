"""An ablation leaves out the examples with a tag, or of an id, and counts them as dropped."""

import pytest

from limaflow.curation.leaving_out import left_out
from limaflow.errors import InputError
from limaflow.prompt_tags import FormatRule, Sensitive, Tags
from limaflow.records import Example, Message


def example(name: str, tags: Tags | None = None) -> Example:
    turns = (Message(role="user", content=name), Message(role="assistant", content="So."))
    return Example(id=name, messages=turns, source="s", split="train", tags=tags)


EXAMPLES = [
    example("plain"),
    example("form", Tags(format=(FormatRule(rule="one_word"),))),
    example("bad", Tags(sensitive=Sensitive(intent="malicious"))),
    example("good", Tags(sensitive=Sensitive(intent="benign"))),
]


@pytest.mark.parametrize(
    ("without", "stay"),
    [
        (["format"], ["plain", "bad", "good"]),
        (["sensitive"], ["plain", "form"]),
        (["sensitive: malicious"], ["plain", "form", "good"]),
        (["plain", "format"], ["bad", "good"]),
    ],
)
def test_a_tag_a_label_or_an_id_says_what_is_left_out(without: list[str], stay: list[str]) -> None:
    kept, drops = left_out(EXAMPLES, without)
    assert [e.id for e in kept] == stay
    assert {d.id for d in drops} == {e.id for e in EXAMPLES} - set(stay)
    assert {(d.step, d.rule) for d in drops} == {("review", "left_out")}


def test_what_would_leave_nothing_out_is_an_error() -> None:
    with pytest.raises(InputError, match=r"no example has the tag or id 'formats' \(they have"):
        left_out(EXAMPLES, ["formats"])
    with pytest.raises(InputError, match="none of these examples has any"):
        left_out(EXAMPLES[:1], ["format"])
