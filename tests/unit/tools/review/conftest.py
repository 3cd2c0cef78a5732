"""A small sample with its reserve, and review servers as processes of their own."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from limaflow.jsonl import write_records
from limaflow.records import Example, Message, Provenance, example_id

DRINKS = ("ale", "bock", "cider", "dubbel", "eisbock", "faro")


def an_example(drink: str, **changes: Any) -> Example:
    messages = (
        Message(role="user", content=f"How is {drink} brewed?"),
        Message(
            role="assistant", content=f"For {drink}, malt is mashed, boiled and left to ferment."
        ),
    )
    fields: dict[str, Any] = {
        "id": example_id(messages),
        "messages": messages,
        "source": "beer",
        "split": "train",
        "kind": "stackexchange",
        "stratum": "beer",
        "provenance": Provenance(score=12, prompt_score=5, authors=("Ann O.",)),
    }
    return Example(**{**fields, **changes})


@pytest.fixture(scope="session")
def sample() -> list[Example]:
    """Four examples by id."""
    return sorted((an_example(drink) for drink in DRINKS[:4]), key=lambda e: e.id)


@pytest.fixture(scope="session")
def reserve() -> list[Example]:
    """Two spare examples, in the order in which they come in."""
    return [
        an_example(drink, provenance=Provenance(score=12, prompt_score=5 - place))
        for place, drink in enumerate(DRINKS[4:])
    ]


@dataclass
class Server:
    """A running `limaflow review` and the address that it printed."""

    process: subprocess.Popen[str]
    address: str
    ledger: Path
    output: list[str]

    @property
    def origin(self) -> str:
        return self.address.split("/?")[0]

    @property
    def port(self) -> int:
        return int(self.origin.rsplit(":", 1)[1])

    @property
    def token(self) -> str:
        return self.address.split("token=")[1]

    def client(self) -> httpx.Client:
        """A client that has traded the token for the cookie."""
        client = httpx.Client(base_url=self.origin, headers={"Origin": self.origin})
        client.get(self.address)
        return client

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


Start = Callable[..., Server]


@pytest.fixture
def start(sample: list[Example], reserve: list[Example], tmp_path: Path) -> Iterator[Start]:
    """Starts a server over the sample, for a reviewer and with further flags."""
    write_records(tmp_path / "sampled.jsonl", sample)
    write_records(tmp_path / "reserve.jsonl", reserve)
    ledger = tmp_path / "beer.review.jsonl"
    running: list[Server] = []

    def begin(reviewer: str = "ann", *flags: str) -> Server:
        command = [sys.executable, "-c", "from limaflow.cli import main; main()", "review"]
        command += ["--sampled", "sampled.jsonl", "--reserve", "reserve.jsonl"]
        command += ["--ledger", str(ledger), "--reviewer", reviewer]
        process = subprocess.Popen(
            [*command, *flags],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        output = []
        for line in process.stdout:
            output.append(line)
            if "Ctrl+C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", "".join(output))
        assert found, output
        server = Server(process, found.group(), ledger, output)
        running.append(server)
        return server

    yield begin
    for server in running:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(timeout=10)
        if server.process.stdout:
            server.process.stdout.close()
