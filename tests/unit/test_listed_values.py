"""An entry that lists values stands for an arm of each; models may be made of one another's."""

from pathlib import Path
from typing import Any

import pytest

from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError

DPO = {"name": "lima-dpo", "kind": "preference", "pairs": "prefs.jsonl"}


@pytest.fixture(scope="module")
def miniature(root: Path) -> dict[str, Any]:
    return merged([root / "config.yaml", root / "experiments/miniature.yaml"])


def study(miniature: dict[str, Any], *arms: dict[str, Any], **other: Any) -> Config:
    return parse({**miniature, "arms": [*miniature["arms"], *arms], **other})


def average(alpha: object, of: str = "lima", name: str = "half") -> dict[str, Any]:
    return {"name": name, "kind": "average", "of": of, "alpha": alpha}


def message_of(miniature: dict[str, Any], *arms: dict[str, Any], **other: Any) -> str:
    with pytest.raises(InputError) as caught:
        study(miniature, *arms, **other)
    return str(caught.value)


def test_each_share_of_a_list_is_an_arm_that_is_compared_and_measured(
    miniature: dict[str, Any],
) -> None:
    config = study(
        miniature,
        average([0, 0.25, 0.29, 0.125, 1], name="mix"),
        comparisons=[{"first": "mix", "second": "lima"}],
        benchmarks={**miniature["benchmarks"], "arms": ["base", "mix"]},
    )
    names = ["mix-0", "mix-25", "mix-29", "mix-12-5", "mix-100"]
    shares = [getattr(config.arm(name), "alpha", None) for name in names]
    assert shares == [0, 0.25, 0.29, 0.125, 1]
    assert "mix" not in [arm.name for arm in config.arms]
    assert [c.name for c in config.comparisons if c.second == "lima"] == [
        f"{name}-vs-lima" for name in names
    ]
    assert config.benchmarks.arms == ["base", *names]


def test_one_share_keeps_the_entrys_name_and_may_stand_in_a_list(miniature: dict[str, Any]) -> None:
    assert study(miniature, average(0.5)).arm("half").kind == "average"
    assert study(miniature, average([0.5])).arm("half-50").kind == "average"


def test_a_listed_arm_may_be_named_by_itself(miniature: dict[str, Any]) -> None:
    config = study(
        miniature,
        average([0.25, 0.5]),
        comparisons=[{"first": "half-50", "second": "base"}],
    )
    assert [c.name for c in config.comparisons] == ["half-50-vs-base"]


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        ([], "arms.1.*alpha|alpha.*at least 1"),
        ([0.5, 0.5], "an α stands twice"),
        ([0.5, 1.5], "less than or equal to 1"),
    ],
)
def test_a_list_of_shares_that_cannot_be_is_refused(
    miniature: dict[str, Any], alpha: object, expected: str
) -> None:
    with pytest.raises(InputError, match=expected):
        study(miniature, average(alpha))


def test_a_name_that_a_share_needs_must_be_free(miniature: dict[str, Any]) -> None:
    message = message_of(miniature, average([0.5]), average(0.3, name="half-50"))
    assert "the name 'half-50' stands twice" in message


def test_recorded_verdicts_are_of_one_model(miniature: dict[str, Any]) -> None:
    message = message_of(
        miniature,
        average([0.25, 0.5]),
        comparisons=[{"first": "half", "second": "base", "verdicts": "verdicts.jsonl"}],
    )
    assert "'half' stands for several arms; name one of half-25, half-50" in message


def test_an_average_may_be_of_a_model_that_is_made_from_anothers(
    miniature: dict[str, Any],
) -> None:
    config = study(miniature, DPO, average([0.3, 0.6], of="lima-dpo", name="mix"))
    assert config.arm("mix-60").references()[0].name == "lima-dpo"
    config = study(miniature, average(0.5), {**DPO, "from": "half"})
    assert config.arm("lima-dpo").references()[0].name == "half"


def test_a_model_that_would_be_made_from_itself_is_refused(miniature: dict[str, Any]) -> None:
    message = message_of(miniature, average(0.5, of="lima-dpo"), {**DPO, "from": "half"})
    assert "its model is made from itself (half from lima-dpo from half)" in message
    assert "made from itself" in message_of(miniature, average(0.5, of="half"))


def test_an_average_of_what_has_no_weights_of_its_own_is_refused(
    miniature: dict[str, Any],
) -> None:
    assert "arms.half.of: no model is named 'base'" in message_of(
        miniature, average(0.5, of="base")
    )
