"""The arms of an entry that lists values of a key, such as the shares of averages.

In comparisons and among the arms that are measured, the entry's name stands for each of them.
"""

from limaflow.config.experiment import Config


def recorded_of_several(config: Config) -> list[str]:
    """Recorded verdicts and results that are of one model, and name an entry of several."""
    several = {
        entry.name: ", ".join(arm.name for arm in entry.each())
        for entry in config.arms
        if len(entry.each()) > 1
    }
    found = [
        (f"comparisons.{comparison.name}.verdicts", name)
        for comparison in config.comparisons
        if comparison.verdicts
        for name in (comparison.first, comparison.second)
    ]
    found += [("benchmarks.recorded", name) for name in config.benchmarks.recorded]
    return [
        f"{place}: '{name}' stands for several arms; name one of {several[name]}"
        for place, name in found
        if name in several
    ]


def with_each_arm(config: Config) -> Config:
    """The configuration with an arm for each listed value, in place of the entry."""
    arms = {arm.name: arm.each() for arm in config.arms}
    names = {name: [arm.name for arm in each] for name, each in arms.items()}
    if all(each == [name] for name, each in names.items()):
        return config
    return config.model_copy(
        update={
            # By entry and not by name, so that a name that stands twice is found.
            "arms": [arm for entry in config.arms for arm in entry.each()],
            "comparisons": [
                comparison.model_copy(update={"first": first, "second": second})
                for comparison in config.comparisons
                for first in names.get(comparison.first, [comparison.first])
                for second in names.get(comparison.second, [comparison.second])
                if first != second or comparison.first == comparison.second
            ],
            "benchmarks": config.benchmarks.model_copy(
                update={
                    "arms": [
                        name
                        for entry in config.benchmarks.arms
                        for name in names.get(entry, [entry])
                    ]
                }
            ),
        }
    )
