"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler."""

from limaflow.config.training import Recipe


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Rate of `step` (from 0) of `steps`: linear warm-up, then linear from the first to the final.

    Without warm-up the first step has `learning_rate` and the last `final_learning_rate`.
    """
    if step < recipe.warmup_steps:
        return recipe.learning_rate * (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(steps - recipe.warmup_steps - 1, 1)
    return recipe.learning_rate + done * (recipe.final_learning_rate - recipe.learning_rate)
