"""No text, however odd, costs renderers and rules more than time in proportion to its length."""

import time
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limaflow.curation.filtering import stands_alone
from limaflow.curation.filters import RULES
from limaflow.curation.filters.rule import Reading
from limaflow.curation.html_to_markdown import TooDeep
from limaflow.records import Candidate
from limaflow.sources.kinds import POLICIES

Markup = Literal["html", "markdown", "text"]
MARKUPS: tuple[Markup, ...] = ("html", "markdown", "text")
SHORT, LONG = 3_000, 24_000
MOST_GROWTH = 28
"""For eight times the text; quadratic time would be 64 times."""
LEAST_SECONDS = 0.004
"""Shorter times are mostly fixed costs."""

UNITS = [
    *("-", " ", "\n", "a ", "- ", "\n- -", "(", "[", "*", "`", "```x\n", "~~~\n", "> ", ">\n"),
    *(":", "“", "«", '"', "$", "$a", "\\(", "\\[ ", "\\begin{a} ", "|", "A11(", "I ", "I-", "my-"),
    *("@a ", "http://", "https://a.b ", "www.a(", "![", "[a](b.c) ", "![a](b) ", "[1] ", "1. "),
    *("[1] http://a.b\n", "here ", "see ", "(see ", "as ", "edit\n", "the the ", "com.com."),
    *("a `b ``c ", "[a][1]", "<p>a</p>", "<br>", "<b>x</b>", "x<sup>2</sup>", "A1<sub>2</sub>"),
    *("<img src='x'>", "<td>", "<li>a</li>", "<ol><li>a</li></ol>", "<pre>x</pre>", "<a>---</a>"),
    *("<ul><li>a</li><ul><li>b</li></ul></ul>", "<code>x</code> ", "<a href='u'>x</a> "),
    *("<a href='u'>here</a> ab ab ", "<a>com.com.</a>", "(<a>here</a> ", "<pre>  x</pre>"),
    *("<br>see http://a.b", "<blockquote>x</blockquote>", "<tr><td>a</td></tr>", "&#xE000;"),
    *("<sub>", "<blockquote>", "<ul><li>"),
]


def growth(work: Callable[[str], object], unit: str) -> float:
    """Time for the long text over time for the short one."""

    def seconds(chars: int) -> float:
        text = "x" + unit * (chars // len(unit)) + "y"
        started = time.process_time()
        try:
            work(text)
        except TooDeep:
            return 0.0
        return time.process_time() - started

    work("x")
    return seconds(LONG) / max(seconds(SHORT), LEAST_SECONDS)


def as_everything(markup: Markup) -> Callable[[str], object]:
    """All that curation does with a text: as title, body and response."""

    def work(text: str) -> None:
        stands_alone(text, text)
        candidate = Candidate(
            id="x",
            source="s",
            shard="s",
            kind="stackexchange",
            title=text,
            response=text,
            markup=markup,
        )
        reading = Reading(candidate, False)
        # The rules ask for the text rendered, marked, and in its author's own words.
        for rule in RULES.values():
            rule.check(reading, 10)
        for policy in POLICIES.values():
            policy.repaired_title(text)
            policy.repaired_response(text)

    return work


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_no_faster_than_the_text(unit: str, markup: Markup) -> None:
    work = as_everything(markup)
    # A busy machine may spoil one measurement.
    assert growth(work, unit) < MOST_GROWTH or growth(work, unit) < MOST_GROWTH


@settings(deadline=None, max_examples=25)
@given(st.text("ab1I .:;-*_~`>#|()[]{}<>/\\\"'“”«»$@&\n\ue000\ue002", min_size=1, max_size=6))
def test_time_grows_no_faster_whatever_is_repeated(unit: str) -> None:
    work = as_everything("markdown")
    assert growth(work, unit) < MOST_GROWTH or growth(work, unit) < MOST_GROWTH
