"""A study that was run for real, packed, carried elsewhere, altered and verified."""

import hashlib
import json
import random
import zipfile
from pathlib import Path

import pytest
from workspace import Outcome, Workspace

from limaflow.bundling.archive import write_archive
from limaflow.bundling.plan import RULES
from limaflow.bundling.reading_chain import is_record
from limaflow.bundling.sums import SUMS, rendered_sums

pytestmark = pytest.mark.slow

VERDICTS = "results/miniature/verdicts/world-truth/lima-vs-base.jsonl"
CHANGES = 10


@pytest.fixture(scope="module")
def packed(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "miniature.zip"
    done = finished.done(["limaflow", "bundle", "results/miniature", "--output", str(path)])
    assert done.returncode == 0, done.stderr
    return path


def verified(finished: Workspace, path: Path) -> Outcome:
    """Verify where nothing of the study lies, without a GPU and without the environment's keys."""
    nowhere = path.parent / "elsewhere"
    nowhere.mkdir(exist_ok=True)
    kept = {k: v for k, v in finished.environment().items() if k in ("PATH", "PYTHONPATH")}
    environment = [f"{name}={value}" for name, value in kept.items()]
    words = ["env", "-i", "-C", str(nowhere), *environment, "CUDA_VISIBLE_DEVICES="]
    return finished.done([*words, "limaflow", "verify", str(path)])


def with_sums(members: dict[str, bytes], path: Path) -> Path:
    """A bundle of these files, with sums and job records that fit them again."""
    for place in filter(is_record, list(members)):
        folder, name = place.rsplit("/.records/", 1)
        described = members.get(f"{folder}/{name.removesuffix('.json')}")
        if described is not None:
            said = json.loads(members[place])
            said["content"]["sha256"] = hashlib.sha256(described).hexdigest()
            members[place] = json.dumps(said).encode()
    members = {name: text for name, text in members.items() if name != SUMS}
    metadata = json.loads(members["ro-crate-metadata.json"])
    for entity in metadata["@graph"]:
        if entity["@id"] in members and "sha256" in entity:
            entity["sha256"] = hashlib.sha256(members[entity["@id"]]).hexdigest()
    members["ro-crate-metadata.json"] = json.dumps(metadata).encode()
    hashes = {name: hashlib.sha256(text).hexdigest() for name, text in members.items()}
    write_archive(path, {**members, SUMS: rendered_sums(hashes).encode()})
    return path


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_finished_study_is_verified_elsewhere(finished: Workspace, packed: Path) -> None:
    done = verified(finished, packed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("verified")
    numbers = next(line for line in done.stdout.splitlines() if line.startswith("numbers: "))
    made, total = numbers.split()[1], numbers.split()[3]
    assert made == total
    assert int(made) >= 15


def test_a_changed_verdict_whose_sums_were_made_anew_is_found_by_the_rebuild(
    finished: Workspace, packed: Path, tmp_path: Path
) -> None:
    members = members_of(packed)
    rows = [json.loads(line) for line in members[VERDICTS].splitlines()]
    lost = next(row for row in rows if row["choice"] == "second")
    lost["choice"] = "first"
    lost["reply"] = lost["reply"].replace("second", "first")
    members[VERDICTS] = "".join(
        json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows
    ).encode()
    done = verified(finished, with_sums(members, tmp_path / "altered.zip"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "analysis/preferences.json" in done.stdout
    assert "changed:" not in done.stdout
    assert done.stdout.rstrip().endswith("NOT verified")


@pytest.mark.long
def test_ten_changed_numbers_with_fitting_sums_are_found_by_the_rebuild(
    finished: Workspace, packed: Path, tmp_path: Path
) -> None:
    draw = random.Random(26)
    whole = members_of(packed)
    numbers = sorted(name for name in whole if "/tables/" in name and name.endswith(".csv"))
    for change in range(CHANGES):
        members = dict(whole)
        name = draw.choice(numbers)
        digits = [place for place, byte in enumerate(members[name]) if 48 <= byte <= 57]
        place = draw.choice(digits)
        text = bytearray(members[name])
        text[place] = 48 + (text[place] - 48 + draw.randrange(1, 10)) % 10
        members[name] = bytes(text)
        done = verified(finished, with_sums(members, tmp_path / f"{change}.zip"))
        assert done.returncode == 1
        assert f"other number: {name}" in done.stdout


def test_the_target_makes_it(plans: Workspace) -> None:
    assert "bundle" in plans.planned("bundle")


def test_every_rule_that_makes_numbers_takes_part(root: Path) -> None:
    making = set()
    for path in (root / "rules").glob("*.smk"):
        blocks = path.read_text(encoding="utf-8").split("\nrule ")[1:]
        for block in blocks:
            output = block.partition("output:")[2].partition("log:")[0]
            if any(f"<results>/{stage}/" in output for stage in ("analysis", "tables", "figures")):
                making.add(block.partition(":")[0])
    assert making <= set(RULES)
