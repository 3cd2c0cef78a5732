"""The frozen data set: the same bytes, read by others as it is, with all that stands beside it."""

import base64
import csv
import hashlib
import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from limaflow.curation.attribution import COLUMNS, deed, write_attribution
from limaflow.curation.browsing import page_of
from limaflow.curation.dataset_card import SharedText
from limaflow.curation.describing import FILES, describe
from limaflow.curation.filtering import filtered
from limaflow.curation.freezing import freeze, new_fields_first
from limaflow.curation.funnel import Step
from limaflow.curation.length_figure import draw
from limaflow.curation.settings import Filters
from limaflow.curation.text_lengths import measure_of
from limaflow.jsonl import read_records
from limaflow.prompt_tags import FormatRule, Sensitive, Tags
from limaflow.records import Example, Provenance, Review, Split
from limaflow.sources.extraction import candidates
from limaflow.sources.shard import ReadingOptions, Shard

Build = Callable[..., Example]
KEEP = Review(decision="keep", reviewer="ann")
ORIGIN = Provenance(
    site="beer.stackexchange.com",
    title='=HYPERLINK("x") | a "title"',
    ids=("1", "2"),
    urls=("https://beer.stackexchange.com/q/1", "https://beer.stackexchange.com/a/2"),
    authors=("user 7", "Ann"),
    licence="CC BY-SA 3.0, CC BY-SA 4.0",
    score=3.0,
)
HOSTILE = "</script><script>alert(1)</script><!-- <b onclick=x>\u2028 & \"'"


def frozen(folder: Path, splits: dict[Split, list[Example]], shared: tuple[str, ...] = ()) -> Path:
    """The whole folder, as the two commands write it."""
    freeze(folder, splits, {})
    train = len(splits["train"])
    describe(
        folder,
        name="tiny",
        title='A "tiny" set',
        splits={split: list(read_records(folder / f"{split}.jsonl", Example)) for split in splits},
        measure=measure_of(None),
        shared=[SharedText(id=key, against="hellaswag") for key in shared],
        steps=[
            Step(dataset="", step="filter", source="se", came=900, stayed=40),
            Step(dataset="tiny", step="sample", source="se", came=40, stayed=train),
        ],
    )
    return folder


@pytest.fixture
def splits(example: Build) -> dict[Split, list[Example]]:
    """Some rows with every field, some with hardly any; the test prompt is hostile."""
    train = [example(f"q{n}", "a" * n, source=f"s{n % 2}") for n in range(1, 6)]
    train += [example("full", "answer", provenance=ORIGIN, review=KEEP)]
    return {"train": train, "dev": [], "test": [example(HOSTILE, split="test", source="ask")]}


def test_the_same_examples_in_any_order_give_the_same_bytes_and_true_checksums(
    splits: dict[Split, list[Example]], tmp_path: Path
) -> None:
    first = frozen(tmp_path / "a", splits)
    mixed = {split: random.Random(3).sample(rows, len(rows)) for split, rows in splits.items()}
    second = frozen(tmp_path / "b", mixed)
    assert sorted(path.name for path in first.iterdir()) == sorted([*FILES, "SHA256SUMS"])
    for name in (*FILES, "SHA256SUMS"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    checked = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=first, check=False)
    assert checked.returncode == 0


def test_the_card_tells_sources_steps_licences_and_shared_text(
    splits: dict[Split, list[Example]], tmp_path: Path
) -> None:
    inside = splits["train"][0].id
    card = (frozen(tmp_path, splits, ("gone", inside)) / "README.md").read_text(encoding="utf-8")
    _, matter, text = card.split("---\n", 2)
    front = yaml.safe_load(matter)
    assert front["configs"][0]["data_files"] == [
        {"split": "train", "path": "train.jsonl"},
        {"split": "test", "path": "test.jsonl"},
    ]
    assert front["pretty_name"] == 'A "tiny" set'
    for line in (
        "| train | s1 | 3 | 2 | 3 |",
        "| filter | 900 → 40 |",
        "| sample | 40 → 6 |",
        "| not stated | 6 |",
        "| CC BY-SA 3.0, CC BY-SA 4.0 | 1 |",
        "A person reviewed 1 of 6 training examples and edited 0.",
    ):
        assert line in text
    flowing = " ".join(text.split())
    assert "Removed because they share text: 1 examples (hellaswag 1)." in flowing
    assert "Training examples here that share text: 1 (hellaswag 1)." in flowing


def test_rows_are_conversations_in_the_form_that_trl_documents(
    splits: dict[Split, list[Example]], tmp_path: Path
) -> None:
    """`messages`: a list of {"role", "content"}, user first, then turn by turn."""
    freeze(tmp_path, splits, {})
    for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines():
        messages = json.loads(line)["messages"]
        assert all(message.keys() == {"role", "content"} for message in messages)
        assert [message["role"] for message in messages] == ["user", "assistant"]


def test_rows_that_name_no_licence_get_that_of_their_source(example: Build, tmp_path: Path) -> None:
    train = [
        example("a", "b", source="wikihow"),
        example("c", "d", source="wikihow", provenance=ORIGIN),
        example("e", "f"),
    ]
    freeze(tmp_path, {"train": train, "dev": [], "test": []}, {"wikihow": "CC BY-NC-SA"})
    rows = {row.prompt: row for row in read_records(tmp_path / "train.jsonl", Example)}
    licences = {prompt: row.provenance.licence for prompt, row in rows.items()}
    assert licences == {"a": "CC BY-NC-SA", "c": ORIGIN.licence, "e": ""}


