"""Decisions made on the page hold in every later run, and a kill takes none of them away."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.curation.ledger import Decision, append, read
from limaflow.jsonl import read_records, write_records
from limaflow.records import Drop, Example, Message, example_id

Start = Callable[..., Any]


def applied(folder: Path, *ledgers: Path) -> tuple[list[Example], list[Drop], dict[str, Any], str]:
    command = ["curate", "apply-review", str(folder / "sampled.jsonl"), "--seed", "1"]
    for name in ("pool", "reserve", "kept", "dropped"):
        command += [f"--{name}", str(folder / f"{name}.jsonl")]
    command += ["--summary", str(folder / "review.json")]
    for ledger in ledgers:
        command += ["--ledger", str(ledger)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    return (
        list(read_records(folder / "kept.jsonl", Example)),
        list(read_records(folder / "dropped.jsonl", Drop)),
        json.loads((folder / "review.json").read_text()),
        done.output,
    )


def test_a_rerun_applies_the_decisions_and_names_those_that_meet_nothing(
    start: Start, sample: list[Example], reserve: list[Example], tmp_path: Path
) -> None:
    server = start()
    page = server.client()
    answer = Message(role="assistant", content="Better told.")
    edited = (sample[1].messages[0], answer)
    for body in (
        {"id": sample[0].id, "decision": "reject", "reason": "dull"},
        {
            "id": sample[1].id,
            "decision": "edit",
            "messages": [{"role": m.role, "content": m.content} for m in edited],
        },
        {"id": sample[2].id, "decision": "keep"},
    ):
        assert page.post("/api/decide", json=body).status_code == httpx.codes.OK
    write_records(tmp_path / "pool.jsonl", [*sample, *reserve])
    kept, [drop], summary, said = applied(tmp_path, server.ledger)
    ids = {example.id for example in kept}
    assert ids == {example_id(edited), sample[2].id, sample[3].id, reserve[0].id}
    assert (drop.id, drop.detail) == (sample[0].id, "ann: dull")
    assert (summary["unmet"], summary["unreviewed"]) == ([], 2)
    assert applied(tmp_path, server.ledger)[0] == kept

    # The dump has changed: one text is another, and one question is no longer drawn.
    changed = (sample[2].messages[0], answer)
    new = replace(sample[2], id=example_id(changed), messages=changed)
    write_records(tmp_path / "sampled.jsonl", [sample[0], new])
    write_records(tmp_path / "pool.jsonl", [sample[0], sample[1], new, *reserve])
    kept, _, summary, said = applied(tmp_path, server.ledger)
    assert {example.id for example in kept} == {new.id, reserve[0].id}
    assert (summary["unmet"], summary["undrawn"]) == ([sample[2].id], 1)
    assert f"no candidate meets the decision on {sample[2].id} (keep): {sample[2].prompt}" in said


def test_ledgers_of_several_reviewers_are_taken_together(
    sample: list[Example], reserve: list[Example], tmp_path: Path
) -> None:
    for name, rows in (("sampled", sample), ("reserve", reserve), ("pool", sample)):
        write_records(tmp_path / f"{name}.jsonl", rows)
    append(tmp_path / "a.jsonl", Decision(id=sample[0].id, decision="reject", reviewer="ann"))
    append(tmp_path / "b.jsonl", Decision(id=sample[0].id, decision="keep", reviewer="bob"))
    kept, [drop], summary, _ = applied(tmp_path, tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert (drop.id, drop.detail) == (sample[0].id, "ann")
    assert len(kept) == len(sample)
    assert summary["ledger"] == "a.jsonl, b.jsonl"


def test_what_was_confirmed_before_a_kill_is_in_the_ledger(
    start: Start, sample: list[Example]
) -> None:
    server = start()
    page = server.client()
    confirmed = []

    def decide() -> None:
        for number in range(10_000):
            body = {"id": sample[number % 4].id, "decision": "reject", "reason": f"no. {number}"}
            try:
                if page.post("/api/decide", json=body).status_code == httpx.codes.OK:
                    confirmed.append(body["reason"])
            except httpx.TransportError:
                return

    reviewer = threading.Thread(target=decide)
    reviewer.start()
    while len(confirmed) < 20:
        time.sleep(0.01)
    server.kill()
    reviewer.join()
    written = [decision.reason for decision in read([server.ledger]).decisions]
    assert written[: len(confirmed)] == confirmed
    assert start().client().get("/api/rows").json()["warnings"] == []


def test_two_servers_share_one_ledger(start: Start, sample: list[Example]) -> None:
    pages = [start(name).client() for name in ("ann", "bob")]
    for example in sample:
        for page in pages:
            body = {"id": example.id, "decision": "keep"}
            assert page.post("/api/decide", json=body).status_code == httpx.codes.OK
    for page in pages:
        rows = page.get("/api/rows").json()["rows"]
        assert [row["mine"] for row in rows] == ["keep"] * 4
