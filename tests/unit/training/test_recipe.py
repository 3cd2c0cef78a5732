"""The mathematics of training, held by stored losses; code that changed since a run, reported."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from training_runs import finish, losses

from limaflow.jsonl import read_json, write_json
from limaflow.training import train_anew
from limaflow.training.recipe import RECIPE
from limaflow.training.run_code import changes_since_training, note_code
from limaflow.training.settings import Launch, Training

LOSSES = {2: (6.16744, 5.94801, 5.59392, 5.19729, 5.18724, 4.68839, 4.47620, 4.35392, 4.22060)}
"""Recipe → the loss of each step of the run below."""


@pytest.mark.slow
def test_the_losses_are_those_of_the_recipe(
    *, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    every_part = {
        **{"warmup_steps": 2, "gradient_clipping": 1.0, "residual_dropout": 0.3},
        "max_trimmed_share": 1.0,
    }
    alone = launch.model_copy(update={"processes_per_node": 1, "micro_batch_tokens": 200})
    finish(fine_tune(tmp_path, settings.model_copy(update=every_part), alone))
    found = [float(row[2]) for row in losses(tmp_path)]
    assert found == pytest.approx(LOSSES[RECIPE], rel=1e-4), (
        "training computes something else than before: if that is meant, raise RECIPE in "
        "training/recipe.py and store these losses under its number"
    )


def trained(models: Path, arm: str) -> Path:
    """A finished run's folder, as far as these tests look."""
    folder = models / arm / "runs" / "1f"
    folder.mkdir(parents=True)
    note_code(folder)
    manifest = {"arm": arm, "identity": "1f", "epochs": [], "log": "log.csv"}
    write_json(models / arm / "training.json", manifest)
    return folder


def test_code_that_changed_since_a_training_is_named(tmp_path: Path) -> None:
    arms = ["lima", "few", "untrained"]
    folders = [trained(tmp_path, arm) for arm in arms[:2]]
    assert changes_since_training(tmp_path, arms) == []
    for folder in folders:
        code = read_json(folder / "code.json", dict[str, str])
        write_json(folder / "code.json", code | {"training.loss.weighted_loss": "0", "gone": "1"})
    assert changes_since_training(tmp_path, arms) == [
        "lima, few: gone, training.loss.weighted_loss"
    ]
    assert note_code(folders[0]) == ["gone", "training.loss.weighted_loss"]
    assert changes_since_training(tmp_path, arms) == ["few: gone, training.loss.weighted_loss"]


def test_a_run_that_is_asked_for_anew_is_set_aside_once(tmp_path: Path) -> None:
    folder = trained(tmp_path, "lima")
    (folder / "lock").touch()
    runs = folder.parent
    assert train_anew.set_aside_if_requested(folder) is None
    train_anew.request(runs)
    aside = train_anew.set_aside_if_requested(folder)
    assert aside == runs / "1f-replaced-1"
    assert sorted(p.name for p in aside.iterdir()) == ["code.json"]
    assert [p.name for p in folder.iterdir()] == ["lock"]
    assert train_anew.set_aside_if_requested(folder) is None
    train_anew.request(runs)
    assert not (aside / train_anew.REQUEST).exists()
    train_anew.withdraw(runs)
    assert train_anew.set_aside_if_requested(folder) is None


@pytest.mark.slow
def test_a_finished_run_is_trained_again_where_that_was_asked_for(
    *, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    launch = launch.model_copy(update={"processes_per_node": 1})
    finish(fine_tune(tmp_path, settings, launch))
    weights = tmp_path / "runs" / json.loads((tmp_path / "training.json").read_text())["identity"]
    first = weights.stat().st_ino, sorted(weights.rglob("*.safetensors"))[0].read_bytes()
    train_anew.request(tmp_path / "runs")
    text = finish(fine_tune(tmp_path, settings, launch))
    assert f"trained anew; what was there is in {weights}-replaced-1" in text
    assert sorted(weights.rglob("*.safetensors"))[0].read_bytes() == first[1]
    assert [row[0] for row in losses(tmp_path)] == [str(step) for step in range(1, 10)]


def test_code_that_changed_since_a_preference_tuning_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "dpo/runs/2a"
    folder.mkdir(parents=True)
    note_code(folder, "prefer")
    manifest = {"model": "dpo", "path": "runs/2a/export", "notes": {"identity": "2a"}}
    write_json(tmp_path / "dpo/chosen.json", manifest)
    assert changes_since_training(tmp_path, ["dpo", "untrained"], "prefer") == []
    code = read_json(folder / "code.json", dict[str, str])
    changed = "training.preference_pairs.tokenized_pairs"
    assert changed in code
    write_json(folder / "code.json", code | {changed: "0"})
    assert changes_since_training(tmp_path, ["dpo"], "prefer") == [f"dpo: {changed}"]
