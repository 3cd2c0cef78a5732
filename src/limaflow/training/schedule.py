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
