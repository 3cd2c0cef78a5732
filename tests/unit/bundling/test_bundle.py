"""What enters a bundle, and in which bytes."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from limaflow.bundling.archive import write_archive
from limaflow.bundling.pack import pack
from limaflow.bundling.verify import verify
from limaflow.errors import InputError

PROMPTS = "results/small/curation/prompts/test.jsonl"


def packed(study: Path, **options: bool) -> zipfile.ZipFile:
    output = study / "bundle" / "small.zip"
    pack(study, output, **options)
    return zipfile.ZipFile(output)


def change_config(study: Path, **keys: Any) -> None:
    path = study / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_the_same_study_gives_the_same_bytes_wherever_and_whenever(
    study: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "results" / "small"
    shutil.copytree(study, elsewhere)
    for path in elsewhere.rglob("*"):
        path.touch()
    pack(study, tmp_path / "a.zip")
    pack(elsewhere, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_it_holds_configuration_lock_workflow_files_and_job_records(study: Path) -> None:
    names = set(packed(study).namelist())
    assert names >= {"SHA256SUMS", "ro-crate-metadata.json", "not_here.json", "Snakefile"}
    assert names >= {"envs/requirements.lock", "results/small/config.json", PROMPTS}
    assert "results/small/tables/preferences.csv" in names
    assert "results/small/tables/.records/preferences.csv.json" in names


def test_texts_of_reddit_enter_by_hash_and_length(study: Path) -> None:
    lines = packed(study).read(PROMPTS).decode().splitlines()
    of_reddit, authored = map(json.loads, lines)
    assert of_reddit["messages"][0]["content"].startswith(
        "[withheld: 3 characters, 1 words, sha256"
    )
    assert of_reddit["id"] == "id-of-one"
    assert authored["messages"][0]["content"] == "two"


def test_a_page_that_shows_withheld_texts_stays_out(study: Path) -> None:
    archive = packed(study)
    assert "results/small/report/index.html" not in archive.namelist()
    told = json.loads(archive.read("not_here.json"))
    assert "withheld" in told["by_hash"]["results/small/report/index.html"]["because"]
    assert told["texts_withheld"][PROMPTS]["rows"] == {
        "texts of Reddit, whose terms forbid to hand them on": 1
    }


def test_texts_enter_where_that_is_chosen(study: Path) -> None:
    assert b"withheld" not in packed(study, with_texts=True).read(PROMPTS)
    change_config(study, bundle={"with_texts": True})
    archive = packed(study)
    assert b"withheld" not in archive.read(PROMPTS)
    assert "results/small/report/index.html" in archive.namelist()


def test_responses_of_a_named_arm_keep_length_and_finish_reason(study: Path) -> None:
    change_config(study, bundle={"withhold": {"arms": ["lima"]}})
    row = json.loads(packed(study).read("results/small/responses/test/lima.jsonl"))
    assert row["text"].startswith("[withheld: 9 characters, 2 words")
    assert (row["tokens"], row["finish_reason"]) == (2, "stop")


@pytest.mark.parametrize(
    "secret",
    ["sk-abcdefghijklmnopqrstuvwxyz", "https://me:hunter22@example.org/dump.7z"],
)
def test_a_key_or_a_password_in_a_file_is_refused_and_not_shown(study: Path, secret: str) -> None:
    change_config(study, title=f"with {secret}")
    with pytest.raises(InputError, match=r"config\.json holds what looks like a key") as caught:
        packed(study)
    assert secret not in str(caught.value)


def test_the_value_of_a_key_of_the_environment_is_refused_anywhere(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_API_KEY", "an answer"[:9] + "")
    with pytest.raises(InputError, match=r"responses/test/lima\.jsonl holds what looks like a key"):
        packed(study)


def test_the_metadata_have_what_the_provenance_run_crate_profile_requires(study: Path) -> None:
    metadata = json.loads(packed(study).read("ro-crate-metadata.json"))
    entities = {entity["@id"]: entity for entity in metadata["@graph"]}
    root = entities["./"]
    profiles = {value["@id"] for value in root["conformsTo"]}
    assert {
        f"https://w3id.org/ro/wfrun/{p}/0.5" for p in ("process", "workflow", "provenance")
    } <= (profiles)
    assert {root["name"], root["description"], root["datePublished"]} and root["license"]
    workflow = entities[root["mainEntity"]["@id"]]
    assert set(workflow["@type"]) >= {"File", "ComputationalWorkflow", "HowTo"}
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for entity in metadata["@graph"]:
        kinds = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        for kind in kinds:
            of_kind.setdefault(kind, []).append(entity)
    assert all(value["@id"] in entities for value in references(metadata["@graph"]))
    tools = {value["@id"] for value in workflow["hasPart"]}
    actions = of_kind["CreateAction"]
    assert tools == {a["instrument"]["@id"] for a in actions} - {workflow["@id"]}
    assert {step["workExample"]["@id"] for step in of_kind["HowToStep"]} == tools
    steps = {step["@id"] for step in of_kind["HowToStep"]}
    assert {control["instrument"]["@id"] for control in of_kind["ControlAction"]} == steps
    organized = of_kind["OrganizeAction"][0]
    assert organized["instrument"]["@id"] == "#snakemake"
    assert entities[organized["result"]["@id"]]["instrument"]["@id"] == workflow["@id"]
    assert len(organized["object"]) == len(of_kind["ControlAction"]) == len(actions) - 1


def references(graph: list[dict[str, Any]]) -> list[dict[str, str]]:
    values = [value for entity in graph for value in entity.values()]
    flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
    named = [v for v in flat if isinstance(v, dict)]
    return [v for v in named if not v["@id"].startswith("http")]


def test_every_file_of_the_metadata_is_there_with_its_hash(study: Path) -> None:
    archive = packed(study)
    metadata = json.loads(archive.read("ro-crate-metadata.json"))
    files = {e["@id"] for e in metadata["@graph"] if "File" in e["@type"]}
    assert files == set(archive.namelist()) - {"ro-crate-metadata.json", "SHA256SUMS"}


def test_a_bundle_and_its_unpacked_folder_are_verified_alike(study: Path, tmp_path: Path) -> None:
    packed(study).extractall(tmp_path / "unpacked")
    assert verify(tmp_path / "unpacked", None).sound
    found = verify(study / "bundle" / "small.zip", None)
    assert found.sound
    assert found.without_texts == {PROMPTS: 1}


@pytest.mark.parametrize("name", ["../out.json", "/etc/x", "a/../../b", "a\\b", "C:x", "a\nb", ""])
def test_names_that_lead_out_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the name"):
        write_archive(tmp_path / "out.zip", {name: b"x"})
    if "\n" not in name and name:
        with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), b"x")
        with pytest.raises(InputError):
            verify(tmp_path / "theirs.zip", None)


def test_links_compressed_members_and_twins_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    for number, (info, kind) in enumerate(
        [(link, zipfile.ZIP_STORED), (zipfile.ZipInfo("bomb"), zipfile.ZIP_DEFLATED)]
    ):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(info, b"0" * 1000, compress_type=kind)
        with pytest.raises(InputError, match=r"no plain file|compressed"):
            verify(path, None)
    twins = tmp_path / "twins.zip"
    with zipfile.ZipFile(twins, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(InputError, match="two files of one name"):
        verify(twins, None)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        verify(folder, None)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_bundle_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.zip: "):
        verify(path, None)
