"""What is fetched from the hub is enough where there is no network."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hub_stand_in import handler

COMMAND = (sys.executable, "-c", "from limaflow.cli import main; main()")
CARD = """---
configs:
- config_name: main
  data_files:
  - split: train
    path: main/train*
  - split: test
    path: main/test*
---
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that reaches a hub with GSM8K, and keeps what it fetches."""
    data = tmp_path / "hub/datasets/openai/gsm8k"
    (data / "main").mkdir(parents=True)
    (data / "README.md").write_text(CARD)
    row = json.dumps({"question": "What is 1 + 1?", "answer": "#### 2"}) + "\n"
    for split, count in (("train", 6), ("test", 4)):
        (data / f"main/{split}.jsonl").write_text(row * count)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(tmp_path / "hub", []))
    Thread(target=server.serve_forever, daemon=True).start()
    offline = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
    environment = {k: v for k, v in os.environ.items() if k not in offline}
    yield environment | {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path / "home"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    server.shutdown()


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_task_that_was_fetched_is_read_without_a_network(
    hub: dict[str, str], tmp_path: Path
) -> None:
    offline = hub | {"HF_HUB_OFFLINE": "1"}
    check = ("benchmark", "check", "--task", "gsm8k")
    before = run(offline, *check)
    assert before.returncode and "the network was not reached" in before.stderr
    done = run(hub, "benchmark", "fetch", "--task", "gsm8k", "--output", str(tmp_path / "f.json"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "openai/gsm8k main: hub: test 4, train 6" in done.stdout.replace(
        "train 6, test 4", "test 4, train 6"
    )
    assert "1 tasks were put together and scored without a network" in done.stdout
    after = run(offline, *check)
    assert after.returncode == 0 and "gsm8k: 4 items" in after.stdout


@pytest.mark.slow
def test_all_that_is_missing_is_named_at_once(hub: dict[str, str], tmp_path: Path) -> None:
    words = ("--task", "winogrande", "--task", "gsm8k", "--task", "hellaswag")
    done = run(hub, "benchmark", "fetch", *words, "--output", str(tmp_path / "f.json"))
    assert done.returncode
    assert "benchmark tasks that cannot be run here (2)" in done.stderr
    assert "winogrande" in done.stderr and "hellaswag" in done.stderr
    assert not (tmp_path / "f.json").exists()
