"""Questions by the provider's batch API, against a server that speaks its protocol."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from limaflow.endpoints.client import ask_all, key_of
from limaflow.endpoints.session import Question, Terms
from limaflow.endpoints.settings import Budget, Judge
from limaflow.endpoints.spending import BudgetReached, Spending
from limaflow.endpoints.store import Answer, Batch, Store
from limaflow.errors import InputError
from limaflow.judging.instrument import load
from limaflow.judging.pairwise import choice_of

INSTRUMENT = load("pairwise")
KEY = "Bearer sk-test-8c1f5e"
PRICED = {"price_per_million_prompt_tokens": 1000.0, "price_per_million_completion_tokens": 3000.0}
HALF_COST = (0.1 + 0.03) / 2


def question(text: str) -> Question:
    rendered = INSTRUMENT.render(question=text, answer_1="good", answer_2="bad")
    return Question(rendered, INSTRUMENT.key)


def ask(store: Path, judge: Judge, *questions: Question, **options: Any) -> list[Answer]:
    terms = Terms(judge=judge, store=store, **options)
    return ask_all(questions, lambda reply: choice_of(reply, INSTRUMENT) is not None, terms=terms)


@pytest.fixture
def working(endpoint) -> Iterator[None]:
    """The provider answers every batch soon after it is sent."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.2):
            endpoint.finish()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.mark.usefixtures("working")
