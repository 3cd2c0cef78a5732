"""Asking a judge over HTTP: what is repeated, what is paid, what is kept."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import ValidationError

from limaflow.endpoints.client import ask_all, key_of
from limaflow.endpoints.completion import Completion, completion_in
from limaflow.endpoints.connection import complete, connected, secrets_of
from limaflow.endpoints.session import Question, Terms
from limaflow.endpoints.settings import Budget, Judge
from limaflow.endpoints.spending import BudgetReached, Spending, reply_limit
from limaflow.endpoints.store import Answer, Store
from limaflow.errors import InputError
from limaflow.judging.instrument import load
from limaflow.judging.pairwise import choice_of
from limaflow.seeds import digest

INSTRUMENT = load("pairwise")
PRICED = {"price_per_million_prompt_tokens": 1000.0, "price_per_million_completion_tokens": 3000.0}
CALL_COST = 0.1 + 0.03


def question(text: str, one: str = "good", other: str = "bad") -> Question:
    rendered = INSTRUMENT.render(question=text, answer_1=one, answer_2=other)
    return Question(rendered, INSTRUMENT.key, tuple(INSTRUMENT.head.words))


def ask(
    store: Path, judge: Judge, *questions: Question, share: float = 0.0, **options: Any
) -> list[Answer]:
    terms = Terms(judge=judge, store=store, max_error_share=share, **options)
    return ask_all(questions, lambda reply: choice_of(reply, INSTRUMENT) is not None, terms=terms)


def test_an_answer_is_recorded_with_who_gave_it_and_what_it_cost(endpoint, tmp_path: Path) -> None:
    (answer,) = ask(tmp_path / "s", endpoint.judge(**PRICED), question("Why?"))
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    assert answer.answered_by == "m-2026-01 fp_7"
    assert (answer.prompt_tokens, answer.completion_tokens) == (100, 10)
    assert answer.cost == pytest.approx(CALL_COST)


def test_a_second_run_makes_no_call_and_needs_no_key(
    endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [question(f"Number {i}?") for i in range(20)]
    before = ask(tmp_path / "s", endpoint.judge(), *asked)
    monkeypatch.delenv("LIMAFLOW_TEST_KEY")
    assert ask(tmp_path / "s", endpoint.judge(), *asked) == before
    assert len(endpoint.calls()) == 20


def test_one_question_asked_twice_is_paid_once(endpoint, tmp_path: Path) -> None:
    one, same = ask(tmp_path / "s", endpoint.judge(**PRICED), question("Why?"), question("Why?"))
    assert len(endpoint.calls()) == 1
    assert (one.reply, one.cost > 0, same.cost) == (same.reply, True, 0.0)


@pytest.mark.parametrize("trouble", ["429", "500", "hang", "broken", "drip", "500 429 500"])
def test_a_call_in_trouble_is_repeated(endpoint, tmp_path: Path, trouble: str) -> None:
    started = time.monotonic()
    asked = question(f"script: {trouble}\nWhy?")
    judge = endpoint.judge(attempts=1, timeout_seconds=1.0)
    (answer,) = ask(tmp_path / "s", judge, asked)
    assert answer.error is None
    assert [call["did"] for call in endpoint.calls()] == [*trouble.split(), "well"]
    if "429" in trouble:
        assert time.monotonic() - started > 1, "the server asked for a pause of a second"


@pytest.mark.slow
def test_a_storm_that_outlasts_the_sdks_patience_is_waited_out(endpoint, tmp_path: Path) -> None:
    asked = [question(f"script: {'429 ' * 8}\n{i}") for i in range(16)]
    answers = ask(tmp_path / "s", endpoint.judge(concurrency=16), *asked)
    assert [answer.error for answer in answers] == [None] * 16


@pytest.mark.parametrize("trouble", ["429", "429-date", "503-later"])
def test_where_the_sdk_gives_up_the_servers_own_time_is_waited_for(endpoint, trouble: str) -> None:
    asked = question(f"script: {trouble}\nWhy?")
    started = time.monotonic()
    assert choice_of(_reply_without_sdk_retries(endpoint, asked), INSTRUMENT) == "first"
    assert time.monotonic() - started >= 1
    assert len(endpoint.calls()) == 2


def test_an_error_that_names_no_time_is_not_waited_for(endpoint) -> None:
    with pytest.raises(openai.InternalServerError):
        _reply_without_sdk_retries(endpoint, question("script: 500\nWhy?"))


def _reply_without_sdk_retries(endpoint, asked: Question) -> str:
    async def reply() -> bytes:
        judge = endpoint.judge()
        secrets = secrets_of(judge, "the test")
        async with connected(judge, secrets, timeout=9.0, retries=0) as connection:
            return await complete(connection, judge, asked.request(judge), going=lambda: True)

    completion = completion_in(asyncio.run(reply()))
    assert isinstance(completion, Completion)
    return completion.text or ""


def test_what_only_some_endpoints_understand_is_sent_and_null_takes_a_parameter_out(
    endpoint, tmp_path: Path
) -> None:
    body = {"max_tokens": None, "max_completion_tokens": 99, "reasoning_effort": "low"}
    ask(tmp_path / "s", endpoint.judge(extra_body=body), question("Why?"))
    (call,) = endpoint.calls()
    assert {name: call["body"].get(name, "absent") for name in body} == {
        "max_tokens": "absent",
        "max_completion_tokens": 99,
        "reasoning_effort": "low",
    }
    ask(tmp_path / "s", endpoint.judge(), question("Why?"))
    assert len(endpoint.calls()) == 2, "another request has another answer"


def test_a_limit_by_another_name_takes_the_place_of_ours(endpoint) -> None:
    def limits(**settings: Any) -> dict[str, int]:
        body = question("Why?").request(endpoint.judge(max_tokens=256, **settings))
        return {name: value for name, value in body.items() if "tokens" in name}

    assert limits() == {"max_tokens": 256}
    named = {"max_completion_tokens": 4096}
    assert limits(extra_body=named) == named, "models that reason refuse the other"
    assert limits(extra_body={"max_tokens": 64, **named}) == {"max_tokens": 64, **named}
    assert limits(api="responses") == {"max_output_tokens": 256}
    assert limits(api="responses", extra_body={"max_output_tokens": 9}) == {"max_output_tokens": 9}


def test_a_spent_account_is_not_waited_for(endpoint, tmp_path: Path) -> None:
    asked = question(f"script: {'quota ' * 9}\nWhy?")
    with pytest.raises(InputError, match=r"was refused.*no money left"):
        ask(tmp_path / "s", endpoint.judge(), asked, share=1.0)


def test_a_model_that_changes_under_its_name_is_reported_over_several_runs(
    endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(tmp_path / "s", endpoint.judge(), question("Why?"))
    ask(tmp_path / "s", endpoint.judge(), question("Whence?"))
    assert "changed" not in capsys.readouterr().err
    (answer,) = ask(tmp_path / "s", endpoint.judge(), question("script: renamed\nWhither?"))
    assert answer.answered_by == "another-2026-01 fp_7"
    told = capsys.readouterr()
    assert "changed from 'm-2026-01 fp_7' to 'another-2026-01 fp_7'" in told.out + told.err


def test_names_that_take_turns_are_reported_once_each(
    endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = ["well", "renamed", "well", "renamed", "well", "renamed"]
    asked = [question(f"script: {script}\n{i}?") for i, script in enumerate(scripts)]
    ask(tmp_path / "s", endpoint.judge(concurrency=1), *asked)
    assert capsys.readouterr().err.count("the endpoint's model changed") == 1


@pytest.mark.parametrize("nonsense", ["mumble", "cut", "empty", "html", "wrong-json"])
def test_an_unreadable_reply_is_asked_again(endpoint, tmp_path: Path, nonsense: str) -> None:
    asked = question(f"script: {nonsense} {nonsense}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(attempts=3), asked)
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    assert len(endpoint.calls()) == 3


@pytest.mark.parametrize("spelling", ["bold", "json", "parts", "hidden"])
def test_a_word_is_read_however_it_is_dressed(endpoint, tmp_path: Path, spelling: str) -> None:
    (answer,) = ask(tmp_path / "s", endpoint.judge(), question(f"script: {spelling}\nWhy?"))
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    assert len(endpoint.calls()) == 1


def test_a_retry_says_what_was_wrong_and_is_found_again_as_the_same_question(
    endpoint, tmp_path: Path
) -> None:
    asked = question("script: mumble\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(), asked)
    assert answer.prompt_tokens == 200, "of both attempts"
    first, second = (call["body"]["messages"] for call in endpoint.calls())
    assert second[:1] == first
    assert second[1] == {
        "role": "assistant",
        "content": "Both have their merits, it is hard to say.",
    }
    assert "the last line is not one of the answers asked for" in second[2]["content"]
    ask(tmp_path / "s", endpoint.judge(), asked)
    assert len(endpoint.calls()) == 2


def test_a_retry_after_a_page_that_no_model_wrote_says_nothing(endpoint, tmp_path: Path) -> None:
    ask(tmp_path / "s", endpoint.judge(), question("script: html broken-off\nWhy?"))
    assert [len(call["body"]["messages"]) for call in endpoint.calls()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refusal", "refused: I will not judge this."),
        ("filtered", "withheld: by the provider's content filter"),
        ("filtered-400", "withheld: Error code: 400 - filtered"),
        ("denied-200", "call failed: no, *** (400)"),
    ],
)
def test_what_would_end_the_same_is_told_apart_and_asked_once(
    endpoint, tmp_path: Path, kind: str, error: str
) -> None:
    asked = question(f"script: {f'{kind} ' * 9}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(), asked, share=1.0)
    assert answer.error == error
    assert len(endpoint.calls()) == 1


def test_an_error_with_status_200_that_may_pass_is_waited_out(endpoint, tmp_path: Path) -> None:
    asked = question("script: error-200\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(attempts=1), asked)
    assert answer.error is None
    assert answer.prompt_tokens == 100, "an error costs nothing"


def test_tokens_of_hidden_reasoning_count(endpoint, tmp_path: Path) -> None:
    (answer,) = ask(tmp_path / "s", endpoint.judge(), question("script: hidden\nWhy?"))
    assert (answer.prompt_tokens, answer.completion_tokens) == (100, 500)


def test_a_redirect_to_another_server_is_not_followed(endpoint, tmp_path: Path) -> None:
    asked = [question(f"script: elsewhere\n{i}?") for i in range(9)]
    with pytest.raises(InputError, match=r"call failed: .* 307, a redirect to http://127\.0\.0\.2"):
        ask(tmp_path / "s", endpoint.judge(concurrency=1), *asked)
    assert len(endpoint.calls()) == 1


def test_redirects_to_the_same_server_are_followed_but_not_in_a_loop(
    endpoint, tmp_path: Path
) -> None:
    (answer,) = ask(tmp_path / "s", endpoint.judge(), question("script: onward\nWhy?"))
    assert answer.error is None
    endless = question(f"script: {'onward ' * 99}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(), endless, share=1.0)
    assert answer.error is not None and "a redirect to completions" in answer.error
    assert len(endpoint.calls()) == 2 + 4


def test_the_responses_api_is_spoken_by_configuration_alone(endpoint, tmp_path: Path) -> None:
    effort = {
        "reasoning": {"effort": "low"},
        "temperature": None,
        "text": {"verbosity": "low"},
    }
    judge = endpoint.judge(api="responses", structured=True, max_tokens=500, extra_body=effort)
    (answer,) = ask(tmp_path / "s", judge, question("Why?"))
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    assert (answer.answered_by, answer.completion_tokens) == ("m-2026-02", 30)
    (call,) = endpoint.calls()
    sent = call["body"]
    assert (sent["max_output_tokens"], sent["store"], "temperature" in sent) == (500, False, False)
    assert (sent["reasoning"], sent["text"]["verbosity"]) == ({"effort": "low"}, "low")
    choices = sent["text"]["format"]["schema"]["properties"]["choice"]["enum"]
    assert choices == ["first", "second", "neither"]


@pytest.mark.parametrize(
    ("kind", "error", "calls"),
    [
        ("refusal", "refused: I will not.", 1),
        ("filtered", "withheld: by the provider's content filter", 1),
        ("cut", "unreadable: cut off after 500 tokens", 2),
    ],
)
def test_endings_of_the_responses_api_are_told_apart(
    endpoint, tmp_path: Path, kind: str, error: str, calls: int
) -> None:
    judge = endpoint.judge(api="responses", max_tokens=500, attempts=2)
    (answer,) = ask(tmp_path / "s", judge, question(f"script: {kind} {kind}\nWhy?"), share=1.0)
    assert (answer.error, len(endpoint.calls())) == (error, calls)


def test_a_structured_judge_is_asked_for_one_of_the_words(endpoint, tmp_path: Path) -> None:
    judge = endpoint.judge(structured=True)
    (answer,) = ask(tmp_path / "s", judge, question("script: json\nWhy?"))
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    (call,) = endpoint.calls()
    schema = call["body"]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["reasons", "choice"], "the choice comes last"


def test_headers_are_sent_and_secret_ones_are_never_shown(
    endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("GATEWAY", "s3cret-of-the-gateway")
    judge = endpoint.judge(headers={"x-team": "lima"}, headers_env={"x-api-key": "GATEWAY"})
    ask(tmp_path / "s", judge, question("Why?"))
    sent = endpoint.calls()[0]["headers"]
    assert (sent["x-team"], sent["x-api-key"]) == ("lima", "s3cret-of-the-gateway")
    assert sent["authorization"] == "Bearer sk-test-8c1f5e"
    held = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"s3cret" not in held and "s3cret" not in caplog.text + judge.flag()
    monkeypatch.delenv("GATEWAY")
    with pytest.raises(InputError, match=r"the header x-api-key in the .* GATEWAY, which is not"):
        ask(tmp_path / "s", judge, question("Whence?"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"headers": {"X-API-Key": "abc"}}, "looks like a secret"),
        ({"headers": {"x-team": "two\nlines"}}, "should match pattern"),
        ({"extra_body": {"max_completion_tokens": "4096"}}, "must be a whole number"),
        ({"extra_body": {"n": 0}}, "must be a whole number"),
        ({"extra_body": {"model": "another"}}, "cannot be replaced by extra_body"),
    ],
)
def test_what_would_leak_or_break_a_bound_is_refused(
    endpoint, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        endpoint.judge(**wrong)


@pytest.mark.parametrize("endless", ["flood", "bomb"])
def test_a_reply_without_end_does_not_fill_the_memory(
    endpoint, tmp_path: Path, endless: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (answer,) = ask(tmp_path / "s", endpoint.judge(**PRICED), question(f"script: {endless}\nWhy?"))
    assert answer.error is None
    assert [call["did"] for call in endpoint.calls()] == [endless, "well"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024, "in KiB"


def test_a_reply_unreadable_to_the_end_is_an_error_and_never_stored(
    endpoint, tmp_path: Path
) -> None:
    asked = question("script: mumble mumble\nWhy?")
    judge = endpoint.judge(attempts=2, **PRICED)
    (answer,) = ask(tmp_path / "s", judge, asked, share=1.0)
    assert answer.error is not None and answer.error.startswith("unreadable")
    assert "merits" in answer.reply
    assert answer.cost == pytest.approx(2 * CALL_COST), "unreadable replies are paid for too"
    (again,) = ask(tmp_path / "s", judge, asked, share=1.0)
    assert again.error is None
    assert len(endpoint.calls()) == 3


@pytest.mark.parametrize("counts", ["countless", "uncounted"])
def test_a_reply_whose_token_counts_make_no_sense_is_charged_at_its_bound(
    endpoint, tmp_path: Path, counts: str
) -> None:
    asked = question(f"script: {counts}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(max_tokens=77), asked)
    assert choice_of(answer.reply, INSTRUMENT) == "first"
    assert answer.completion_tokens == 77
    assert answer.prompt_tokens >= len(asked.text)


def test_only_failures_are_tried_again(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?") for i in range(5)]
    asked.append(question("script: 400 400\nWhy?"))
    first = ask(tmp_path / "s", endpoint.judge(), *asked, share=0.5)
    assert [answer.error is None for answer in first] == [True] * 5 + [False]
    ask(tmp_path / "s", endpoint.judge(), *asked, share=0.5)
    assert len(endpoint.calls()) == 7


def test_too_many_errors_stop_with_counts_and_a_sample(endpoint, tmp_path: Path) -> None:
    asked = [question(f"script: {'mumble ' * 9}\n{i}") for i in range(40)]
    judge = endpoint.judge(attempts=1, concurrency=1)
    with pytest.raises(InputError, match=r"5 of 40 questions failed.*0\.1.*hard to say"):
        ask(tmp_path / "s", judge, *asked, share=0.1)
    assert len(endpoint.calls()) == 5, "no call is paid once the run is lost"


def test_a_wrong_key_stops_at_once_and_is_not_shown(
    endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("LIMAFLOW_TEST_KEY", "sk-secret-but-wrong")
    asked = [question(f"{i}?") for i in range(9)]
    with pytest.raises(InputError, match=r"refused.*LIMAFLOW_TEST_KEY") as caught:
        ask(tmp_path / "s", endpoint.judge(), *asked, share=1.0)
    assert "sk-secret-but-wrong" not in str(caught.value) + caplog.text


def test_an_error_that_repeats_the_key_is_kept_without_it(endpoint, tmp_path: Path) -> None:
    (answer,) = ask(
        tmp_path / "s", endpoint.judge(), question(f"script: {'400 ' * 9}\n?"), share=1.0
    )
    assert answer.error is not None and "failed with Bearer ***" in answer.error


def test_a_missing_key_names_its_variable_before_any_call(
    endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIMAFLOW_TEST_KEY")
    with pytest.raises(InputError, match="variable LIMAFLOW_TEST_KEY, which is not set"):
        ask(tmp_path / "s", endpoint.judge(), question("Why?"))
    assert endpoint.calls() == []


@pytest.mark.parametrize("held", ["sk-one\nsk-two", "sk-ñ"])
def test_what_cannot_be_a_key_names_its_variable_before_any_call(
    endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("LIMAFLOW_TEST_KEY", held)
    with pytest.raises(InputError, match="variable LIMAFLOW_TEST_KEY holds no API key") as caught:
        ask(tmp_path / "s", endpoint.judge(), question("Why?"))
    assert "sk-" not in str(caught.value)
    assert endpoint.calls() == []


def test_an_unknown_model_stops_at_once(endpoint, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such model"):
        ask(tmp_path / "s", endpoint.judge(model="unknown"), question("Why?"), share=1.0)


@pytest.mark.parametrize("budget", [Budget(cost=6.0), Budget(tokens=5_000)], ids=str)
def test_the_budget_is_never_passed_and_its_answers_are_kept(
    endpoint, tmp_path: Path, budget: Budget
) -> None:
    asked = [question(f"Number {i}?") for i in range(60)]
    judge = endpoint.judge(max_tokens=100, concurrency=8, **PRICED)
    with pytest.raises(BudgetReached, match="the budget of this run would be passed"):
        ask(tmp_path / "s", judge, *asked, run="r", budget=budget)
    made = len(endpoint.calls())
    assert 10 < made < 60
    with Store(tmp_path / "s") as store:
        assert store.spent("r").cost == pytest.approx(made * CALL_COST)
        assert store.spent("r").tokens == made * 110
        assert store.spent("r").within(budget)
    ask(tmp_path / "s", judge, *asked, run="r", budget=Budget(cost=20.0, tokens=30_000))
    assert len(endpoint.calls()) == 60, "what the first run paid for is not paid again"


def test_a_budget_is_shared_by_all_judges_of_a_run_and_by_no_other_run(
    endpoint, tmp_path: Path
) -> None:
    judge, other = (endpoint.judge(name=n, model=n, max_tokens=100, **PRICED) for n in "ab")
    asked = [question(f"Number {i}?") for i in range(4)]
    budget = Budget(cost=2.6)
    ask(tmp_path / "s", judge, *asked, run="r", budget=budget)
    with pytest.raises(BudgetReached):
        ask(tmp_path / "s", other, *asked, run="r", budget=budget)
    ask(tmp_path / "s", other, *asked, run="another", budget=budget)


def test_an_endpoint_that_takes_more_than_max_tokens_is_asked_no_more(
    endpoint, tmp_path: Path
) -> None:
    asked = [question(f"script: greedy\nNumber {i}?") for i in range(9)]
    judge = endpoint.judge(max_tokens=100, concurrency=1)
    with pytest.raises(
        BudgetReached, match=r"5,000 of them for its reply, .* no budget can be kept"
    ):
        ask(tmp_path / "s", judge, *asked, run="r", budget=Budget(tokens=100_000))
    assert len(endpoint.calls()) == 1
    ask(tmp_path / "s", judge, *asked)


def test_the_bound_is_of_what_is_really_sent(endpoint) -> None:
    def limit(**extra_body: Any) -> int:
        judge = endpoint.judge(max_tokens=256, extra_body=extra_body)
        return reply_limit(question("Why?").request(judge))

    assert limit() == 256
    assert limit(max_completion_tokens=4096) == 4096
    assert limit(max_tokens=None, max_completion_tokens=4096) == 4096
    assert limit(max_tokens=64) == 64
    assert limit(n=3) == 768
    with pytest.raises(InputError, match="have no limit"):
        limit(max_tokens=None)


def test_more_reply_tokens_than_max_tokens_do_not_pass_the_budget(endpoint, tmp_path: Path) -> None:
    asked = [question(f"script: greedy\nNumber {i}?") for i in range(9)]
    judge = endpoint.judge(
        max_tokens=100, concurrency=4, extra_body={"max_completion_tokens": 8000}, **PRICED
    )
    budget = Budget(cost=50.0)
    with pytest.raises(BudgetReached):
        ask(tmp_path / "s", judge, *asked, run="r", budget=budget)
    with Store(tmp_path / "s") as store:
        assert store.spent("r").within(budget)


def test_calls_overlap_up_to_the_bound(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?\ndelay: 0.5") for i in range(32)]
    started = time.monotonic()
    ask(tmp_path / "s", endpoint.judge(concurrency=16), *asked)
    assert 1.0 <= time.monotonic() - started < 3.0


def test_the_key_changes_with_all_that_may_change_an_answer() -> None:
    asked = question("Why?")

    def key(asked: Question, identity: str = "", **settings: Any) -> str:
        judge = Judge.model_validate({"name": "a", "model": "m", **settings})
        return key_of(asked, Terms(judge=judge, store=Path("s"), identity=identity))

    keys = {
        key(asked),
        key(asked, "another truth"),
        key(asked, model="n"),
        key(asked, base_url="http://x/v1"),
        key(asked, temperature=0.5),
        key(asked, max_tokens=9),
        key(asked, extra_body={"seed": 1}),
        key(asked, api="responses"),
        key(asked, structured=True),
        key(asked, headers={"x-version": "2"}),
        key(Question(asked.text, "another template")),
        key(question("Why not?")),
        key(question("Why?", "bad", "good")),
    }
    assert len(keys) == 13


def test_another_spelling_of_an_address_pays_nothing_twice(endpoint, tmp_path: Path) -> None:
    one = endpoint.judge()
    slashed = endpoint.judge(base_url=f"{endpoint.base_url}/")
    (answer,) = ask(tmp_path / "s", slashed, question("Why?"))
    assert ask(tmp_path / "s", one, question("Why?")) == [answer]
    terms = Terms(judge=slashed, store=tmp_path / "s")
    older = digest(  # the key of earlier versions
        *("m", slashed.base_url, "", {"temperature": 0.0, "max_tokens": 1024}),
        *(INSTRUMENT.key, question("Whence?").text),
        length=64,
    )
    with Store(tmp_path / "s") as store:
        store.put(older, answer, judge="j", model="m", template="t")
    for judge in (one, slashed):
        assert ask(tmp_path / "s", judge, question("Whence?")) == [answer]
    assert key_of(question("Why?"), terms) == digest(
        *("m", one.base_url, "", {"temperature": 0.0, "max_tokens": 1024}),
        *(INSTRUMENT.key, question("Why?").text),
        length=64,
    ), "as in earlier versions"
    assert len(endpoint.calls()) == 1


def test_the_key_does_not_change_with_how_a_judge_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Judge(name="a", model="m")
    other = Judge(name="b", model="m", concurrency=64, attempts=9, batch=True, timeout_seconds=9.0)
    asked = question("Why?")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:40001/v1")
    key = key_of(asked, Terms(judge=one, store=Path("s"), identity="demo"))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:40002/v1")
    same = key_of(asked, Terms(judge=other, store=Path("s"), identity="demo", run="r"))
    assert same == key, "an identity stands for the port"


def compare_command(study, endpoint, **settings: Any) -> list[str]:
    judge = endpoint.judge(concurrency=4, **settings).flag()
    options = {
        "--judge": judge,
        "--prompts": study.prompts,
        "--first": study.ours,
        "--second": study.theirs,
        "--store": study.store,
        "--seed": "1",
        "--output": study.output,
    }
    limaflow = Path(sys.executable).with_name("limaflow")
    return [str(limaflow), "judge", "compare", *(str(x) for pair in options.items() for x in pair)]


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(endpoint, study, tmp_path: Path) -> None:
    made = study({f"Number {i}?\ndelay: 0.2": (f"good {i}", f"bad {i}") for i in range(30)})
    command = compare_command(made, endpoint)
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(endpoint.calls()) < 24:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    time.sleep(0.5)
    assert not made.output.exists()
    killed_at = len(endpoint.calls())
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    repeated = len(endpoint.calls()) - 60
    assert 0 <= repeated <= 4, "only the calls in flight at the kill are made again"
    assert killed_at < 60
    assert "60 verdicts, 0 errors" in done.stdout
    assert len(made.output.read_text().splitlines()) == 60
    written = made.output.read_bytes()
    subprocess.run(command, capture_output=True, check=True)
    assert made.output.read_bytes() == written
    assert len(endpoint.calls()) == 60 + repeated


def test_a_spent_budget_is_one_line_and_an_exit_code_of_its_own(endpoint, study) -> None:
    made = study({f"Number {i}?": (f"good {i}", f"bad {i}") for i in range(10)})
    command = compare_command(made, endpoint, **PRICED)
    bounded = [*command, "--run", "r", "--budget", '{"cost": 6}']
    done = subprocess.run(bounded, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("error: the budget of this run would be passed")
    assert not made.output.exists()
    paid = len(endpoint.calls())
    assert paid < 20
    subprocess.run([*command, "--run", "r", "--budget", '{"cost": 80}'], check=True)
    assert len(endpoint.calls()) == 20


@pytest.mark.slow
def test_what_a_kill_cut_off_is_told_apart_from_what_was_spent(endpoint, study) -> None:
    made = study({f"Number {i}?\ndelay: 2": ("good", "bad") for i in range(4)})
    command = [*compare_command(made, endpoint, max_tokens=100), "--run", "r", "--budget"]
    running = subprocess.Popen([*command, '{"tokens": 90000}'], stderr=subprocess.DEVNULL)
    while len(endpoint.calls()) < 4:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    with Store(made.store) as store:
        cut_off = store.reserved("r").tokens
        assert (store.spent("r").tokens, cut_off > 4 * 100) == (0, True)
    bounded = [*command, f'{{"tokens": {cut_off + 10}}}']
    done = subprocess.run(bounded, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"spent are cost 0.00, 0 of {cut_off + 10:,} tokens, and up to" in done.stderr
    assert f"{cut_off:,} tokens more by calls that are under way elsewhere, or that a kill cut" in (
        done.stderr
    )
    assert len(endpoint.calls()) == 4
    limaflow = Path(sys.executable).with_name("limaflow")
    release = [limaflow, "judge", "release", "--store", made.store]
    done = subprocess.run(release, capture_output=True, text=True, check=True)
    assert done.stdout == f"r: released cost 0.00 and {cut_off:,} tokens\n"
    again = subprocess.run(release, capture_output=True, text=True, check=True)
    assert "nothing to release" in again.stdout
    subprocess.run(bounded, capture_output=True, check=True)


def test_what_a_living_process_has_reserved_is_waited_for(endpoint, study) -> None:
    made = study({f"Number {i}?\ndelay: 0.3": ("good", "bad") for i in range(4)})
    command = [*compare_command(made, endpoint, max_tokens=100), "--run", "r", "--budget"]
    with Store(made.store) as store:
        room = Budget(tokens=5_000)
        held = Spending(0.0, 4_000, 100)
        assert store.reserve("r", held, room)
        waiting = subprocess.Popen([*command, room.flag()], stderr=subprocess.PIPE, text=True)
        assert waiting.stderr is not None
        read = ""
        while "which are waited for" not in read:
            read += waiting.stderr.read(1)
        assert endpoint.calls() == []
        store.settle("r", held, Spending(0.0, 100, 10))
    waiting.communicate()
    assert waiting.returncode == 0
    assert len(endpoint.calls()) == 8


def test_what_can_never_fit_is_not_waited_for(endpoint, tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        store.reserve("r", Spending(0.0, 4_000), Budget())
        with pytest.raises(BudgetReached):
            ask(
                tmp_path / "s",
                endpoint.judge(),
                question("Why?"),
                run="r",
                budget=Budget(tokens=900),
            )
