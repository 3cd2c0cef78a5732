"""The authors' published rows: what a row is shows in its shape; and the configuration for them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.filtering import filtered
from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources.kinds.released import read
from limaflow.sources.shard import ReadingOptions, Shard

ROWS = [
    {"conversations": ["What is tea? ", "A drink."], "source": "stackexchange"},
    {"conversations": ["Hi", "Hello", "And you?", "Well."], "source": "multi_turn"},
    {"conversations": ["How to nap", "Lie down."], "source": "wikihow"},
]


def rows_file(folder: Path, rows: list[Any], name: str = "train.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def candidates(path: Path, shard: str) -> tuple[list[Candidate], Counter[str]]:
    passed_over: Counter[str] = Counter()
    read_shard = Shard(
        kind="released",
        source="released",
        name=shard,
        files=(path,),
        scratch=path.parent,
        options=ReadingOptions(),
    )
    return list(read(read_shard, passed_over)), passed_over


def test_a_shard_takes_the_rows_of_its_shape_and_counts_the_others(tmp_path: Path) -> None:
    path = rows_file(tmp_path, ROWS)
    single, passed_over = candidates(path, "single-turn")
    assert [(c.title, c.response, c.stratum) for c in single] == [
        ("What is tea?", "A drink.", "stackexchange"),
        ("How to nap", "Lie down.", "wikihow"),
    ]
    assert passed_over == {"row of the shape dialogues": 1}
    [dialogue], passed_over = candidates(path, "dialogues")
    assert [message.content for message in dialogue.messages] == [
        "Hi",
        "Hello",
        "And you?",
        "Well.",
    ]
    assert passed_over == {"row of the shape single-turn": 2}


def test_a_test_row_is_a_prompt_without_a_source(tmp_path: Path) -> None:
    path = rows_file(tmp_path, [{"conversations": ["Plan a day."], "source": ""}], "test.jsonl")
    [prompt], _ = candidates(path, "prompts")
    assert (prompt.title, prompt.response, prompt.stratum) == ("Plan a day.", "", "prompts")


def test_the_rows_become_the_same_examples_as_any_other_candidate(tmp_path: Path) -> None:
    single, _ = candidates(rows_file(tmp_path, ROWS), "single-turn")
    examples, drops = filtered(single, None, seed=1)
    assert not drops
    assert {e.prompt: e.stratum for e in examples} == {
        "What is tea?": "stackexchange",
        "How to nap": "wikihow",
    }
    assert examples[0].provenance.ids[0].startswith("train.jsonl:")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"conversations": "x", "source": ""}, "needs a list"),
        ({"conversations": ["x"]}, "needs a list"),
        ({"conversations": ["x", 3], "source": ""}, "a turn is empty"),
        ({"conversations": [], "source": ""}, "at least one"),
    ],
)
def test_another_row_is_named_by_its_line(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"train\.jsonl:2: .*{message}"):
        candidates(rows_file(tmp_path, [ROWS[0], row]), "single-turn")
    with pytest.raises(InputError, match="its name must be one of prompts, single-turn, dialogues"):
        candidates(rows_file(tmp_path, ROWS), "all")


def released(**changes: Any) -> Config:
    raw = merged([Path(__file__).parents[3] / "config.yaml"])
    raw["curation"] |= {"dataset": "released"}
    raw["curation"]["released"] |= changes
    return parse(raw)


def test_released_takes_the_place_of_every_draw() -> None:
    config = released(train="my/train.jsonl", dialogues=True)
    [dataset] = config.datasets
    assert dataset.examples == {"released": "all"}
    assert {name: files[0].path for name, files in config.source("released").shards.items()} == {
        "single-turn": "my/train.jsonl",
        "dialogues": "my/train.jsonl",
    }
    [test] = config.source("released-test").shards["prompts"]
    assert test.token_env == "HF_TOKEN"
    assert [(d.source, d.examples) for d in config.prompts.dev] == [("released", 50)]
    assert [(d.source, d.examples) for d in config.prompts.test] == [("released-test", 300)]
    assert parse(config.model_dump(mode="json")) == config


def test_the_published_rows_are_one_data_set() -> None:
    raw = merged([Path(__file__).parents[3] / "config.yaml"])
    raw["curation"] |= {"dataset": "released"}
    raw["datasets"] = [*raw["datasets"], {"name": "more", "examples": {"wikihow": 3}}]
    with pytest.raises(InputError, match="one data set, lima, more are drawn"):
        parse(raw)