def test_a_batch_is_answered_at_half_the_price_and_asked_once(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?") for i in range(5)]
    judge = endpoint.judge(batch=True, **PRICED)
    answers = ask(tmp_path / "s", judge, *asked, run="r")
    assert [choice_of(a.reply, INSTRUMENT) for a in answers] == ["first"] * 5
    assert [a.cost for a in answers] == [pytest.approx(HALF_COST)] * 5
    with Store(tmp_path / "s") as store:
        assert store.spent("r").cost == pytest.approx(5 * HALF_COST)
        assert store.spent("r").tokens == 550
    assert ask(tmp_path / "s", endpoint.judge(), *asked) == answers, "live or not, one answer"
    assert (endpoint.batches(), len(endpoint.calls())) == (1, 5)


@pytest.mark.usefixtures("working")
def test_only_what_failed_is_sent_again(endpoint, tmp_path: Path) -> None:
    asked = [question(t) for t in ("Good?", "script: mumble\n?", "script: 500\n?")]
    answers = ask(tmp_path / "s", endpoint.judge(batch=True), *asked)
    assert [a.error for a in answers] == [None] * 3
    assert (endpoint.batches(), len(endpoint.calls())) == (2, 5)
    again = [c["body"]["messages"] for c in endpoint.calls() if len(c["body"]["messages"]) > 1]
    ((_, reply, wrong),) = again
    assert "merits" in reply["content"] and "could not be read" in wrong["content"]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_what_a_model_refuses_is_not_sent_again_by_either_protocol(
    endpoint, tmp_path: Path, api: str
) -> None:
    asked = [question("Good?"), question("script: refusal refusal\n?")]
    judge = endpoint.judge(batch=True, api=api)
    good, refused = ask(tmp_path / "s", judge, *asked, max_error_share=0.5)
    assert choice_of(good.reply, INSTRUMENT) == "first"
    assert refused.error is not None and refused.error.startswith("refused: I will not")
    assert (endpoint.batches(), len(endpoint.calls())) == (1, 2)


def test_a_batch_that_another_spelling_of_the_address_sent_is_waited_for(
    endpoint, tmp_path: Path
) -> None:
    asked = question("Why?")
    slashed = endpoint.judge(batch=True, base_url=f"{endpoint.base_url}/")
    terms = Terms(judge=slashed, store=tmp_path / "s", run="r")
    earlier = Batch(
        token="t",
        model=f"m {slashed.base_url}",
        run="r",
        reserved=Spending(0.0, 5000),
        keys=(key_of(asked, terms),),
    )
    with Store(tmp_path / "s") as store:
        store.reserve("r", earlier.reserved, Budget(), batch="t")
        store.keep_batch(earlier)
    with httpx2.Client(base_url=endpoint.base_url, headers={"Authorization": KEY}) as client:
        line = {"custom_id": earlier.keys[0], "body": asked.request(slashed)}
        made = client.post("/files", files={"file": ("q", json.dumps(line).encode())}).json()
        sent = {"input_file_id": made["id"], "metadata": {"limaflow": "t"}}
        client.post("/batches", json=sent)
    endpoint.finish()
    (answer,) = ask(tmp_path / "s", endpoint.judge(batch=True), asked, run="r")
    assert answer.error is None
    assert endpoint.batches() == 1


@pytest.mark.usefixtures("working")
def test_what_fails_to_the_end_is_an_error_and_not_stored(endpoint, tmp_path: Path) -> None:
    asked = [question("Good?"), question("script: mumble mumble 400\n?")]
    judge = endpoint.judge(batch=True, attempts=2)
    good, bad = ask(tmp_path / "s", judge, *asked, max_error_share=0.5)
    assert good.error is None
    assert bad.error is not None and bad.error.startswith("unreadable")
    with pytest.raises(InputError, match="1 of 2 questions failed"):
        ask(tmp_path / "s", endpoint.judge(batch=True, attempts=1), *asked)
    assert len(endpoint.calls()) == 4


@pytest.mark.usefixtures("working")
def test_a_batch_takes_what_the_budget_allows(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?") for i in range(20)]
    judge = endpoint.judge(batch=True, max_tokens=100, **PRICED)
    with pytest.raises(BudgetReached):
        ask(tmp_path / "s", judge, *asked, run="r", budget=Budget(cost=1.1))
    made = len(endpoint.calls())
    assert 1 <= made < 20
    with Store(tmp_path / "s") as store:
        assert store.spent("r").cost == pytest.approx(made * HALF_COST)
    ask(tmp_path / "s", judge, *asked, run="r", budget=Budget(cost=25.0))
    assert len(endpoint.calls()) == 20


@pytest.mark.usefixtures("working")
def test_a_batch_waits_for_what_a_living_process_has_reserved(endpoint, tmp_path: Path) -> None:
    asked = [question(f"Number {i}?") for i in range(3)]
    budget, held = Budget(tokens=12_000), Spending(0.0, 11_000)
    with Store(tmp_path / "s") as other:
        assert other.reserve("r", held, budget)
        ended = threading.Timer(2.0, other.settle, ["r", held, Spending(0.0, 10)])
        ended.start()
        answers = ask(tmp_path / "s", endpoint.judge(batch=True), *asked, run="r", budget=budget)
        ended.join()
    assert [a.error for a in answers] == [None] * 3


def test_a_killed_run_goes_on_waiting_for_what_it_sent(endpoint, study, tmp_path: Path) -> None:
    made = study({f"Number {i}?": (f"good {i}", f"bad {i}") for i in range(10)})
    command = [
        Path(sys.executable).with_name("limaflow"), "judge", "compare", "--judge",
        endpoint.judge(batch=True).flag(), "--prompts", made.prompts, "--first", made.ours,
        "--second", made.theirs, "--store", made.store, "--seed", "1", "--output", made.output,
    ]  # fmt: skip
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not endpoint.batches():
        time.sleep(0.05)
    running.kill()
    running.wait()
    endpoint.finish()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "20 verdicts, 0 errors" in done.stdout
    assert (endpoint.batches(), len(endpoint.calls())) == (1, 20)
    with Store(made.store) as store:
        assert store.spent("") == Spending(0.0, 20 * 110)


@pytest.mark.usefixtures("working")
def test_a_batch_whose_making_was_never_confirmed_is_found_by_its_name(
    endpoint, tmp_path: Path
) -> None:
    judge = endpoint.judge(batch=True, model="slow-batches", timeout_seconds=1.0)
    (answer,) = ask(tmp_path / "s", judge, question("Why?"))
    assert answer.error is None
    assert (endpoint.batches(), len(endpoint.calls())) == (1, 1)


@pytest.mark.usefixtures("working")
def test_a_page_in_place_of_a_batch_is_one_line_and_the_batch_is_found_again(
    endpoint, tmp_path: Path
) -> None:
    judge = endpoint.judge(batch=True, model="html-batches")
    with pytest.raises(InputError, match=r"the batch API failed: it sent no object"):
        ask(tmp_path / "s", judge, question("Why?"))
    (answer,) = ask(tmp_path / "s", judge, question("Why?"))
    assert answer.error is None
    assert (endpoint.batches(), len(endpoint.calls())) == (1, 1)


@pytest.mark.usefixtures("working")
def test_what_a_killed_run_was_about_to_send_is_asked_anew_and_its_reservation_released(
    endpoint, tmp_path: Path
) -> None:
    judge, asked = endpoint.judge(batch=True), question("Why?")
    terms = Terms(judge=judge, store=tmp_path / "s", run="r")
    unsent = Batch(
        token="t",
        model=f"m {endpoint.base_url}",
        run="r",
        reserved=Spending(0.0, 5000),
        keys=(key_of(asked, terms),),
    )
    with Store(tmp_path / "s") as store:
        store.reserve("r", unsent.reserved, Budget(), batch="t")
        store.keep_batch(unsent)
    (answer,) = ask(tmp_path / "s", judge, asked, run="r")
    assert answer.error is None
    with Store(tmp_path / "s") as store:
        assert store.spent("r").tokens == 110
        assert store.open_batches(unsent.model) == []
