"""Asking a judge over HTTP: what is repeated, what is paid, what is kept."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from limaflow.config import Judge
from limaflow.errors import InputError
from limaflow.judging.client import Question, ask_all, key_of
from limaflow.judging.instrument import load
from limaflow.judging.pairwise import choice_of
from limaflow.judging.store import Answer, Store

INSTRUMENT = load("pairwise")
PRICED = {"price_per_million_prompt_tokens": 1000.0, "price_per_million_completion_tokens": 3000.0}
CALL_COST = 0.1 + 0.03


def question(text: str, one: str = "good", other: str = "bad") -> Question:
    rendered = INSTRUMENT.render(question=text, answer_1=one, answer_2=other)
    return Question(rendered, INSTRUMENT.hash)


def ask(
    store: Path, judge: Judge, *questions: Question, share: float = 0.0, **options: Any
) -> list[Answer]:
    settings = {"identity": "", "timeout": 5.0, **options}
    return ask_all(
        questions,
        lambda reply: choice_of(reply) is not None,
        judge=judge,
        store=store,
        max_error_share=share,
        **settings,
    )


def test_an_answer_is_recorded_with_who_gave_it_and_what_it_cost(endpoint, tmp_path: Path) -> None:
    (answer,) = ask(tmp_path / "s", endpoint.judge(**PRICED), question("Why?"))
    assert choice_of(answer.reply) == "first"
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


@pytest.mark.parametrize("trouble", ["429", "500", "hang", "broken", "500 429 500"])
def test_a_call_in_trouble_is_repeated(endpoint, tmp_path: Path, trouble: str) -> None:
    started = time.monotonic()
    asked = question(f"script: {trouble}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(attempts=1), asked, timeout=1.0)
    assert answer.error is None
    assert [call["did"] for call in endpoint.calls()] == [*trouble.split(), "well"]
    if "429" in trouble:
        assert time.monotonic() - started > 1, "the server asked for a pause of a second"


@pytest.mark.parametrize("nonsense", ["mumble", "punctuated", "cut", "empty", "html", "wrong-json"])
def test_an_unreadable_reply_is_asked_again(endpoint, tmp_path: Path, nonsense: str) -> None:
    asked = question(f"script: {nonsense} {nonsense}\nWhy?")
    (answer,) = ask(tmp_path / "s", endpoint.judge(attempts=3), asked)
    assert choice_of(answer.reply) == "first"
    assert len(endpoint.calls()) == 3


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


def test_an_unknown_model_stops_at_once(endpoint, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such model"):
        ask(tmp_path / "s", endpoint.judge(model="unknown"), question("Why?"), share=1.0)


def test_the_budget_is_never_passed_and_its_answers_are_kept(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?") for i in range(60)]
    judge = endpoint.judge(budget=6.0, max_tokens=100, concurrency=8, **PRICED)
    with pytest.raises(InputError, match="budget of judge 'tester', 6, would be passed"):
        ask(tmp_path / "s", judge, *asked)
    made = len(endpoint.calls())
    assert 10 < made < 60
    with Store(tmp_path / "s") as store:
        assert store.spent("tester") == pytest.approx(made * CALL_COST)
        assert store.spent("tester") <= 6.0
    ask(tmp_path / "s", endpoint.judge(budget=20.0, max_tokens=100, **PRICED), *asked)
    assert len(endpoint.calls()) == 60, "what the first run paid for is not paid again"


def test_calls_overlap_up_to_the_bound(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?\ndelay: 0.5") for i in range(32)]
    started = time.monotonic()
    ask(tmp_path / "s", endpoint.judge(concurrency=16), *asked)
    assert 1.0 <= time.monotonic() - started < 3.0


def test_the_key_changes_with_all_that_may_change_an_answer() -> None:
    judge = Judge(name="a", model="m")
    asked = question("Why?")
    keys = {
        key_of(asked, judge, ""),
        key_of(asked, judge, "another truth"),
        key_of(asked, Judge(name="a", model="n"), ""),
        key_of(asked, Judge(name="a", model="m", base_url="http://x/v1"), ""),
        key_of(asked, Judge(name="a", model="m", temperature=0.5), ""),
        key_of(asked, Judge(name="a", model="m", max_tokens=9), ""),
        key_of(Question(asked.text, "another template"), judge, ""),
        key_of(question("Why not?"), judge, ""),
        key_of(question("Why?", "bad", "good"), judge, ""),
    }
    assert len(keys) == 9


def test_the_key_does_not_change_with_how_a_judge_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Judge(name="a", model="m")
    other = Judge(name="b", model="m", concurrency=64, attempts=9, budget=1.0)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:40001/v1")
    key = key_of(question("Why?"), one, "demo")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:40002/v1")
    assert key_of(question("Why?"), other, "demo") == key, "an identity stands for the port"


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
