"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler."""

from limaflow.training.settings import Training


def learning_rate(settings: Training, step: int, steps: int) -> float:
    """Rate of `step` (from 0) of `steps`: linear warm-up, then linear from the first to the final.

    Without warm-up the first step has `learning_rate` and the last `final_learning_rate`.
    """
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(steps - settings.warmup_steps - 1, 1)
    return settings.learning_rate + done * (settings.final_learning_rate - settings.learning_rate)


def unfinished_warm_up(settings: Training, steps: int) -> list[str]:
    """A line that says so where a run of `steps` ends before its warm-up does; else nothing."""
    if settings.warmup_steps <= steps:
        return []
    highest = learning_rate(settings, steps - 1, steps)
    return [
        f"warning: the warm-up of {settings.warmup_steps} steps is not over when the run ends, "
        f"after {steps}: its highest learning rate is {highest:.3g}, not "
        f"{settings.learning_rate:.3g}"
    ]
