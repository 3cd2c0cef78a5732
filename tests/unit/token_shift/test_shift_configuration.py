"""`token_shift` of the configuration, and the plan of its jobs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.config.job_sizes import job_sizes
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError


def configured(root: Path, tmp_path: Path, block: dict[str, Any], *more: Path) -> Any:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(json.dumps({"token_shift": block}), encoding="utf-8")
    return parse(merged([root / "config.yaml", *more, overlay]))


def test_it_is_off_by_default_and_takes_tuned_arms(root: Path, tmp_path: Path) -> None:
    assert configured(root, tmp_path, {}).token_shift.arms == []
    found = configured(root, tmp_path, {"arms": ["lima"], "responses": 10}).token_shift
    assert (found.arms, found.responses) == (["lima"], 10)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"arms": ["lma"]}, "token_shift.arms: no arm is named 'lma'.*lima"),
        ({"arms": ["base"]}, "token_shift.arms: 'base' has no model of its own"),
        ({"arms": ["gpt-4"]}, "token_shift.arms: 'gpt-4' has no model of its own"),
        ({"arms": ["lima", "lima"]}, "token_shift.arms: 'lima' stands twice"),
        ({"arms": ["lima"], "responses": 0}, "token_shift.responses"),
        ({"arm": ["lima"]}, "arms"),
    ],
)
def test_mistakes_are_named(
    root: Path, tmp_path: Path, block: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        configured(root, tmp_path, block)


def test_its_jobs_have_room_for_two_models(root: Path, tmp_path: Path) -> None:
    # 13 GB of weights each fit on one GPU of 80 GiB; of the 65B two take more than one alone.
    sizes = job_sizes(configured(root, tmp_path, {"arms": ["lima"]}))
    assert sizes["shift_tokens"].gpus > sizes["respond"].gpus
    small = configured(root, tmp_path, {"arms": ["lima"]}, root / "experiments/llama-7b.yaml")
    assert job_sizes(small)["shift_tokens"].gpus == 1


def planned(*words: str) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["shift", "plan", "--json", *words])
    assert found.exit_code == 0, found.output
    plan: dict[str, Any] = json.loads(found.output)
    return plan


def test_a_7b_pair_on_300_long_responses_is_planned_without_weights() -> None:
    plan = planned("--base", "huggyllama/llama-7b")
    assert plan["weights"] == pytest.approx(2 * 2 * 6.74e9, rel=0.01)
    # 2 models, 8 rows of 2,304 tokens cut to the context of 2,048, 0.5 MiB a token.
    assert plan["caches"] == 2 * 8 * 2048 * 2 * 2 * 32 * 4096
    assert plan["gpus"] == 1
    assert planned("--base", "huggyllama/llama-7b", "--gpu-memory", "40")["gpus"] == 2
    assert planned("--base", "huggyllama/llama-7b", "--gpu-memory", "2")["gpus"] is None
    longer = planned("--base", "huggyllama/llama-7b", "--responses", "600")
    assert longer["drawing_seconds"] == pytest.approx(2 * plan["drawing_seconds"])
    assert longer["memory"] == plan["memory"]
