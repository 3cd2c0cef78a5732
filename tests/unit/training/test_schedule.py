"""The learning rate over a run."""

import pytest

from limaflow.config.training import Recipe
from limaflow.training.schedule import learning_rate


def test_it_falls_linearly_from_the_first_step_to_the_last(recipe: Recipe) -> None:
    recipe = recipe.model_copy(update={"learning_rate": 1e-5, "final_learning_rate": 1e-6})
    rates = [learning_rate(recipe, step, 10) for step in range(10)]
    assert rates[0] == 1e-5
    assert rates[-1] == pytest.approx(1e-6)
    assert rates[1] - rates[0] == pytest.approx(rates[-1] - rates[-2])


def test_warm_up_rises_linearly_to_the_full_rate(recipe: Recipe) -> None:
    recipe = recipe.model_copy(update={"warmup_steps": 4})
    rates = [learning_rate(recipe, step, 10) for step in range(5)]
    assert rates == pytest.approx([2.5e-3, 5e-3, 7.5e-3, 1e-2, 1e-2])


def test_a_run_of_one_step_takes_the_full_rate(recipe: Recipe) -> None:
    assert learning_rate(recipe, 0, 1) == recipe.learning_rate