def test_rows_that_tell_the_types_of_the_fields_stand_first(
    splits: dict[Split, list[Example]],
) -> None:
    ordered = new_fields_first(splits["train"])
    first = min(splits["train"], key=lambda e: e.id)
    assert {e.prompt for e in ordered[:2]} == {first.prompt, "full"}
    assert sorted(ordered, key=lambda e: e.id) == sorted(splits["train"], key=lambda e: e.id)


@pytest.mark.slow
def test_the_frozen_set_is_read_by_datasets_as_it_is(
    splits: dict[Split, list[Example]],
    example: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where fields are empty for longer than the part from which types are guessed (10 MB)."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    from datasets import load_dataset

    bare = [
        example(f"Question {n}", "word " * 800, provenance=Provenance(), stratum="")
        for n in range(3000)
    ]
    splits["train"] += bare
    tags = Tags(sensitive=Sensitive(intent="benign"), format=(FormatRule(rule="one_word"),))
    splits["test"] = [replace(splits["test"][0], tags=tags)]
    folder = frozen(tmp_path / "set", splits)
    assert (folder / "train.jsonl").stat().st_size > 11 << 20
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "one"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 3006, "test": 1}
    test = loaded["test"][0]
    assert test["tags"]["sensitive"]["intent"] == "benign"
    assert test["tags"]["format"] == [{"arguments": "{}", "rule": "one_word"}]
    # Without the card each file tells its own types.
    loaded = {
        split: load_dataset("json", data_files=str(folder / f"{split}.jsonl"))["train"]
        for split in ("train", "test")
    }
    row = next(row for row in loaded["train"] if row["messages"][0]["content"] == "full")
    assert row["messages"][1] == {"role": "assistant", "content": "answer"}
    assert row["review"]["decision"] == "keep"
    assert row["provenance"]["authors"] == ["user 7", "Ann"]
    assert loaded["test"][0]["review"] is None
    assert loaded["test"][0]["tags"] == test["tags"]


def test_attribution_names_title_authors_addresses_licences_and_the_change(
    splits: dict[Split, list[Example]], tmp_path: Path
) -> None:
    with (frozen(tmp_path, splits) / "attribution.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 7
    full = rows[next(e.id for e in splits["train"] if e.prompt == "full")]
    assert tuple(full) == COLUMNS
    assert full["title"] == f"'{ORIGIN.title}", "no spreadsheet may run it"
    assert full["authors"] == "user 7\nAnn"
    assert full["author_links"] == "https://beer.stackexchange.com/users/7"
    assert full["links"].splitlines() == [*ORIGIN.urls]
    assert full["licence_links"].splitlines() == [
        "https://creativecommons.org/licenses/by-sa/3.0/",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ]
    assert full["changed"] == "yes"


def test_what_was_brought_whole_is_called_unchanged_unless_edited(
    example: Build, tmp_path: Path
) -> None:
    edit = Review(decision="edit", reviewer="ann")
    rows = [example("a", "b", kind=""), example("c", "d", kind="", review=edit)]
    write_attribution(tmp_path / "attribution.csv", rows)
    with (tmp_path / "attribution.csv").open(encoding="utf-8", newline="") as file:
        changed = {row["id"]: row["changed"] for row in csv.DictReader(file)}
    assert changed == {rows[0].id: "no", rows[1].id: "yes, and edited by hand"}


@pytest.mark.parametrize("licence", ["CC BY-SA", "Apache-2.0", "", "CC BY-SA 4.0 or so"])
def test_only_a_licence_with_its_version_has_an_address(licence: str) -> None:
    assert deed(licence) == ""


def test_every_example_of_a_real_dump_can_be_attributed(
    shared_data: Path, tmp_path: Path, paper_filters: Filters
) -> None:
    """The dump names no licences, so that the day of each post decides."""
    dump = shared_data / "stackexchange/beer/Posts.xml"
    shard = Shard(
        kind="stackexchange",
        source="beer",
        name="beer",
        files=(dump,),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    rules = paper_filters.model_copy(update={"min_response_score": 1, "min_response_chars": 300})
    train, _ = filtered(candidates(shard, Counter()), rules, seed=1)
    assert len(train) > 100
    frozen(tmp_path / "set", {"train": train, "dev": [], "test": []})
    with (tmp_path / "set/attribution.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(train)
    for row in rows:
        assert row["title"]
        assert len(row["authors"].splitlines()) == len(row["links"].splitlines()) == 2
        assert all(author for author in row["authors"].splitlines())
        assert row["licence"] == "CC BY-SA 3.0"
        assert row["licence_links"] == "https://creativecommons.org/licenses/by-sa/3.0/"


def test_the_histogram_is_sound_xml_in_the_named_unit(
    splits: dict[Split, list[Example]], tiny_base: Path, tmp_path: Path
) -> None:
    measure = measure_of(tiny_base)
    draw(splits, measure, tmp_path / "lengths.svg", miniature=False)
    text = (tmp_path / "lengths.svg").read_text(encoding="utf-8")
    assert "tokens" in text
    ElementTree.fromstring(text)
    assert 0 < measure.length("somebody feeds nine goats") < 25
    assert measure.length("</s>") > 1, "a control token that a text mentions is text"


def test_nothing_that_a_row_says_becomes_markup_and_nothing_is_loaded(example: Build) -> None:
    page = page_of(HOSTILE, [example(HOSTILE, HOSTILE, source=HOSTILE)])
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "<b onclick" not in page
    data = page.split('id="rows">')[1].split("</script>")[0]
    assert json.loads(data)[0]["messages"] == [["user", HOSTILE], ["assistant", HOSTILE]]
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inside = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = hashlib.sha256(inside.encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_a_page_of_a_large_set_says_what_it_leaves_out(
    example: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limaflow.curation.browsing.MOST_SHOWN", 2)
    page = page_of("Many", [example(f"q{n}", "a") for n in range(5)])
    assert "3 more conversations are in the files" in page
