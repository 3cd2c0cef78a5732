"""The learning rate over a run."""

import pytest

from limaflow.training.schedule import learning_rate, unfinished_warm_up
from limaflow.training.settings import Training


def test_it_falls_linearly_from_the_first_step_to_the_last(settings: Training) -> None:
    settings = settings.model_copy(update={"learning_rate": 1e-5, "final_learning_rate": 1e-6})
    rates = [learning_rate(settings, step, 10) for step in range(10)]
    assert rates[0] == 1e-5
    assert rates[-1] == pytest.approx(1e-6)
    assert rates[1] - rates[0] == pytest.approx(rates[-1] - rates[-2])


def test_warm_up_rises_linearly_to_the_full_rate(settings: Training) -> None:
    settings = settings.model_copy(update={"warmup_steps": 4})
    rates = [learning_rate(settings, step, 10) for step in range(5)]
    assert rates == pytest.approx([2.5e-3, 5e-3, 7.5e-3, 1e-2, 1e-2])


def test_a_run_of_one_step_takes_the_full_rate(settings: Training) -> None:
    assert learning_rate(settings, 0, 1) == settings.learning_rate


def test_a_warm_up_that_is_longer_than_the_run_is_said(settings: Training) -> None:
    settings = settings.model_copy(update={"learning_rate": 1e-5, "warmup_steps": 40})
    assert not unfinished_warm_up(settings, 40)
    (line,) = unfinished_warm_up(settings, 20)
    assert "40 steps is not over when the run ends, after 20" in line
    assert "highest learning rate is 5e-06, not 1e-05" in line
