"""The paper's rules, each on what it is meant to catch and what it must let pass."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limaflow.curation.rules import ELSEWHERE, PRONOUN, Reading, objection

from limaflow.curation.settings import Filters
from limaflow.records import Candidate

Build = Callable[..., Candidate]
FILLER = "Malt is mashed and boiled. " * 60


def verdict(candidate: Candidate, filters: Filters) -> tuple[str, str] | None:
    return objection(Reading(candidate, filters.quotes_and_code_count), filters)


def test_a_sound_candidate_passes(candidate: Build, paper: Filters) -> None:
    assert verdict(candidate(), paper) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"response": "", "response_score": None}, "unanswered"),
        ({"response_score": 9}, "response_score"),
        ({"response_score": -2}, "response_score"),
        ({"title": "What is this beer called here?"}, "title_not_self_contained"),
        ({"title": "Beer glass cleaning"}, "title_not_self_contained"),
        ({"title": "was working great, now all foam"}, "title_not_self_contained"),
        ({"title": "Where does one buy beer? [closed]"}, "title_not_self_contained"),
        ({"response": "<p>Malt is mashed.</p>"}, "response_too_short"),
        ({"response": f"<p>{FILLER * 3}</p>"}, "response_too_long"),
        ({"response": f"<p>I mash it. {FILLER}</p>"}, "first_person"),
        ({"response": f"<p>As mentioned, {FILLER}</p>"}, "cross_reference"),
    ],
)
def test_each_rule_names_its_drop(
    candidate: Build, paper: Filters, changes: dict[str, object], rule: str
) -> None:
    found = verdict(candidate(**changes), paper)
    assert found is not None
    assert found[0] == rule


def test_thresholds_include_their_ends(candidate: Build, paper: Filters) -> None:
    for chars, passes in [(1199, False), (1200, True), (4096, True), (4097, False)]:
        found = verdict(candidate(response=f"<p>{'x' * chars}</p>"), paper)
        assert (found is None) is passes
    assert verdict(candidate(response_score=10), paper) is None


def test_length_counts_what_is_read_and_not_the_markup(candidate: Build, paper: Filters) -> None:
    address = "http://example.org/" + "x" * 4000
    response = f'<p>{FILLER}<a href="{address}">barley</a></p>'
    assert verdict(candidate(response=response), paper) is None


def test_a_rule_that_is_off_lets_everything_pass(candidate: Build) -> None:
    off = Filters(
        min_response_score=None,
        min_response_chars=None,
        max_response_chars=None,
        drop_first_person=False,
        drop_cross_references=False,
        quotes_and_code_count=True,
        require_self_contained_title=False,
        title_prompt_share=1,
    )
    bad = candidate(title="This?", response="I said, as mentioned above", response_score=-1)
    assert verdict(bad, off) is None


def test_the_first_rule_that_fires_names_the_drop(candidate: Build, paper: Filters) -> None:
    bad = candidate(title="This?", response="I say", response_score=1)
    found = verdict(bad, paper)
    assert found is not None
    assert found[0] == "response_score"


@pytest.mark.parametrize(
    "text",
    ["I brew.", "so I'd say", "it is my view", "tell me", "i'm sure", "(I think)", "MY beer"],
)
def test_first_person_is_caught(text: str) -> None:
    assert PRONOUN.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "World War I was long",
        "Type I errors",
        "I/O is slow",
        "I-95",
        "i.e. so",
        "the I.R.A.",
        "a myth",
    ],
)
def test_a_capital_i_that_is_no_pronoun_is_not(text: str) -> None:
    assert not PRONOUN.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "As mentioned by others",
        "as Bob noted, it",
        "see the other answers",
        "the accepted answer is wrong",
        "on Stack Exchange",
        "@Bob is right",
        "EDIT: more",
        "the OP asks",
        "in the comments",
        "the picture below shows",
    ],
)
def test_references_to_elsewhere_are_caught(text: str) -> None:
    assert ELSEWHERE.search(text)


@pytest.mark.parametrize(
    "text",
    ["the answer is yes", "stack the crates", "write to bob@x.org", "edit the file", "top op"],
)
def test_plain_words_are_not(text: str) -> None:
    assert not ELSEWHERE.search(text)


@pytest.mark.parametrize(
    "quoted",
    [
        "<blockquote><p>I said my piece, as mentioned.</p></blockquote>",
        "<pre><code>for I in my_list: pass</code></pre>",
        "<p>Run <code>my I</code>.</p>",
        '<p>He said "I like my beer".</p>',
        "<p>He said “I like my beer”.</p>",
    ],
)
def test_quotations_and_code_count_only_when_told(
    candidate: Build, paper: Filters, quoted: str
) -> None:
    written = candidate(response=quoted + f"<p>{FILLER}</p>")
    assert verdict(written, paper) is None
    strict = paper.model_copy(update={"quotes_and_code_count": True})
    found = verdict(written, strict)
    assert found is not None
    assert found[0] == "first_person"


def test_prompts_alone_are_kept_where_a_source_may_hold_them(
    candidate: Build, paper: Filters
) -> None:
    alone = candidate(
        kind="reddit", response="", response_score=None, title="What do you regret most?"
    )
    relaxed = paper.model_copy(update={"min_response_chars": None})
    assert verdict(alone, relaxed) is None


@given(st.text(), st.integers(-5, 30))
def test_any_text_gets_a_verdict_and_a_short_detail(text: str, score: int) -> None:
    filters = Filters(
        min_response_score=3,
        min_response_chars=1,
        max_response_chars=50,
        drop_first_person=True,
        drop_cross_references=True,
        quotes_and_code_count=False,
        require_self_contained_title=True,
        title_prompt_share=0.5,
    )
    found = verdict(
        Candidate(
            id="x",
            source="s",
            shard="s",
            kind="stackexchange",
            title="How is beer made?",
            response=text,
            markup="html",
            response_score=score,
        ),
        filters,
    )
    assert found is None or (found[0] and "\n" not in found[1])
