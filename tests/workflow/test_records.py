"""Records of jobs, of a whole study that was run for real."""

import json
import random
import re
from pathlib import Path

import pytest
from workspace import Workspace

from limaflow.jsonl import read_json
from limaflow.manifests import sha256_of
from limaflow.recording.record import file_of, read_record, record_of
from limaflow.recording.verify import verify
from limaflow.records import ModelManifest

pytestmark = pytest.mark.slow

CHANGES = 200


def declared_outputs(workspace: Workspace) -> list[Path]:
    command = workspace.command()
    done = workspace.done([command[0], "-n", "--forceall", *command[1:]])
    listed = re.findall(r"^ +output: (.*)$", done.stdout, re.MULTILINE)
    return [workspace.work / path for line in listed for path in line.split(", ")]


def test_every_declared_output_has_a_record_with_its_hash(finished: Workspace) -> None:
    outputs = declared_outputs(finished)
    assert len(outputs) > 100
    without = [str(path) for path in outputs if not record_of(path).is_file()]
    assert without == []
    for path in outputs:
        record = read_record(path)
        assert record is not None
        assert record.content.sha256 == sha256_of(path)


def test_the_chain_of_records_leads_from_the_report_to_the_raw_files(finished: Workspace) -> None:
    reached: set[Path] = set()
    todo = [finished.results / "report" / "index.html"]
    while todo:
        path = todo.pop().resolve()
        record = read_record(path)
        if path in reached or record is None:
            continue
        reached.add(path)
        todo += [path.parent / name for name in record.inputs]
    results = finished.results.resolve()
    named = {str(path.relative_to(results)) for path in reached if path.is_relative_to(results)}
    stages = ("config.json", "analysis/claims.json", "verdicts/world-truth/lima-vs-base.jsonl")
    assert named >= {*stages, "responses/test/lima.jsonl", "models/lima/chosen.json"}
    assert named >= {"models/lima/training.json", "base/model.json", "datasets/lima/sampled.jsonl"}
    assert named >= {"curation/candidates/wikihow/all.jsonl", "world/wikihow/wikihow.csv"}


def test_a_record_names_code_machine_and_time(finished: Workspace) -> None:
    record = read_record(finished.results / "models" / "lima" / "training.json")
    assert record is not None
    assert record.command[:2] == ("train", "run")
    assert record.machine.processes == 2
    assert record.machine.cpus >= 1
    assert len(record.code.source) == len(record.code.lock) == 64
    assert record.code.packages["torch"] != "not installed"
    assert record.seconds > 1
    # One record of all processes.
    assert not [p for p in record.inputs if "/runs/" in p]


def test_nothing_has_changed_since(finished: Workspace) -> None:
    found = verify(finished.results)
    assert found.problems == []
    assert [str(p.relative_to(finished.results.resolve())) for p in found.unrecorded] == []


def test_two_hundred_changes_of_one_byte_are_all_found(workspace: Workspace) -> None:
    folder = workspace.results.resolve()
    records = sorted(folder.rglob(".records/*.json"))
    manifests = [path for path in folder.rglob("model.json") if "world" not in path.parts]
    weights = [
        (path.parent / manifest.path / name).resolve()
        for path in manifests
        for manifest in [read_json(path, ModelManifest)]
        for name in manifest.sha256
    ]
    draw = random.Random(22)
    changes = 0
    # One kind at a time: where a record is changed, its file stands for nothing.
    for kind, count in ((list(map(file_of, records)), 110), (records, 70), (sorted(weights), 20)):
        drawn = draw.sample([path for path in kind if path.stat().st_size], count)
        before = {path: path.read_bytes() for path in drawn}
        for path, whole in before.items():
            place = draw.randrange(len(whole))
            other = bytes([whole[place] ^ draw.randrange(1, 256)])
            path.write_bytes(whole[:place] + other + whole[place + 1 :])
        named = {path for path, _ in verify(folder).problems}
        assert set(drawn) - named == set()
        for path, whole in before.items():
            path.write_bytes(whole)
        changes += len(drawn)
    assert changes == CHANGES
    assert verify(folder).problems == []


def test_the_report_is_not_built_from_a_changed_file(workspace: Workspace) -> None:
    path = workspace.results / "benchmarks" / "lima" / "results.json"
    read = json.loads(path.read_text(encoding="utf-8"))
    read["run"]["seed"] = 12345
    path.write_text(json.dumps(read), encoding="utf-8")
    done = workspace.run()
    assert done.returncode != 0
    assert "benchmarks/lima/results.json: changed after `limaflow benchmark run`" in done.stdout
    assert "limaflow records accept" in done.stdout
    accepted = workspace.done(["limaflow", "records", "accept", str(path)])
    assert accepted.returncode == 0, accepted.stderr
    done = workspace.run()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert verify(workspace.results).accepted == [path.resolve()]


def test_a_record_goes_with_the_file_it_describes(workspace: Workspace) -> None:
    path = workspace.results / "analysis" / "preferences.json"
    before = read_record(path)
    assert before is not None
    path.unlink()
    assert (path.resolve(), "is gone") in verify(workspace.results).problems
    assert workspace.run("results/miniature/analysis/preferences.json").returncode == 0
    after = read_record(path)
    assert after is not None
    assert after.job != before.job
    assert after.content.sha256 == before.content.sha256
    assert verify(workspace.results).problems == []
