"""A chat-completions server for tests: judges by a plain rule, misbehaves as a question scripts.

Run as a process of its own; prints its port. A question's first line may say `script: 429 hang`:
what to do on the first, second, third call with this message before answering well. The path in
front of `/v1` keeps the calls of one test apart; `GET /<test>/calls` lists them.

Batches of questions are answered by the same rules when `POST /<test>/finish` says so; the model
name `slow-batches` makes the reply to their creation come too late, `html-batches` a web page.
"""

import asyncio
import json
import socket
import sys
import time
import zlib
from collections import defaultdict
from email import message_from_bytes
from email.utils import formatdate

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from limaflow.judging.delimiters import read_blocks

KEY = "sk-test-8c1f5e"
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "second"}]}
calls: dict[str, list[dict[str, object]]] = defaultdict(list)
files: dict[str, dict[str, bytes]] = defaultdict(dict)
batches: dict[str, dict[str, dict]] = defaultdict(dict)


async def complete(request: Request) -> Response:
    test = request.path_params["test"]
    if request.headers.get("authorization") != f"Bearer {KEY}":
        offered = request.headers.get("authorization", "")
        return _error(401, f"no such key: {offered}")
    body = await request.json()
    message = body["messages"][0]["content"]
    blocks = read_blocks(message)
    step = _called(test, body, dict(request.headers))
    if body["model"] == "unknown":
        return _error(404, "no such model")
    await asyncio.sleep(_delay(blocks["question"]))
    return await _trouble(step, body["model"]) or _completion(body["model"], _judged(blocks))


async def respond(request: Request) -> Response:
    """The Responses API: as chat completions, in other words."""
    return _responded(request.path_params["test"], await request.json())


def _responded(test: str, body: dict) -> JSONResponse:
    if unknown := body.keys() & {"messages", "max_tokens", "seed", "response_format"}:
        return _error(400, f"unknown parameter {unknown}")
    message = body["input"][0]["content"]
    step = _called(test, {"messages": body["input"], **body})
    made = {
        "refusal": lambda: _response_object([{"type": "refusal", "refusal": "I will not."}]),
        "cut": lambda: _response_object([], status="incomplete", reason="max_output_tokens"),
        "filtered": lambda: _response_object([], status="incomplete", reason="content_filter"),
    }
    text = _judged(read_blocks(message))
    return made.get(step, lambda: _response_object([{"type": "output_text", "text": text}]))()


def _response_object(content: list, status: str = "completed", reason: str | None = None):
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "second"}]}
    said = {"type": "message", "role": "assistant", "content": content}
    return JSONResponse(
        {
            "id": "r-1",
            "object": "response",
            "model": "m-2026-02",
            "status": status,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [thought, said],
            "usage": {"input_tokens": 100, "output_tokens": 30, "total_tokens": 130},
        }
    )


def _called(test: str, body: dict, headers: dict[str, str] | None = None) -> str:
    """Note a call and say what its question wants to happen."""
    message = body["messages"][0]["content"]
    question = read_blocks(message)["question"]
    earlier = sum(call["message"] == message for call in calls[test])
    (step,) = _script(question)[earlier : earlier + 1] or ["well"]
    call = {"message": message, "question": question, "did": step, "body": body}
    calls[test].append(call | {"headers": headers or {}})
    return step


async def _trouble(kind: str, model: str) -> Response | None:
    if kind == "hang":
        await asyncio.sleep(30)
    if kind == "429":
        return _error(429, "slow down", {"Retry-After": "1"})
    if kind == "429-date":
        return _error(429, "slow down", {"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    if kind == "503-later":
        return _error(503, "closed", {"Retry-After": "1"})
    if kind == "quota":
        told = {"x-should-retry": "false"}
        return _error(429, "you have no money left", told, code="insufficient_quota")
    if kind in {"400", "500"}:
        return _error(int(kind), f"failed with Bearer {KEY}")
    made = {
        "filtered-400": lambda: _error(400, "filtered", code="content_filter"),
        "elsewhere": lambda: RedirectResponse("http://127.0.0.2:9/v1/chat/completions", 307),
        "onward": lambda: RedirectResponse("completions", 307),
        "error-200": lambda: JSONResponse({"error": {"message": "upstream", "code": 502}}),
        "denied-200": lambda: JSONResponse({"error": {"message": f"no, {KEY}", "code": 400}}),
        "html": lambda: PlainTextResponse("<html>gateway</html>", media_type="text/html"),
        "wrong-json": lambda: JSONResponse({"choices": []}),
        "broken": lambda: StreamingResponse(_half(), headers={"content-length": "4000"}),
        "flood": lambda: StreamingResponse(_flood(), media_type="application/json"),
        "bomb": lambda: Response(_bomb(), headers={"content-encoding": "gzip"}),
        "drip": lambda: StreamingResponse(_drip(), media_type="application/json"),
        "renamed": lambda: _completion("another", "It is.\nfirst"),
        "greedy": lambda: _completion(model, "So.\nfirst", tokens=5000),
        "countless": lambda: _completion(model, "So.\nfirst", tokens=10**30),
        "uncounted": lambda: _completion(model, "So.\nfirst", tokens=None),
        "mumble": lambda: _completion(model, "Both have their merits, it is hard to say."),
        "bold": lambda: _completion(model, "Clear.\n**First**.\u200b"),
        "json": lambda: _completion(model, '{"reasons": "Clear.", "choice": "first"}'),
        "parts": lambda: _completion(model, [THOUGHT, {"type": "text", "text": "So.\nfirst"}]),
        "refusal": lambda: _completion(model, None, refusal="I will not judge this."),
        "filtered": lambda: _completion(model, "", finish_reason="content_filter"),
        "broken-off": lambda: _completion(model, "So.\nfirst", finish_reason="error"),
        "hidden": lambda: _completion(model, "So.\nfirst", total=600),
        "cut": lambda: _completion(model, "1. The first\nfirst", finish_reason="length"),
        "empty": lambda: _completion(model, None),
    }
    return made[kind]() if kind in made else None


async def _half():
    yield b'{"choices": ['


async def _drip():
    for _ in range(300):
        yield b" "
        await asyncio.sleep(0.1)


async def _flood():
    for _ in range(4096):
        yield b" " * 2**20


def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(1024)) + packer.flush()


def _script(question: str) -> list[str]:
    line = question.splitlines()[0] if question else ""
    return line.removeprefix("script:").split() if line.startswith("script:") else []


def _delay(question: str) -> float:
    line = question.splitlines()[-1] if question else ""
    return float(line.removeprefix("delay:")) if line.startswith("delay:") else 0.0


def _judged(blocks: dict[str, str]) -> str:
    """More of the word `good` is better; a tie where both have as much of it."""
    if "right_answers" in blocks:
        rights, answer = blocks["right_answers"].splitlines(), blocks["answer"].strip()
        word = "right" if any(right in answer for right in rights) else "wrong"
        return f"It says so.\n\n{word if answer else 'no answer'}"
    if "answer" in blocks:
        return f"Some reasons.\n\n{min(6, 1 + blocks['answer'].count('good'))}\n"
    one, other = blocks["answer_1"].count("good"), blocks["answer_2"].count("good")
    word = "first" if one > other else "second" if other > one else "neither"
    return f"The first has this, the second that.\n\n  {word}  \n"


def _completion(
    model: str,
    reply: str | list | None,
    finish_reason: str = "stop",
    *,
    tokens: int | None = 10,
    total: int = 110,
    refusal: str | None = None,
) -> Response:
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
                    "message": {"role": "assistant", "content": reply, "refusal": refusal},
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": total},
        }
    )


