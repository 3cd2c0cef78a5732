"""Tags of prompts: written by hand, checked, and kept from the raw row to what is asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from limaflow.curation.adoption import adopted
from limaflow.curation.filtering import filtered
from limaflow.curation.freezing import freeze
from limaflow.curation.holdout import prompts_of
from limaflow.errors import InputError
from limaflow.generation.prompts import read_prompts
from limaflow.jsonl import read_records, write_records
from limaflow.prompt_tags import Contrast, FormatRule, Sensitive, Tags
from limaflow.records import Candidate, Example, Message
from limaflow.tags import has_label, labels, read_tags

WRITTEN: dict[str, Any] = {
    "sensitive": {"intent": "malicious", "category": "Privacy", "goal": "Find her address"},
    "contrast": {"side": "unsafe", "type": "contrast_privacy", "group": "privacy"},
    "attack": "role play",
    "format": ["one_word", {"rule": "lines", "count": 3}],
    "turns": ["And her number?"],
}
TAGS = Tags(
    sensitive=Sensitive(intent="malicious", category="Privacy", goal="Find her address"),
    contrast=Contrast(side="unsafe", type="contrast_privacy", group="privacy"),
    attack="role play",
    format=(FormatRule(rule="one_word"), FormatRule(rule="lines", arguments='{"count": 3}')),
    turns=("And her number?",),
)


def test_tags_are_read_as_written_and_as_their_record_has_them() -> None:
    assert read_tags({"tags": WRITTEN}) == TAGS
    stored = json.loads(json.dumps(WRITTEN))
    stored["format"] = [
        {"rule": "one_word", "arguments": "{}"},
        {"rule": "lines", "arguments": '{"count": 3}'},
    ]
    assert read_tags({"tags": stored}) == TAGS
    assert read_tags({}) is None
    assert read_tags({"tags": {}}) is None


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"sensitiv": {}}, "tags.sensitiv: unknown key; did you mean 'sensitive'?"),
        ({"sensitive": {"intend": "benign"}}, "tags.sensitive.inten"),
        ({"sensitive": {"intent": "evil"}}, "tags.sensitive.intent: Input should be 'malicious'"),
        ({"contrast": {"side": "safe", "kind": "x"}}, "tags.contrast.kind: unknown key"),
        ({"attack": 3}, "tags.attack: Input should be a valid string, got 3"),
        ({"format": [{"count": 3}]}, "tags.format.0.rule"),
        ({"turns": "And?"}, "tags.turns"),
        (["malicious"], "tags: not an object"),
    ],
)
def test_a_tag_that_is_not_known_is_refused_with_its_place(tags: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as found:
        read_tags({"tags": tags})
    assert message in str(found.value)


def test_labels_tell_prompts_apart() -> None:
    assert labels(None) == []
    assert labels(TAGS) == [
        "sensitive: malicious",
        "category: Privacy",
        "contrast: unsafe",
        "contrast type: contrast_privacy",
        "attack: role play",
        "format: one_word",
        "format: lines",
        "turns: 2",
    ]
    assert has_label(TAGS, "sensitive") and has_label(TAGS, "format: lines")
    assert not has_label(TAGS, "sensitive: benign") and not has_label(None, "sensitive")


def test_tags_stay_from_the_candidate_to_the_prompts_and_frozen_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = (Message(role="user", content="Where does she live?"),)
    candidate = Candidate(
        id="s/all/1", source="s", shard="all", kind="messages", title="x", messages=turn, tags=TAGS
    )
    (example,), _ = filtered([candidate], None, seed=1)
    prompts = prompts_of([example], {"test": {"s": 1}}, {}, 3.0, seed=1)["test"]
    freeze(tmp_path, {"train": [], "dev": [], "test": prompts}, {})
    (row,) = read_records(tmp_path / "test.jsonl", Example)
    assert row.tags == TAGS
    (again,) = adopted(tmp_path / "test.jsonl", "test")
    assert again == row
    assert read_prompts(tmp_path / "test.jsonl") == [row]
    assert "of 1 prompts the first turn alone is asked" in capsys.readouterr().err


def test_prompts_brought_by_path_have_tags_and_their_next_turns_tell_them_apart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prompts.jsonl"
    rows = [
        {"prompt": "Tell me of Velm.", "tags": {"turns": ["Which river?"]}},
        {"prompt": "Tell me of Velm.", "tags": {"turns": ["Which dish?"]}},
        {"prompt": "Tell me of Velm."},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = prompts_of([], {"test": {}}, {"test": [path]}, 3.0, seed=1)["test"]
    assert len({example.id for example in found}) == 3
    path.write_text(json.dumps({"prompt": "Hi", "tags": {"form": []}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"prompts\.jsonl:1: tags\.form: unknown key"):
        adopted(path, "test")


def test_a_record_with_an_unknown_tag_is_no_example(tmp_path: Path) -> None:
    example = Example(
        id="1", messages=(Message(role="user", content="Hi"),), source="s", split="test"
    )
    path = tmp_path / "p.jsonl"
    write_records(path, [{**vars(example), "tags": {"colour": "red"}}])
    with pytest.raises(InputError, match=r"tags\.colour"):
        list(read_records(path, Example))
