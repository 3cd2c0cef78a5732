"""Responses over HTTP, from a real server on the loopback that can be told to misbehave."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HTTPResponse
from starlette.routing import Route

from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import BudgetReached
from limaflow.errors import InputError
from limaflow.generation.ask_endpoint import ask
from limaflow.generation.settings import AskedEndpoint, Decoding
from limaflow.jsonl import read_records, write_records
from limaflow.records import Example, Message, Response, example_id

DECODING = Decoding(top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=50, samples=1)


@dataclass
class Server:
    """What was asked of it, and how it is to behave."""

    port: int
    asked: list[dict] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0
    storms: int = 0
    """Requests that are still answered by 429."""
    broken: str = ""
    """A prompt that is always answered by 400."""
    filtered: str = ""
    """A prompt that a filter always stops."""
    bodies: list[bytes] = field(default_factory=list)
    """What is sent, with status 200, in place of the next answers."""


@pytest.fixture
def server() -> Iterator[Server]:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    state = Server(port=bound.getsockname()[1])

    def complete(request: Request, body: dict) -> HTTPResponse:
        prompt = body["messages"][-1]["content"]
        state.keys.add(request.headers["authorization"])
        if state.storms > 0:
            state.storms -= 1
            return JSONResponse({"error": {"message": "slow"}}, 429, {"retry-after": "0.05"})
        if prompt == state.broken:
            told = f"no such luck with {request.headers['authorization']}"
            return JSONResponse({"error": {"message": told}}, 400)
        if prompt == state.filtered:
            return JSONResponse({"error": {"message": "no", "code": "content_filter"}}, 400)
        state.asked.append(body)
        if state.bodies:
            return HTTPResponse(state.bodies.pop(), media_type="application/json")
        message = {"role": "assistant", "content": f" You said: {prompt} "}
        reason = "length" if "long" in prompt else "stop"
        return JSONResponse(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "served-1",
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
            }
        )

    async def endpoint(request: Request) -> HTTPResponse:
        body = await request.json()
        state.at_once += 1
        state.most_at_once = max(state.most_at_once, state.at_once)
        await anyio.sleep(0.05)
        state.at_once -= 1
        return complete(request, body)

    async def respond(request: Request) -> HTTPResponse:
        body = await request.json()
        state.asked.append(body)
        text = f"Responding to: {body['input'][-1]['content']}"
        said = {"type": "message", "content": [{"type": "output_text", "text": text}]}
        usage = {"input_tokens": 3, "output_tokens": 7}
        return JSONResponse(
            {"object": "response", "status": "completed", "output": [said], "usage": usage}
        )

    app = Starlette(
        routes=[
            Route("/v1/chat/completions", endpoint, methods=["POST"]),
            Route("/v1/responses", respond, methods=["POST"]),
        ]
    )
    running = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=lambda: running.run([bound]))
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield state
    running.should_exit = True
    thread.join()


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    texts = [*(f"prompt {n}" for n in range(10)), "a long one"]
    turns = [(Message(role="user", content=text),) for text in texts]
    examples = [
        Example(id=example_id(turn), messages=turn, source="t", split="test") for turn in turns
    ]
    write_records(tmp_path / "prompts.jsonl", examples)
    return tmp_path / "prompts.jsonl"


@pytest.fixture
def arm(server: Server, monkeypatch: pytest.MonkeyPatch) -> AskedEndpoint:
    monkeypatch.setenv("SOME_KEY", "s3cret")
    url = f"http://127.0.0.1:{server.port}/v1"
    return AskedEndpoint(name="gpt", model="served", base_url=url, key_env="SOME_KEY")


def run(
    arm: AskedEndpoint,
    prompts: Path,
    output: Path,
    concurrency: int = 3,
    budget: Budget = Budget(),  # noqa: B008 - immutable
) -> tuple[int, float]:
    return ask(
        arm.model_copy(update={"concurrency": concurrency}),
        prompts,
        decoding=DECODING,
        samples=2,
        seed=1,
        store=output.with_name("judgments.sqlite"),
        run="r",
        budget=budget,
        output=output,
    )


def test_every_prompt_is_answered_and_the_record_promises_no_determinism(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    count, cut = run(arm, prompts, tmp_path / "o.jsonl")
    assert (count, cut) == (22, pytest.approx(2 / 22))
    responses = list(read_records(tmp_path / "o.jsonl", Response))
    asked = {e.id: e.prompt for e in read_records(prompts, Example)}
    keys = [(r.prompt_id, r.sample) for r in responses]
    assert keys == sorted((prompt, sample) for prompt in asked for sample in (0, 1))
    assert all(r.text == f"You said: {asked[r.prompt_id]}" for r in responses)
    assert responses[0].decoding["reproducible"] is False
    assert responses[0].decoding["repetition_penalty"] is None
    assert responses[0].decoding["answered_by"] == "served-1"
    assert responses[0].tokens == 5
    assert server.keys == {"Bearer s3cret"}
    assert "s3cret" not in (tmp_path / "o.jsonl").read_text()
    assert len({body["seed"] for body in server.asked}) == 22
    assert {body["max_tokens"] for body in server.asked} == {50}
    assert 2 <= server.most_at_once <= 3


def test_prompts_that_mention_control_tokens_are_sent_as_they_are_and_told(
    *, server: Server, arm: AskedEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = (Message(role="user", content="What does <|im_end|> end?"),)
    example = Example(id=example_id(turn), messages=turn, source="t", split="test")
    write_records(tmp_path / "prompts.jsonl", [example])
    run(arm, tmp_path / "prompts.jsonl", tmp_path / "o.jsonl")
    assert "1 of 1 messages to gpt mention" in capsys.readouterr().err
    assert {body["messages"][0]["content"] for body in server.asked} == {turn[0].content}


def test_a_storm_of_refusals_is_waited_out(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.storms = 5
    assert run(arm, prompts, tmp_path / "o.jsonl")[0] == 22


def test_after_a_failure_only_what_is_missing_is_asked(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.broken = "prompt 9"
    with pytest.raises(InputError, match=r"did not answer prompt .*no such luck") as caught:
        run(arm, prompts, tmp_path / "o.jsonl", concurrency=1)
    assert "s3cret" not in str(caught.value)
    assert not (tmp_path / "o.jsonl").exists()
    answered = Counter(body["messages"][0]["content"] for body in server.asked)
    assert answered["prompt 0"] == 2
    server.broken = ""
    assert run(arm, prompts, tmp_path / "o.jsonl")[0] == 22
    again = Counter(body["messages"][0]["content"] for body in server.asked)
    assert set(again.values()) == {2}


def test_a_second_run_asks_nothing_even_where_the_output_is_gone(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    run(arm, prompts, tmp_path / "o.jsonl")
    written = (tmp_path / "o.jsonl").read_bytes()
    (tmp_path / "o.jsonl").unlink()
    run(
        arm.model_copy(update={"price_per_million_prompt_tokens": 9.0}),
        prompts,
        tmp_path / "o.jsonl",
    )
    assert (tmp_path / "o.jsonl").read_bytes() == written
    assert len(server.asked) == 22


def test_what_is_under_way_when_one_fails_is_kept(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.broken = "prompt 0"
    with pytest.raises(InputError, match="no such luck"):
        run(arm, prompts, tmp_path / "o.jsonl", concurrency=8)
    paid = len(server.asked)
    assert paid >= 6
    server.broken = ""
    run(arm, prompts, tmp_path / "o.jsonl", concurrency=8)
    assert len(server.asked) == 22


NO_ANSWERS = [
    b"<html>please log in</html>",
    b"",
    b'{"choices": [{"mess',
    b'{"choices": null}',
    b'{"choices": []}',
    b'{"choices": [{"message": null}]}',
    b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}',
    b'{"error": {"message": "overloaded"}}',
]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_what_is_no_answer_is_asked_again_and_never_kept(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path, body: bytes
) -> None:
    server.bodies = [body]
    run(arm, prompts, tmp_path / "o.jsonl")
    assert len(server.asked) == 23
    assert all(r.text for r in read_records(tmp_path / "o.jsonl", Response))


def test_what_is_no_answer_to_the_end_is_one_line(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.bodies = [NO_ANSWERS[0]] * 99
    with pytest.raises(InputError, match=r"no completion .*<html>please log in"):
        run(arm, prompts, tmp_path / "o.jsonl", concurrency=1)
    assert len(server.asked) == 3


def test_what_the_provider_withholds_is_recorded_as_that(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    withheld = b'{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}'
    server.bodies = [withheld]
    server.filtered = "prompt 3"
    run(arm, prompts, tmp_path / "o.jsonl")
    reasons = Counter(r.finish_reason for r in read_records(tmp_path / "o.jsonl", Response))
    assert reasons == {"stop": 17, "length": 2, "content_filter": 3}


def test_a_refusal_and_a_spent_limit_are_responses_and_parts_are_joined(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.bodies = [
        b'{"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}',
        b'{"choices": [{"message": {"content": [{"type": "text", "text": "In "},'
        b' {"type": "text", "text": "parts."}]}, "finish_reason": "stop"}]}',
    ]
    run(arm, prompts, tmp_path / "o.jsonl")
    responses = list(read_records(tmp_path / "o.jsonl", Response))
    found = {(r.text, r.finish_reason) for r in responses if not r.text.startswith("You said")}
    assert found == {("No.", "stop"), ("", "length"), ("In parts.", "stop")}
    assert len(server.asked) == 22


def test_an_error_with_status_200_ends_in_one_line_and_is_not_asked_again(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    server.bodies = [b'{"error": {"message": "no s3cret", "code": 400}}'] * 9
    with pytest.raises(InputError, match=r"did not answer prompt .*: no \*\*\* \(400\)"):
        run(arm, prompts, tmp_path / "o.jsonl", concurrency=1)
    assert len(server.asked) == 1


def test_an_arm_speaks_the_responses_api(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    run(arm.model_copy(update={"api": "responses"}), prompts, tmp_path / "o.jsonl")
    responses = list(read_records(tmp_path / "o.jsonl", Response))
    assert {r.finish_reason for r in responses} == {"stop"}
    assert all(r.text.startswith("Responding to: ") and r.tokens == 7 for r in responses)
    assert {(b["max_output_tokens"], b["store"], "seed" in b) for b in server.asked} == {
        (50, False, False)
    }


def test_prices_pace_and_a_slash_ask_nothing_anew_but_another_request_does(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    run(arm, prompts, tmp_path / "o.jsonl")
    same = {"timeout_seconds": 9.0, "base_url": f"{arm.base_url}/"}
    run(arm.model_copy(update=same), prompts, tmp_path / "o.jsonl", concurrency=1)
    assert len(server.asked) == 22
    run(arm.model_copy(update={"headers": {"x-version": "2"}}), prompts, tmp_path / "o.jsonl")
    assert len(server.asked) == 44


def test_the_runs_budget_is_never_passed_and_what_it_paid_for_is_kept(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    priced = arm.model_copy(update={"price_per_million_completion_tokens": 1e6})
    with pytest.raises(BudgetReached, match="the budget of this run would be passed"):
        run(priced, prompts, tmp_path / "o.jsonl", budget=Budget(cost=100.0))
    assert 10 < len(server.asked) < 20, "five a reply, of which each may take fifty"
    run(priced, prompts, tmp_path / "o.jsonl", budget=Budget(cost=1000.0))
    assert len(server.asked) == 22


def test_without_the_key_nothing_is_asked(
    server: Server,
    arm: AskedEndpoint,
    prompts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(InputError, match="SOME_KEY"):
        run(arm, prompts, tmp_path / "o.jsonl")
    assert not server.asked


def test_what_only_some_endpoints_understand_is_sent_and_recorded(
    server: Server, arm: AskedEndpoint, prompts: Path, tmp_path: Path
) -> None:
    extra = {"repetition_penalty": 1.2, "top_k": 50}
    run(arm.model_copy(update={"extra_body": extra}), prompts, tmp_path / "o.jsonl")
    (first, *_) = read_records(tmp_path / "o.jsonl", Response)
    assert first.decoding["repetition_penalty"] == 1.2
    assert first.decoding["extra_body"] == extra
    assert {body["top_k"] for body in server.asked} == {50}


def test_of_a_dialogue_the_turns_so_far_are_sent_and_no_reference_answer(
    server: Server, arm: AskedEndpoint, tmp_path: Path
) -> None:
    said = [("user", "Hi"), ("assistant", "Hello"), ("user", "Why?"), ("assistant", "Because.")]
    turns = tuple(Message(role=role, content=text) for role, text in said)
    prompt = Example(id=example_id(turns), messages=turns, source="t", split="test")
    write_records(tmp_path / "dialogue.jsonl", [prompt])
    run(arm, tmp_path / "dialogue.jsonl", tmp_path / "o.jsonl")
    sent = [(turn["role"], turn["content"]) for turn in server.asked[0]["messages"]]
    assert sent == said[:3]
