"""The arms, comparisons and benchmarks that further training seeds add to an experiment.

The first seed keeps the arm's name and files, so that nothing repeats when seeds are added. Each
further one is an arm of its own, which is trained, answers, is judged and measured by the same
rules. Recorded verdicts, recorded benchmark results and rounds of people are about one model, and
stay with the first seed.
"""

from limaflow.arms.arm import ArmSettings
from limaflow.config.experiment import Config
from limaflow.judging.settings import Comparison


def taken_names(config: Config) -> list[str]:
    """Names of arms that further seeds of other arms need."""
    names = {arm.name for arm in config.arms}
    return [
        f"arms: the name '{further.name}' is that of a training seed of arm '{arm.name}'; "
        "rename the arm that has it"
        for arm in config.arms
        for further in arm.further_seeds()
        if further.name in names
    ]


def with_further_seeds(config: Config) -> Config:
    """The configuration with an arm for each further training seed, beside the arm that has it."""
    trained: dict[str, list[ArmSettings]] = {
        arm.name: [arm, *arm.further_seeds()] for arm in config.arms
    }
    if all(len(arms) == 1 for arms in trained.values()):
        return config
    names = {name: [arm.name for arm in arms] for name, arms in trained.items()}
    measured = [
        seed
        for name in config.benchmarks.arms
        for seed in ([name] if name in config.benchmarks.recorded else names[name])
    ]
    return config.model_copy(
        update={
            "arms": [arm for arms in trained.values() for arm in arms],
            "comparisons": [
                of_seeds
                for comparison in config.comparisons
                for of_seeds in _of_seeds(comparison, names)
            ],
            "benchmarks": config.benchmarks.model_copy(update={"arms": measured}),
        }
    )


def _of_seeds(comparison: Comparison, names: dict[str, list[str]]) -> list[Comparison]:
    """The comparison, and the same of further seeds: seed by seed where both arms have several."""
    first, second = names[comparison.first], names[comparison.second]
    if comparison.verdicts:
        return [comparison]
    pairs = list(zip(first, second, strict=False))
    if len(second) == 1:
        pairs = [(name, comparison.second) for name in first]
    elif len(first) == 1:
        pairs = [(comparison.first, name) for name in second]
    return [comparison, *(Comparison(first=one, second=other) for one, other in pairs[1:])]