def _error(
    status: int, message: str, headers: dict[str, str] | None = None, code: str | None = None
) -> JSONResponse:
    error = {"message": message, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


async def upload(request: Request) -> Response:
    form = f"content-type: {request.headers['content-type']}\n\n".encode() + await request.body()
    parts = message_from_bytes(form).get_payload()
    (content,) = [part.get_payload(decode=True) for part in parts if part.get_filename()]
    return JSONResponse(_file(request.path_params["test"], content))


def _file(test: str, content: bytes) -> dict[str, object]:
    name = f"file-{len(files[test])}"
    files[test][name] = content
    return {"id": name, "object": "file", "bytes": len(content), "purpose": "batch"}


async def content(request: Request) -> Response:
    return Response(files[request.path_params["test"]][request.path_params["name"]])


async def create_batch(request: Request) -> Response:
    test, body = request.path_params["test"], await request.json()
    lines = files[test][body["input_file_id"]].splitlines()
    asked = [json.loads(line) for line in lines]
    batch = {
        "id": f"batch-{len(batches[test])}",
        "object": "batch",
        "created_at": 0,
        "status": "in_progress",
        "completion_window": "24h",
        "request_counts": {"total": len(asked), "completed": 0, "failed": 0},
        **body,
    }
    batches[test][batch["id"]] = batch
    if asked[0]["body"]["model"] == "html-batches":
        return PlainTextResponse("<html>gateway</html>", media_type="text/html")
    if asked[0]["body"]["model"] == "slow-batches":
        await asyncio.sleep(3)
    return JSONResponse(batch)


async def get_batch(request: Request) -> Response:
    return JSONResponse(batches[request.path_params["test"]][request.path_params["name"]])


async def list_batches(request: Request) -> Response:
    listed = list(batches[request.path_params["test"]].values())
    return JSONResponse({"object": "list", "data": listed, "has_more": False})


async def finish(request: Request) -> Response:
    """Answer all batches that are under way."""
    test = request.path_params["test"]
    for batch in batches[test].values():
        if batch["status"] != "in_progress":
            continue
        answered: list[str] = []
        failed: list[str] = []
        for line in files[test][batch["input_file_id"]].splitlines():
            asked = json.loads(line)
            done = await _answered(test, asked["body"])
            row = {"custom_id": asked["custom_id"], "response": done, "error": None}
            (answered if done["status_code"] == 200 else failed).append(json.dumps(row))
        # The protocol promises no order.
        batch["output_file_id"] = _file(test, "\n".join(reversed(answered)).encode())["id"]
        batch["error_file_id"] = _file(test, "\n".join(failed).encode())["id"] if failed else None
        batch["status"] = "completed"
    return JSONResponse(len(batches[test]))


async def _answered(test: str, body: dict) -> dict[str, object]:
    if "input" in body:
        return {"status_code": 200, "body": json.loads(_responded(test, body).body)}
    message = body["messages"][0]["content"]
    step = _called(test, body)
    made = await _trouble(step, body["model"]) or _completion(
        body["model"], _judged(read_blocks(message))
    )
    return {"status_code": made.status_code, "body": json.loads(made.body)}


async def listed(request: Request) -> Response:
    return JSONResponse(calls[request.path_params["test"]])


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    routes = [
        Route("/{test}/v1/chat/completions", complete, methods=["POST"]),
        Route("/{test}/v1/responses", respond, methods=["POST"]),
        Route("/{test}/v1/files", upload, methods=["POST"]),
        Route("/{test}/v1/files/{name}/content", content),
        Route("/{test}/v1/batches", create_batch, methods=["POST"]),
        Route("/{test}/v1/batches", list_batches),
        Route("/{test}/v1/batches/{name}", get_batch),
        Route("/{test}/finish", finish, methods=["POST"]),
        Route("/{test}/calls", listed),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
    sys.exit(0)
