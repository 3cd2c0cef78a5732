"""Arms and data sets that tell style from knowledge are lines of the configuration, and no code."""

from pathlib import Path
from typing import Any

import pytest

from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.freezing import response_alone
from limaflow.curation.sampling import sampled
from limaflow.errors import InputError
from limaflow.records import Example, Message

LIMA = {"authored-a": 80, "wikihow": 80}
BASE = {"name": "base", "kind": "base"}


@pytest.fixture
def miniature(root: Path) -> dict[str, Any]:
    return merged([root / "config.yaml", root / "experiments/miniature.yaml"])


def study(
    miniature: dict[str, Any], datasets: list[dict[str, Any]], *arms: dict[str, Any], **more: Any
) -> Config:
    lima = {"name": "lima", "examples": LIMA}
    tuned = {"name": "lima", "kind": "tuned", "dataset": "lima"}
    blocks = {"comparisons": [], "benchmarks": {**miniature["benchmarks"], "arms": ["lima"]}}
    return parse(
        {**miniature, **blocks, "datasets": [lima, *datasets], "arms": [BASE, tuned, *arms], **more}
    )


def tuned(name: str, dataset: str = "", **keys: Any) -> dict[str, Any]:
    return {"name": name, "kind": "tuned", "dataset": dataset or name, **keys}


def test_each_arm_plays_its_own_part_and_no_other(miniature: dict[str, Any]) -> None:
    datasets = [
        {"name": "few", "examples": {"authored-a": 5, "wikihow": 5}},
        {"name": "responses", "examples": LIMA, "prompts": "none"},
        {"name": "longest", "examples": {"authored-a": 40, "wikihow": 40}, "choose": "longest"},
        {"name": "taught", "examples": {**LIMA, "authored-b": 9}, "teaches": ["miniature_facts"]},
    ]
    config = study(
        miniature,
        datasets,
        *(tuned(d["name"]) for d in datasets),
        tuned("lora-1", "lima", training={"lora": {"rank": 1}}),
        tuned("slow", "responses", training={"epochs": 60}),
    )
    roles = {
        "ablation": config.is_ablation,
        "unfiltered": config.is_unfiltered,
        "responses": config.is_of_responses,
        "longest": config.is_of_longest,
        "adapted": config.is_adapted,
    }
    names = [arm.name for arm in config.arms if arm.is_trained]
    found = {role: [name for name in names if plays(name)] for role, plays in roles.items()}
    assert found == {
        "ablation": ["few"],
        "unfiltered": [],
        "responses": ["responses"],
        "longest": ["longest"],
        "adapted": ["lora-1"],
    }
    assert {name: config.teaches(name) for name in names if config.teaches(name)} == {
        "taught": ["miniature_facts"]
    }
    assert config.pool("responses") == config.pool("longest") == "lima"


@pytest.mark.parametrize(
    ("datasets", "arm", "message"),
    [
        ([], {"kind": "cut", "of": "bas", "at": "sentence"}, "no answering arm is named 'bas'"),
        ([], {"kind": "cut", "of": "a", "at": "sentence"}, "no answering arm is named 'a'"),
        ([], {"kind": "cut", "of": "base", "at": "word"}, "arms.a.at"),
        (
            [{"name": "d", "path": "x.jsonl", "choose": "longest"}],
            {"kind": "base"},
            "only examples that are drawn from sources can be chosen",
        ),
        (
            [{"name": "d", "examples": LIMA, "teaches": ["miniature_fcts"]}],
            {"kind": "base"},
            "did you mean 'miniature_facts'",
        ),
        (
            [{"name": "d", "examples": LIMA, "prompts": "none"}],
            {"kind": "in-context", "dataset": "d"},
            "show no question",
        ),
        (
            [],
            {"kind": "in-context", "dataset": "lima", "given": ["x"], "examples": 2},
            "given names the examples",
        ),
        (
            [],
            {"kind": "in-context", "dataset": "lima", "given": ["x", "x"]},
            "an id stands twice",
        ),
    ],
)
def test_what_cannot_work_is_one_clear_message(
    miniature: dict[str, Any], datasets: list[dict[str, Any]], arm: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        study(miniature, datasets, {"name": "a", **arm})


def test_a_base_with_given_examples_has_as_many_as_are_given(miniature: dict[str, Any]) -> None:
    arm = {"name": "a", "kind": "in-context", "dataset": "lima", "given": ["x", "y"]}
    shots = study(miniature, [], arm).arm("a").shots
    assert shots is not None
    assert (shots.count, shots.given, shots.choose) == (2, ("x", "y"), "seed")


def test_published_rows_may_be_trained_on_with_and_without_their_prompts(
    miniature: dict[str, Any],
) -> None:
    curation = {**miniature["curation"], "dataset": "released"}
    responses = {"name": "responses", "examples": LIMA, "prompts": "none"}
    config = study(miniature, [responses], tuned("responses"), curation=curation)
    assert [d.examples for d in config.datasets] == [{"released": "all"}] * 2
    assert [d.prompts for d in config.datasets] == ["kept", "none"]
    assert config.is_of_responses("responses")


def example(number: int, response: str) -> Example:
    turns = (("user", f"Question {number}?"), ("assistant", response), ("user", "And?"))
    messages = tuple(Message(role=role, content=text) for role, text in (*turns, turns[1]))
    return Example(id=f"e{number:02d}", messages=messages, source="s", split="train", stratum="x")


def test_the_longest_examples_of_a_set_are_taken_and_the_next_are_its_reserve() -> None:
    pool = [example(number, "word " * (number % 7 + 1)) for number in range(20)]
    chosen, reserve = sampled(pool, {"s": 5}, 3.0, 0.4, seed=1, choose="longest")
    lengths = sorted((len(e.response) for e in pool), reverse=True)
    assert sorted((len(e.response) for e in chosen), reverse=True) == lengths[:5]
    assert sorted((len(e.response) for e in reserve), reverse=True) == lengths[5:7]
    assert sampled(pool[::-1], {"s": 5}, 3.0, 0.4, seed=2, choose="longest") == (chosen, reserve)
    shortest, _ = sampled(pool, {"s": 5}, 3.0, 0.0, seed=1, choose="shortest")
    assert sorted(len(e.response) for e in shortest) == lengths[::-1][:5]
    assert {e.id for e in chosen} & {e.id for e in shortest} == set()


def test_a_response_alone_keeps_its_turns_and_its_id_and_no_word_of_a_prompt() -> None:
    whole = example(1, "Because.")
    alone = response_alone(whole)
    assert alone.id == whole.id
    assert [m.role for m in alone.messages] == [m.role for m in whole.messages]
    assert [m.content for m in alone.messages] == ["", "Because.", "", "Because."]
