"""Rules of form: our own on small texts, the loose reading, records, shares and differences."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.errors import InputError
from limaflow.format_checks.catalogue import RULES, checked_tags, rule_of
from limaflow.format_checks.checking import checks_of, has_form, loose_readings
from limaflow.format_checks.rule import Nothing, Rule
from limaflow.format_checks.summary import Formats, formats
from limaflow.intervals import Resampling
from limaflow.prompt_tags import FormatRule, Tags
from limaflow.records import Example, FormatCheck, Message, Response, example_id

RESAMPLING = Resampling(rounds=500, confidence=0.95, seed=1)


def rule(name: str, **arguments: Any) -> FormatRule:
    return FormatRule(rule=name, arguments=json.dumps(arguments))


def test_the_rule_that_the_page_on_extending_adds_is_one(root: Path) -> None:
    page = (root / "docs/extending.md").read_text(encoding="utf-8")
    code = page.split("### A rule of form")[1].split("```python")[1].split("```")[0]
    names: dict[str, Any] = {"Rule": Rule, "Nothing": Nothing}
    exec(code.replace("…", ""), names)
    rhymes = names["OWN"]["rhymes"]
    texts = ("I saw a cat\nupon a mat", "I saw a cat\nupon a log", "one line")
    assert [rhymes.check(text, Nothing()) for text in texts] == [True, False, False]


@pytest.mark.parametrize(
    ("asked", "kept", "broken"),
    [
        (rule("lines", count=2), "one\n\n two \n", "one"),
        (rule("lines", count=2, relation="at most"), "one", "a\nb\nc"),
        (rule("items", count=3), "- a\n* b\n3. c", "- a\n- b\n-c"),
        (rule("items", count=2), "So:\n1) a\n2) b", "- a\n-\n"),
        (rule("words", count=3), "It is so.", "It is – so, then"),
        (rule("words", count=2, relation="less than"), "Yes!", "Oh yes"),
        (rule("paragraphs", count=2), "a\nb\n \nc", "a\nb"),
        (rule("one_word"), "Herring.", "The herring."),
        (rule("one_word"), "**Herring**", "– ! –"),
        (rule("json"), '{"a": 1}', "Sure: {}"),
        (rule("json", type="object", keys=["a"]), '```json\n{"a": 1, "b": 2}\n```', '{"b": 2}'),
        (rule("json", type="array"), "[1, 2]", '{"a": []}'),
        (rule("starts_with", text="Dear"), " dear reader", "My dear"),
        (rule("ends_with", text="Amen."), "So. amen.", "Amen. So."),
    ],
)
def test_a_form_is_kept_or_broken(asked: FormatRule, kept: str, broken: str) -> None:
    assert has_form(kept, asked)[0]
    assert not has_form(broken, asked)[0]
    assert has_form("  \n", asked) == (False, False), "a blank text has no form"


def test_the_loose_reading_forgives_a_line_before_or_after_and_asterisks() -> None:
    asked = rule("one_word")
    assert has_form("Sure, here it is:\nHerring", asked) == (False, True)
    assert has_form("Herring\nIs there anything else?", asked) == (False, True)
    assert has_form("Sure:\n*Herring*\nMore?", asked) == (False, True)
    assert has_form("Sure:\nso\nHerring\nMore?", asked) == (False, False)


@given(st.text(alphabet="ab*\n ", max_size=30))
def test_what_is_kept_strictly_is_kept_loosely(text: str) -> None:
    assert loose_readings(text)[0] == text
    assert len(loose_readings(text)) == 8
    strict, loose = has_form(text, rule("lines", count=2))
    assert loose or not strict


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["linse"], "no rule is named 'linse'; did you mean 'lines'?"),
        (["lines"], "tags.format, lines: not valid:\n  count: missing"),
        ([{"rule": "lines", "count": 3, "relaton": "at least"}], "did you mean 'relation'?"),
        ([{"rule": "lines", "count": "many"}], "tags.format, lines"),
        ([{"rule": "keywords:frequency", "keyword": "a", "frequency": 2}], "relation: missing"),
    ],
)
def test_a_form_that_no_rule_checks_is_refused_where_it_is_written(
    tags: list[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=r".") as found:
        checked_tags({"tags": {"format": tags}})
    assert message in str(found.value)


def test_every_rule_is_found_by_its_name() -> None:
    assert len(RULES) == 25 + 8
    with pytest.raises(InputError, match="no rule is named"):
        rule_of(rule("haiku"))


def prompt(number: int, *forms: FormatRule) -> Example:
    turns = (Message(role="user", content=f"Question {number}"),)
    tags = Tags(format=forms) if forms else None
    return Example(id=example_id(turns), messages=turns, source="s", split="test", tags=tags)


def response(to: Example, text: str, model: str = "lima", sample: int = 0) -> Response:
    return Response(
        prompt_id=to.id, model=model, sample=sample, text=text, tokens=1, finish_reason="stop"
    )


def test_only_prompts_that_ask_for_a_form_are_checked_and_all_of_them() -> None:
    asking = prompt(1, rule("one_word"), rule("punctuation:no_comma"))
    other = prompt(2)
    answers = [response(asking, "Herring"), response(other, "a, b")]
    found = checks_of([asking, other], answers)
    assert [(c.rule, c.place, c.strict) for c in found] == [
        ("one_word", 0, True),
        ("punctuation:no_comma", 1, True),
    ]
    with pytest.raises(InputError, match="no response to 1 prompts"):
        checks_of([asking, other], answers[1:])
    with pytest.raises(InputError, match="no prompt asks for a form"):
        checks_of([other], answers)


def planted(model: str, kept: list[list[bool | None]]) -> list[FormatCheck]:
    """A prompt for each list, with a form for each of its outcomes."""
    return [
        FormatCheck(
            prompt_id=f"p{number:03d}",
            sample=0,
            model=model,
            response_id="r",
            place=place,
            rule=f"rule-{place}",
            arguments="{}",
            strict=outcome,
            loose=outcome,
            error=None if outcome is not None else "not here",
        )
        for number, of_prompt in enumerate(kept)
        for place, outcome in enumerate(of_prompt)
    ]


def share(found: Formats, model: str, level: str, rule_name: str = "") -> Any:
    return next(
        row
        for row in found.shares
        if (row.model, row.level, row.reading, row.rule) == (model, level, "strict", rule_name)
    )


def test_shares_are_of_prompts_and_of_forms_as_ifeval_counts_them() -> None:
    kept: list[list[bool | None]] = [[True, True], [True, False], [True], [False]]
    found = formats([planted("lima", kept)], "lima", RESAMPLING)
    assert share(found, "lima", "prompts").share.estimate == pytest.approx(2 / 4)
    assert share(found, "lima", "forms").share.estimate == pytest.approx(4 / 6)
    assert share(found, "lima", "forms", "rule-1").share.estimate == pytest.approx(1 / 2)
    assert share(found, "lima", "forms").checks == 6


def test_what_could_not_be_checked_leaves_the_count_and_is_counted() -> None:
    kept: list[list[bool | None]] = [[True, None], [False, None], [None], [True]]
    found = formats([planted("lima", kept)], "lima", RESAMPLING)
    prompts, forms = share(found, "lima", "prompts"), share(found, "lima", "forms")
    assert (prompts.prompts, prompts.unchecked) == (2, 2)
    assert prompts.share.estimate == 0.5, "a broken form breaks a prompt, whatever is not known"
    assert (forms.checks, forms.unchecked) == (3, 3)


def test_forms_of_one_prompt_are_no_independent_observations() -> None:
    alone: list[list[bool | None]] = [[n % 2 == 0] for n in range(60)]
    together: list[list[bool | None]] = [[n % 2 == 0] * 4 for n in range(60)]
    widths = []
    for kept in (alone, together):
        interval = share(
            formats([planted("lima", kept)], "lima", RESAMPLING), "lima", "forms"
        ).share
        widths.append(interval.high - interval.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.02)


def test_differences_are_paired_by_prompt_and_name_both_arms() -> None:
    lima = planted("lima", [[n < 90] for n in range(100)])
    less = planted("less", [[n < 50] for n in range(100)])
    found = formats([lima, less], "lima", RESAMPLING)
    row = next(d for d in found.differences if (d.level, d.reading) == ("prompts", "strict"))
    assert (row.first, row.second, row.prompts) == ("lima", "less", 100)
    assert row.difference.estimate == pytest.approx(0.4)
    assert 0.29 < row.difference.low < 0.4 < row.difference.high < 0.51
    with pytest.raises(InputError, match="two files hold checks of 'lima'"):
        formats([lima, lima], "lima", RESAMPLING)
    with pytest.raises(InputError, match="is of one arm"):
        formats([[*lima, *less]], "lima", RESAMPLING)
