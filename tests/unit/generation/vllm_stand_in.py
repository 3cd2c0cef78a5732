"""Speaks vLLM's command line and protocol, as far as we use them, and notes what it was asked."""

import asyncio
import json
import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

NOTES = Path(os.environ["STAND_IN_NOTES"])


def allowed(request: Request) -> bool:
    return request.headers["authorization"] == f"Bearer {os.environ['VLLM_API_KEY']}"


async def models(request: Request) -> JSONResponse:
    return JSONResponse({"object": "list", "data": []}, 200 if allowed(request) else 401)


async def complete(request: Request) -> JSONResponse:
    body = await request.json()
    with NOTES.open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), **body}) + "\n")
    if os.environ.get("STAND_IN_HANGS"):
        await asyncio.sleep(300)
    if body["seed"] % 5 == 0 and os.environ.get("STAND_IN_FAILS"):
        return JSONResponse({"error": {"message": "out of memory"}}, 400)
    reason = "length" if body["seed"] % 2 else "stop"
    choice = {"index": 0, "text": f" seed {body['seed']} ", "finish_reason": reason}
    usage = {"prompt_tokens": len(body["prompt"]), "completion_tokens": 3, "total_tokens": 3}
    return JSONResponse(
        {"id": "1", "object": "text_completion", "created": 0, "model": body["model"]}
        | {"choices": [choice], "usage": usage}
    )


if __name__ == "__main__":
    options = dict(zip(sys.argv[3::2], sys.argv[4::2], strict=True))
    assert sys.argv[1] == "serve" and Path(sys.argv[2], "config.json").is_file(), sys.argv
    assert options["--dtype"] == "float32" and options["--generation-config"] == "vllm"
    started = {"options": options, "environment": dict(os.environ)}
    NOTES.with_suffix(".started").write_text(json.dumps(started))
    if "STAND_IN_BREAKS" in os.environ:
        sys.exit("no GPU here")
    routes = [
        Route("/v1/models", models),
        Route("/v1/completions", complete, methods=["POST"]),
    ]
    uvicorn.run(Starlette(routes=routes), port=int(options["--port"]), log_level="critical")
