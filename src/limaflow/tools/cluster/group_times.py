"""How long the groups of a profile may take: SLURM is asked for the time of all their members."""

from collections.abc import Mapping
from math import ceil

from limaflow.analysis.artifacts.catalogue import ARTIFACTS
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.config.experiment import Config


def jobs_of_rules(config: Config) -> dict[str, int]:
    """The most jobs of each rule that travels in a group; a rule that is not named has one."""
    shards = sum(len(source.shards) for source in config.sources)
    pools = len({config.pool(d.name) for d in config.datasets if d.examples is not None})
    drawn = sum(d.examples is not None for d in config.datasets)
    brought = len(config.datasets) - drawn
    # Without a judge that is served beside them, these are asked from where Snakemake runs.
    holders = len(config.dialogue.arms) if config.dialogue.scripts else 0
    compared = len(config.dialogue.comparisons) if config.dialogue.scripts else 0
    judges = len(config.judges) if any(judge.launcher for judge in config.judges) else 0
    return {
        "extract": shards,
        "filter": shards,
        "deduplicate": pools,
        "decontaminate": pools,
        "sample": drawn,
        "apply_review": drawn,
        "adopt_dataset": brought,
        "contamination": brought,
        "freeze": len(config.datasets),
        "describe": len(config.datasets),
        "grade": judges * len(config.arms) * len(config.judging.instruments),
        "grade_dev": sum(arm.is_trained for arm in config.arms) if judges else 0,
        "grade_dialogues": len(config.dialogue.judges) * holders if judges else 0,
        "compare_dialogues": len(config.dialogue.judges) * compared if judges else 0,
        "grade_items": min(judges, len(config.judging.judges("right-answer")))
        * len(config.benchmarks.arms),
        "grade_sensitive": sum(map(len, config.safety.graders.values())) if judges else 0,
        "by_tag": min(1, len(config.analysis.by_tag)),
        "summarize_token_shift": min(1, len(config.token_shift.arms)),
        "token_shift_page": min(1, len(config.token_shift.arms)),
        "measure_dialogues": min(1, holders),
        "dialogue_preferences": min(1, compared),
        "pairwise_verdicts": judges * len(config.comparisons),
        "figure": len(FIGURES),
        "table": len(TABLES),
        "artifact": len(ARTIFACTS),
    }


def group_minutes(
    config: Config,
    groups: Mapping[str, str],
    components: Mapping[str, int],
    minutes: Mapping[str, int],
) -> dict[str, int]:
    """Group → the sum of its members' times, at the most.

    Args:
        groups: rule → its group.
        components: group → how many chains of jobs it takes together.
        minutes: rule → time of one job.
    """
    jobs = jobs_of_rules(config)
    found: dict[str, int] = {}
    for group in dict.fromkeys(groups.values()):
        rules = [rule for rule, of in groups.items() if of == group]
        counts = {rule: jobs.get(rule, 1) for rule in rules}
        # Chains of jobs that do not meet, such as those of shards, are as many as the first rule's.
        chains = max(counts.values(), default=1)
        share = min(1.0, components.get(group, 1) / max(chains, 1))
        found[group] = sum(
            ceil(share * count) * minutes[rule] for rule, count in counts.items() if count
        )
    return found
