"""A base model small enough for any test, a real Llama with random weights; and a real browser."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_model import written_model

from limaflow.curation.settings import THRESHOLDS, Filters
from limaflow.jsonl import write_records
from limaflow.records import Example, Message, Split, example_id

PAPER_FILTERS = Filters(
    **{t.key: t.paper for t in THRESHOLDS if t.paper is not None}, title_prompt_share=0.3
)
BROWSER, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --window-size=1400,900"
)
VERBS = ("feeds", "paints", "repairs", "sells", "finds", "hides", "counts")
THINGS = ("a red lantern", "nine goats", "the old bridge", "warm bread", "his brother's boat")
PLACES = ("Arlo", "Benwick", "Corra", "Dunmere", "Elsby", "Farrow", "Gilsand", "Hexley")


@pytest.fixture(scope="session")
def paper_filters() -> Filters:
    """The paper's selection rules for Stack Exchange."""
    return PAPER_FILTERS


def sentences() -> list[str]:
    return [f"Somebody in {p} {v} {t}." for p in PLACES for v in VERBS for t in THINGS]


def example(number: int, *, split: Split = "train", answered: bool = True) -> Example:
    """A conversation whose length varies with its number."""
    facts = sentences()
    asked = f"Question {number}: what happens in {PLACES[number % len(PLACES)]}?"
    told = " ".join(facts[(7 * number + k) % len(facts)] for k in range(1 + number % 4))
    messages = [Message(role="user", content=asked)]
    if answered:
        messages.append(Message(role="assistant", content=told))
    return Example(
        id=example_id(tuple(messages)), messages=tuple(messages), source="test", split=split
    )


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.json of an untrained Llama of 2 layers, context 128, with BOS, EOS and no pad."""
    return written_model(tmp_path_factory.mktemp("base"), texts=sentences(), context=128)


@pytest.fixture(scope="session")
def tiny_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.jsonl (21 examples) and dev.jsonl (5, one without a response)."""
    folder = tmp_path_factory.mktemp("data")
    write_records(folder / "train.jsonl", (example(n) for n in range(21)), key=lambda e: e.id)
    dev = [example(100 + n, split="dev", answered=n > 0) for n in range(5)]
    write_records(folder / "dev.jsonl", dev, key=lambda e: e.id)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium without a window; nothing is downloaded for it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert BROWSER.exists() and DRIVER.exists(), "envs/debian.txt names what is missing"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(BROWSER)
        for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(executable_path=str(DRIVER)))
        yield driver
        driver.quit()
