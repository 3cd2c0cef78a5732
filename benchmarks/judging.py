"""1,200 questions to a local server that takes a second for each, 64 of them under way.

The ideal is 1,200 / 64 rounds of a second. Run as a program, this file is the server.
"""

import asyncio
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CALLS, UNDER_WAY, SECONDS = 1200, 64, 1.0
IDEAL = math.ceil(CALLS / UNDER_WAY) * SECONDS


def measured() -> tuple[float, float]:
    """Seconds over the ideal, and MB of memory that the second half of the calls added."""
    import psutil

    from limaflow.endpoints.client import ask_all
    from limaflow.endpoints.session import Question, Terms
    from limaflow.endpoints.settings import Judge
    from limaflow.judging.instrument import load

    server = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    os.environ["BENCHMARK_KEY"] = "none"
    judge = Judge(
        name="local",
        model="m",
        base_url=f"http://127.0.0.1:{port}/v1",
        key_env="BENCHMARK_KEY",
        concurrency=UNDER_WAY,
    )
    instrument = load("likert")
    questions = [
        Question(
            instrument.render(question=f"Number {n}?", answer="An answer. " * 200), instrument.hash
        )
        for n in range(CALLS)
    ]
    process = psutil.Process()
    seen: list[int] = []

    def readable(reply: str) -> bool:
        seen.append(process.memory_info().rss)
        return reply == "4"

    try:
        with tempfile.TemporaryDirectory() as folder:
            terms = Terms(judge=judge, store=Path(folder, "judgments.sqlite"))
            start = time.perf_counter()
            ask_all(questions, readable, terms=terms)
            seconds = time.perf_counter() - start
    finally:
        server.kill()
        server.wait()
    return seconds / IDEAL, (seen[-1] - seen[len(seen) // 2]) / 1e6


def serve() -> None:
    """Answer every completion after `SECONDS`."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def complete(request: Request) -> JSONResponse:
        await request.body()
        await asyncio.sleep(SECONDS)
        message = {"role": "assistant", "content": "4"}
        return JSONResponse(
            {
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 700, "completion_tokens": 1, "total_tokens": 701},
            }
        )

    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(json.dumps(listening.getsockname()[1]), flush=True)
    routes = [Route("/v1/chat/completions", complete, methods=["POST"])]
    uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical")).run([listening])


if __name__ == "__main__":
    serve()
