"""Several training seeds: what they add to an experiment, and what may not be written."""

from pathlib import Path
from typing import Any

import pytest

from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError


@pytest.fixture(scope="module")
def miniature(root: Path) -> dict[str, Any]:
    return merged([root / "config.yaml", root / "experiments/miniature.yaml"])


def study(miniature: dict[str, Any], *arms: dict[str, Any], **other: Any) -> Config:
    base = [
        {"name": "base", "kind": "base"},
        {"name": "base-cut", "kind": "cut", "of": "base", "at": "sentence"},
        {"name": "base-in-context", "kind": "in-context", "dataset": "lima"},
    ]
    return parse({**miniature, "arms": [*base, *arms], **other})


def tuned(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "kind": "tuned", "dataset": name, **keys}


def message_of(miniature: dict[str, Any], *arms: dict[str, Any], **other: Any) -> str:
    with pytest.raises(InputError) as caught:
        study(miniature, *arms, **other)
    return str(caught.value)


def test_each_further_seed_is_trained_answers_is_compared_and_measured(
    miniature: dict[str, Any],
) -> None:
    config = study(miniature, tuned("lima", seeds=[1, 7]), tuned("few"))
    assert [arm.name for arm in config.arms][3:] == ["lima", "lima-seed7", "few"]
    assert config.further_seeds("lima") == ["lima-seed7"]
    seeds = {arm.name: arm.training_seed(config.seed) for arm in config.arms if arm.is_trained}
    assert seeds == {"lima": 1, "lima-seed7": 7, "few": config.seed}
    again = config.arm("lima-seed7")
    assert (again.training_dataset, again.seed_of) == ("lima", "lima")
    assert [c.name for c in config.comparisons] == [
        *("lima-vs-base", "lima-seed7-vs-base"),
        *("lima-vs-base-cut", "lima-seed7-vs-base-cut"),
        *("lima-vs-base-in-context", "lima-seed7-vs-base-in-context"),
        *("lima-vs-few", "lima-seed7-vs-few"),
    ]
    assert config.benchmarks.arms == ["base", "lima", "lima-seed7", "few"]


def test_one_seed_adds_nothing_and_as_written_has_each_arm_once(miniature: dict[str, Any]) -> None:
    once = study(miniature, tuned("lima", seeds=[3]), tuned("few"))
    assert [arm.name for arm in once.arms][3:] == ["lima", "few"]
    assert once.arm("lima").training_seed(once.seed) == 3
    plain = study(miniature, tuned("lima"), tuned("few"))
    written = study(miniature, tuned("lima", seeds=[1, 2]), tuned("few", seeds=[1, 2])).as_written
    assert [arm.name for arm in written.arms] == [arm.name for arm in plain.arms]
    assert written.comparisons == plain.comparisons
    assert written.benchmarks == plain.benchmarks


def test_two_arms_with_seeds_are_compared_seed_by_seed(miniature: dict[str, Any]) -> None:
    config = study(
        miniature,
        tuned("lima", seeds=[1, 2, 3]),
        tuned("few", seeds=[1, 2]),
        comparisons=[{"first": "lima", "second": "few"}],
    )
    assert [c.name for c in config.comparisons] == ["lima-vs-few", "lima-seed2-vs-few-seed2"]


def test_recorded_verdicts_and_benchmarks_are_of_the_first_seed_alone(
    miniature: dict[str, Any],
) -> None:
    config = study(
        miniature,
        tuned("lima", seeds=[1, 2]),
        tuned("few"),
        comparisons=[{"first": "lima", "second": "base", "verdicts": "people.csv"}],
        benchmarks={**miniature["benchmarks"], "recorded": {"lima": [{"path": "lima.jsonl"}]}},
    )
    assert [c.name for c in config.comparisons] == ["lima-vs-base"]
    assert config.benchmarks.arms == ["base", "lima", "few"]


def test_a_seed_that_stands_twice_or_is_none_is_refused(miniature: dict[str, Any]) -> None:
    few = tuned("few")
    assert "arms.lima.seeds: the seed 2 stands twice" in message_of(
        miniature, tuned("lima", seeds=[1, 2, 2]), few
    )
    assert "arms.lima.seeds" in message_of(miniature, tuned("lima", seeds=[]), few)
    for wrong in (["1"], [1.5], [True], [-1]):
        assert "arms.lima.seeds.0" in message_of(miniature, tuned("lima", seeds=wrong), few)


def test_seeds_of_an_arm_that_is_not_trained_are_refused(miniature: dict[str, Any]) -> None:
    arms = (tuned("lima"), tuned("few"), {"name": "m", "kind": "model", "path": "x", "seeds": [1]})
    assert "arms.m: seeds: only an arm that is trained here" in message_of(miniature, *arms)


def test_names_of_seeds_cannot_be_taken_nor_named(miniature: dict[str, Any]) -> None:
    arms = (tuned("lima", seeds=[1, 2]), tuned("few"))
    taken = {**tuned("lima"), "name": "lima-seed2"}
    assert "the name 'lima-seed2' is that of a training seed of arm 'lima'" in message_of(
        miniature, *arms, taken
    )
    named = [{"first": "lima-seed2", "second": "base"}]
    assert "no arm is named 'lima-seed2'" in message_of(miniature, *arms, comparisons=named)
    own = {**tuned("lima", seeds=[2]), "again": "few"}
    assert "arms.lima.again: unknown key" in message_of(miniature, own, tuned("few"))
