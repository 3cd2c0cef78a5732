"""Who judged is read from the records; the name of a file or of an annotator says nothing."""

from dataclasses import replace
from typing import Any

import pytest

from limaflow.measures.outcomes import pooled
from limaflow.measures.summaries import Annotators
from limaflow.measures.who_judged import annotators_of, prompt_set
from limaflow.records import Verdict


def verdict(**said: Any) -> Verdict:
    about: dict[str, Any] = {"prompt_id": "p", "sample": 0, "annotator": "gpt-4", **said}
    return Verdict(
        first="lima",
        second="base",
        first_response_id="1",
        second_response_id="2",
        choice="first",
        **about,
    )


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({}, Annotators()),
        ({"annotator_kind": "unspecified"}, Annotators()),
        ({"annotator_kind": "person"}, Annotators(kind="person")),
        ({"annotator_kind": "model"}, Annotators(kind="model")),
        (
            {"answered_by": "gpt-4-0613 fp_44709d6fcb"},
            Annotators(kind="model", models=("gpt-4-0613",)),
        ),
        ({"annotator_kind": "simulated"}, Annotators(kind="simulated")),
        # The invented world's judge repeats the name that it is asked by.
        ({"answered_by": "gpt-4 miniature-3fd2"}, Annotators(kind="simulated", models=("gpt-4",))),
    ],
)
def test_a_kind_is_what_the_record_says(said: dict[str, Any], who: Annotators) -> None:
    assert annotators_of([verdict(**said)]) == who


def test_judgments_of_several_kinds_are_of_none() -> None:
    found = annotators_of([verdict(annotator_kind="person"), verdict(annotator="x")])
    assert (found.kind, found.number) == ("mixed", 2)


def test_a_call_that_failed_says_nothing_of_who_answered_the_others() -> None:
    failed = replace(verdict(), choice=None, error="timeout")
    found = annotators_of([verdict(answered_by="gpt-4-0613"), failed])
    assert found == Annotators(kind="model", models=("gpt-4-0613",))


def test_a_crowd_counts_as_many_as_it_holds() -> None:
    made = [verdict(annotator=name, annotator_kind="person") for name in ("ann", "bob", "eve")]
    assert annotators_of(pooled(made, "people")) == Annotators(kind="person", number=3)


def test_prompts_that_are_all_of_one_file_have_its_hash() -> None:
    assert prompt_set(["b", "a"]) == prompt_set(["a", "b", "a"]) != prompt_set(["a"])
    assert prompt_set(["a"], {"a", "b"}) == prompt_set(["a", "b"])
    assert prompt_set(["a", "z"], {"a", "b"}) == prompt_set(["a", "z"])
