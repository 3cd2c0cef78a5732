"""What really changes decides what is repeated: by dry runs over empty files."""

import json
import shutil

import pytest
from workspace import Workspace, rules_of

pytestmark = pytest.mark.slow
NAMING = {"configuration", "html_report", "response_browser"}
"""The jobs that show the configuration itself."""


def trained(workspace: Workspace, *arms: str) -> None:
    """Give the arms a finished run, of the present code, in place of an empty training.json."""
    from limaflow.training.run_code import note_code

    for arm in arms:
        models = workspace.results / "models" / arm
        (models / "runs/1f").mkdir(parents=True)
        note_code(models / "runs/1f")
        manifest = {"arm": arm, "identity": "1f", "epochs": [], "log": "log.csv"}
        (models / "training.json").write_text(json.dumps(manifest), encoding="utf-8")
    workspace.touch()


def test_training_code_of_the_same_recipe_is_a_warning_that_names_it(plans: Workspace) -> None:
    trained(plans, "lima", "few")
    plans.edit("src/limaflow/training/schedule.py", "return settings", "return 1.0 * settings")
    command = plans.command()
    done = plans.done([command[0], "-n", *command[1:]])
    assert "Nothing to be done" in done.stdout + done.stderr
    named = "lima, few: training.schedule.learning_rate. The models stay"
    assert (done.stdout + done.stderr).count(named) == 1
    plans.edit("src/limaflow/training/recipe.py", "RECIPE = ", "RECIPE = 1 + ")
    assert rules_of(plans.planned())["fine_tune"] == 2


def test_forced_trainings_are_asked_for_anew_and_a_plan_asks_for_nothing(
    plans: Workspace,
) -> None:
    trained(plans, "lima", "few")
    request = plans.results / "models/lima/runs/1f/train-anew"
    command = plans.command()
    forced = ["--forcerun", "fine_tune"]
    plans.done([command[0], "-n", *forced, *command[1:]])
    assert not request.exists()
    # A training of no data fails; it has been asked for all the same.
    shutil.rmtree(plans.results / "base")
    plans.done([command[0], *forced, *command[1:]])
    assert request.exists()
