"""Whatever is changed in a bundle is named, with the numbers that it moves."""

import hashlib
import json
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from limaflow.bundling.pack import pack
from limaflow.bundling.reading_chain import is_record
from limaflow.bundling.sums import SUMS, Difference, rendered_sums
from limaflow.bundling.verdict import told
from limaflow.bundling.verify import checked, verify

CHANGES = 1000
VERDICTS = "results/small/verdicts/judge/lima-vs-base.jsonl"
MOVED = ["results/small/analysis/preferences.json", "results/small/tables/preferences.csv"]


@pytest.fixture
def members(study: Path, tmp_path: Path) -> dict[str, bytes]:
    """The files of a bundle, in memory."""
    pack(study, tmp_path / "small.zip")
    with zipfile.ZipFile(tmp_path / "small.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_thousand_changes_of_one_byte_are_all_found(members: dict[str, bytes]) -> None:
    draw = random.Random(26)
    records = {name: text for name, text in members.items() if is_record(name)}
    hashes = {n: hashlib.sha256(t).hexdigest() for n, t in members.items() if n != SUMS}
    assert checked(members[SUMS], hashes, records).sound
    for _ in range(CHANGES):
        name = draw.choice(sorted(members))
        whole = bytearray(members[name])
        whole[draw.randrange(len(whole))] ^= draw.randrange(1, 256)
        if name == SUMS:
            found = checked(bytes(whole), hashes, records)
            assert not found.sound
            continue
        changed = hashes | {name: hashlib.sha256(whole).hexdigest()}
        found = checked(members[SUMS], changed, records)
        assert found.differences == [Difference(name, "changed")]


def test_changed_bytes_within_the_zip_name_every_file(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.zip"
    pack(study, path)
    text = path.read_bytes().replace(b'"choice": "first"', b'"choice": "frist"')
    path.write_bytes(
        text.replace(b"<p>one</p>", b"<p>two</p>").replace(b"lima-vs-base,1.0", b"lima-vs-base,1.1")
    )
    found = verify(path, None)
    assert [d.name.rpartition("/")[2] for d in found.differences] == [
        "preferences.csv",
        "lima-vs-base.jsonl",
    ]


def unpacked(study: Path, place: Path) -> Path:
    pack(study, place / "small.zip")
    folder = place / "unpacked"
    with zipfile.ZipFile(place / "small.zip") as archive:
        archive.extractall(folder)
    return folder


def test_changed_missing_and_added_files_are_named_with_the_numbers_they_move(
    study: Path, tmp_path: Path
) -> None:
    folder = unpacked(study, tmp_path)
    (folder / VERDICTS).write_text('{"prompt_id": "id-of-one", "choice": "second"}\n')
    (folder / "results/small/responses/test/lima.jsonl").unlink()
    (folder / "results/small/verdicts/judge/more.jsonl").write_text("{}\n")
    found = verify(folder, None)
    assert {(d.how, d.name.rpartition("/")[2]) for d in found.differences} == {
        ("changed", "lima-vs-base.jsonl"),
        ("missing", "lima.jsonl"),
        ("added", "more.jsonl"),
    }
    assert found.moved[VERDICTS] == MOVED
    text = "\n".join(told(found))
    assert f"changed: {VERDICTS} (moves analysis/preferences.json, tables/preferences.csv)" in text
    assert text.endswith("NOT verified")


def test_sums_made_anew_do_not_hide_a_change_from_record_and_metadata(
    study: Path, tmp_path: Path
) -> None:
    folder = unpacked(study, tmp_path)
    (folder / VERDICTS).write_text('{"prompt_id": "id-of-one", "choice": "second"}\n')
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != SUMS]
    hashes = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
    (folder / SUMS).write_text(rendered_sums(hashes))
    found = verify(folder, None)
    assert found.differences == []
    assert found.contradictions == {VERDICTS: "is not what the record of its job says"}
    assert not found.sound


def test_a_bundle_cannot_say_that_it_lacks_texts_which_it_has(study: Path, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    place = folder / "not_here.json"
    said = json.loads(place.read_text())
    said["texts_withheld"][VERDICTS] = {"sha256": "0" * 64, "rows": {"because": 1}}
    place.write_text(json.dumps(said))
    assert "lacks texts which it has" in verify(folder, None).contradictions[VERDICTS]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"by_hash": 3}', '{"by_hash": {"a": [1]}}', "[" * 99_999]
)
def test_broken_json_is_a_finding_and_no_crash(text: str, study: Path, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    for name in ("not_here.json", "ro-crate-metadata.json"):
        (folder / name).write_text(text)
    for record in folder.rglob(".records/*.json"):
        record.write_text(text)
    assert not verify(folder, None).sound
    shutil.rmtree(folder)
