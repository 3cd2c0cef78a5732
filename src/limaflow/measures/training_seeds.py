"""The mean of an arm trained with several seeds, with the chance of seeds in its interval.

Prompts and seeds are crossed: each trained model answers every prompt. Another draw of prompts and
another draw of seeds would each give another mean, so the interval is wider than that over prompts
alone by what the seeds add. Few seeds tell little of their spread: under `FEWEST_SEEDS` none of it
belongs in an interval.
"""

from collections.abc import Mapping, Sequence
from math import hypot, sqrt

import numpy as np

from limaflow.errors import InputError
from limaflow.intervals import Array, Interval, Resampling

FEWEST_SEEDS = 5
"""From so many on, the spread between seeds enters an interval; of 4 degrees of freedom the
quantile of Student's t is 2.8, of 2 it is 4.3, and of 1 it is 12.7."""


def arms_trained_again(words: Sequence[str]) -> dict[str, str]:
    """Arm → the arm that it is once more with another seed, from ARM=ARM words.

    Raises:
        InputError: a word is not of that form.
    """
    found = {}
    for word in words:
        again, equals, arm = word.partition("=")
        if not (again and equals and arm):
            raise InputError(f"--further-seed {word}: not of the form FURTHER=ARM")
        found[again] = arm
    return found


def by_prompt_and_seed(seeds: Sequence[Mapping[str, float]]) -> Array:
    """One value a prompt and seed as a matrix, NaN where a seed has none of a prompt.

    Args:
        seeds: of each seed, prompt id → value.
    """
    prompts = sorted({prompt for values in seeds for prompt in values})
    return np.array([[values.get(prompt, np.nan) for values in seeds] for prompt in prompts])


def mean_over_seeds(
    seeds: Sequence[Mapping[str, float]], least: float, most: float, resampling: Resampling
) -> Interval:
    """The mean of one value a prompt: over seeds too if they are enough, else of the first alone.

    Args:
        seeds: of each seed, prompt id → value.
        least: lowest value that there can be; `most` the highest.
    """
    if len(seeds) < FEWEST_SEEDS:
        values = [value for _, value in sorted(seeds[0].items())]
        return resampling.mean(np.array(values, dtype=np.float64), least, most)
    return mean_over_prompts_and_seeds(by_prompt_and_seed(seeds), least, most, resampling)


def mean_over_prompts_and_seeds(
    values: Array, least: float, most: float, resampling: Resampling
) -> Interval:
    """The mean of one value a prompt and seed, as of a new draw of both.

    The part of the prompts is the interval over prompts of their means over seeds
    (`Resampling.mean`). That of the seeds is Student's interval, with one degree of freedom less
    than seeds, of the variance that is left between seeds after what a seed does to single prompts,
    which the prompts' part holds (analysis of variance without replicates, Searle 1971, ch. 9).
    The two are independent, so that their distances from the estimate add as squares (MOVER: Zou &
    Donner 2008, doi:10.1002/sim.3095). docs/statistics.md shows how often it holds the truth.

    Args:
        values: prompts × seeds, NaN where one failed; a prompt without any is left out.
        least: lowest value that there can be; `most` the highest.

    Raises:
        ValueError: fewer than two seeds have values.
        NotEstimable: no prompt has a value.
    """
    # Half a second, which every start of the workflow would pay.
    from scipy.stats import t

    values = values[~np.isnan(values).all(axis=1)]
    values = values[:, ~np.isnan(values).all(axis=0)]
    by_prompt = np.nanmean(values, axis=1)
    prompts = resampling.mean(by_prompt, least, most)
    seeds = values.shape[1]
    if seeds < 2:
        raise ValueError("the spread between seeds takes two seeds or more")
    deviations = values - by_prompt[:, None]
    of_seed = np.nanmean(deviations, axis=0)
    noise = np.nansum((deviations - of_seed) ** 2) / ((len(values) - 1) * (seeds - 1) or 1)
    variance = max(0.0, float(of_seed.var(ddof=1) - noise / len(values)))
    quantile = float(t.ppf((1 + resampling.confidence) / 2, seeds - 1))
    apart = quantile * sqrt(variance / seeds)
    return Interval(
        estimate=prompts.estimate,
        low=max(least, prompts.estimate - hypot(prompts.estimate - prompts.low, apart)),
        high=min(most, prompts.estimate + hypot(prompts.high - prompts.estimate, apart)),
    )
