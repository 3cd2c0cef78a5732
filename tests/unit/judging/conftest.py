"""A real chat-completions server in a process of its own, and small real records to judge."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from limaflow.endpoints.settings import Judge
from limaflow.jsonl import write_records
from limaflow.records import Example, Message, Response, example_id

SERVER = Path(__file__).with_name("chat_server.py")
KEY_ENV = "LIMAFLOW_TEST_KEY"


@dataclass(frozen=True)
class Endpoint:
    """Where one test's calls go, and what the server saw of them."""

    address: str

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def calls(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.address}/calls") as reply:
            return json.load(reply)

    def batches(self) -> int:
        with urllib.request.urlopen(f"{self.base_url}/batches") as reply:
            return len(json.load(reply)["data"])

    def finish(self) -> None:
        """Answer all batches that are under way."""
        urllib.request.urlopen(f"{self.address}/finish", data=b"").close()

    def judge(self, **settings: Any) -> Judge:
        defaults = {"name": "tester", "model": "m", "base_url": self.base_url, "key_env": KEY_ENV}
        return Judge.model_validate({**defaults, **settings})


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def endpoint(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setenv(KEY_ENV, "sk-test-8c1f5e")
    return Endpoint(f"{server}/{tmp_path.name}")


@dataclass(frozen=True)
class Study:
    """Files of prompts and of two models' responses to them."""

    folder: Path
    prompts: Path
    ours: Path
    theirs: Path

    @property
    def store(self) -> Path:
        return self.folder / "judgments.sqlite"

    @property
    def output(self) -> Path:
        return self.folder / "ours-vs-theirs.jsonl"


def prompt(question: str) -> Example:
    messages = (Message(role="user", content=question),)
    return Example(id=example_id(messages), messages=messages, source="test", split="test")


def response(example: Example, model: str, text: str, sample: int = 0) -> Response:
    return Response(
        prompt_id=example.id,
        model=model,
        sample=sample,
        text=text,
        tokens=len(text.split()),
        finish_reason="stop",
    )


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    """Write a study: `{question: (answer of ours, answer of theirs)}`."""

    def write(answers: dict[str, tuple[str, str]]) -> Study:
        asked = [prompt(question) for question in answers]
        made = Study(tmp_path, *(tmp_path / f"{n}.jsonl" for n in ("prompts", "ours", "theirs")))
        write_records(made.prompts, asked)
        for path, model, place in ((made.ours, "ours", 0), (made.theirs, "theirs", 1)):
            rows = zip(asked, answers.values(), strict=True)
            write_records(path, [response(p, model, texts[place]) for p, texts in rows])
        return made

    return write
