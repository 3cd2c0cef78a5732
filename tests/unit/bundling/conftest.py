"""A finished study in small: files and records of jobs as commands leave them."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from limaflow.config.merge_configs import merged
from limaflow.jsonl import write_json, write_records
from limaflow.recording.record import (
    Code,
    JobRecord,
    content_of,
    input_of,
    write_record,
)
from limaflow.records import Example, Message, Response


def prompt(text: str, source: str) -> Example:
    return Example(
        id=f"id-of-{text}",
        messages=(Message(role="user", content=text),),
        source=source,
        split="test",
    )


def response(text: str, model: str) -> Response:
    return Response(
        prompt_id="id-of-one", model=model, sample=0, text=text, tokens=2, finish_reason="stop"
    )


def leave_record(path: Path, command: Iterable[str], inputs: Iterable[Path]) -> None:
    reads = {os.path.relpath(read, path.parent): input_of(read) for read in inputs}
    write_record(
        path,
        JobRecord(
            content=content_of(path),
            job=f"job-{path.stem}",
            command=tuple(command),
            inputs=reads,
            started="2026-01-02T03:04:05.000+00:00",
            seconds=1.5,
            code=Code(source="0" * 64),
        ),
    )


@pytest.fixture
def study(tmp_path: Path, root: Path) -> Path:
    """The folder results/small of a study with prompts, responses, verdicts and a table."""
    results = tmp_path / "results" / "small"
    config = merged([root / "config.yaml", root / "experiments" / "miniature.yaml"])
    # Not an invented world, whose texts are nobody's.
    config |= {"experiment": "small", "miniature": None}
    write_json(results / "config.json", config)
    prompts = results / "curation" / "prompts" / "test.jsonl"
    write_records(prompts, [prompt("one", "askreddit"), prompt("two", "authored-b")])
    answers = results / "responses" / "test" / "lima.jsonl"
    write_records(answers, [response("an answer", "lima")])
    verdicts = results / "verdicts" / "judge" / "lima-vs-base.jsonl"
    verdicts.parent.mkdir(parents=True)
    verdicts.write_text(json.dumps({"prompt_id": "id-of-one", "choice": "first"}) + "\n")
    numbers = results / "analysis" / "preferences.json"
    write_json(numbers, [{"comparison": "lima-vs-base", "win": 1.0}])
    table = results / "tables" / "preferences.csv"
    table.parent.mkdir(parents=True)
    table.write_text("comparison,win\nlima-vs-base,1.0\n")
    page = results / "report" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>one</p>\n")
    leave_record(prompts, ("curate", "prompts"), [])
    leave_record(answers, ("generate", "run"), [prompts])
    leave_record(verdicts, ("judge", "compare"), [answers])
    leave_record(numbers, ("judge", "summarize"), [verdicts])
    leave_record(table, ("analyze", "table"), [numbers])
    leave_record(page, ("report", "build"), [table])
    return results
