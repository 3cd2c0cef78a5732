"""A chat-completions server for tests: judges by a plain rule, misbehaves as a question scripts.

Run as a process of its own; prints its port. A question's first line may say `script: 429 hang`:
what to do on the first, second, third call with this message before answering well. The path in
front of `/v1` keeps the calls of one test apart; `GET /<test>/calls` lists them.
"""

import asyncio
import json
import socket
import sys
from collections import defaultdict

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from limaflow.judging.blocks import read_blocks

KEY = "sk-test-8c1f5e"
calls: dict[str, list[dict[str, object]]] = defaultdict(list)


async def complete(request: Request) -> Response:
    test = request.path_params["test"]
    if request.headers.get("authorization") != f"Bearer {KEY}":
        offered = request.headers.get("authorization", "")
        return _error(401, f"no such key: {offered}")
    body = await request.json()
    message = body["messages"][-1]["content"]
    blocks = read_blocks(message)
    earlier = sum(call["message"] == message for call in calls[test])
    step = _script(blocks["question"])[earlier : earlier + 1] or ["well"]
    calls[test].append({"message": message, "question": blocks["question"], "did": step[0]})
    if body["model"] == "unknown":
        return _error(404, "no such model")
    await asyncio.sleep(_delay(blocks["question"]))
    return await _trouble(step[0], body["model"]) or _completion(body["model"], _judged(blocks))


async def _trouble(kind: str, model: str) -> Response | None:
    if kind == "hang":
        await asyncio.sleep(30)
    if kind == "429":
        return _error(429, "slow down", {"Retry-After": "1"})
    if kind in {"400", "500"}:
        return _error(int(kind), f"failed with Bearer {KEY}")
    made = {
        "html": lambda: PlainTextResponse("<html>gateway</html>", media_type="text/html"),
        "wrong-json": lambda: JSONResponse({"choices": []}),
        "broken": lambda: StreamingResponse(_half(), headers={"content-length": "4000"}),
        "mumble": lambda: _completion(model, "Both have their merits, it is hard to say."),
        "punctuated": lambda: _completion(model, "Clear.\nfirst."),
        "cut": lambda: _completion(model, "1. The first\nfirst", finish_reason="length"),
        "empty": lambda: _completion(model, None),
    }
    return made[kind]() if kind in made else None


async def _half():
    yield b'{"choices": ['


def _script(question: str) -> list[str]:
    line = question.splitlines()[0] if question else ""
    return line.removeprefix("script:").split() if line.startswith("script:") else []


def _delay(question: str) -> float:
    line = question.splitlines()[-1] if question else ""
    return float(line.removeprefix("delay:")) if line.startswith("delay:") else 0.0


def _judged(blocks: dict[str, str]) -> str:
    """More of the word `good` is better; a tie where both have as much of it."""
    if "answer" in blocks:
        return f"Some reasons.\n\n{min(6, 1 + blocks['answer'].count('good'))}\n"
    one, other = blocks["answer_1"].count("good"), blocks["answer_2"].count("good")
    word = "first" if one > other else "second" if other > one else "neither"
    return f"The first has this, the second that.\n\n  {word}  \n"


def _completion(model: str, reply: str | None, finish_reason: str = "stop") -> Response:
    return JSONResponse(
        {
            "id": "c-1",
            "object": "chat.completion",
            "model": f"{model}-2026-01",
            "system_fingerprint": "fp_7",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish_reason,
                    "message": {"role": "assistant", "content": reply},
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message}}, status_code=status, headers=headers)


async def listed(request: Request) -> Response:
    return JSONResponse(calls[request.path_params["test"]])


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    routes = [
        Route("/{test}/v1/chat/completions", complete, methods=["POST"]),
        Route("/{test}/calls", listed),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
    sys.exit(0)
