"""Checks across blocks: names that are used and not defined, settings that contradict."""

from collections import Counter

from limaflow.config.experiment import Config
from limaflow.mistakes import nearest
from limaflow.sources.kinds import READERS


def repeated_names(config: Config) -> list[str]:
    """Names that two entries of one list have."""
    lists: dict[str, list[str]] = {
        "sources": [s.name for s in config.sources],
        "datasets": [d.name for d in config.datasets],
        "arms": [a.name for a in config.arms],
        "judges": [j.name for j in config.judges],
        "comparisons": [c.name for c in config.comparisons],
    }
    return [
        f"{key}: the name '{name}' stands twice"
        for key, names in lists.items()
        for name, count in Counter(names).items()
        if count > 1
    ]


def _references(config: Config) -> list[tuple[str, str, str]]:
    """Every place that names something: (place, name, list it must be in)."""
    found = [
        (f"datasets.{d.name}.examples", source, "sources")
        for d in config.datasets
        for source in d.examples or {}
    ]
    for split, draws in (("dev", config.prompts.dev), ("test", config.prompts.test)):
        found += [(f"prompts.{split}.source", d.source, "sources") for d in draws if d.source]
    found += [
        (
            f"arms.{arm.name}.{reference.key}",
            reference.name or config.analysis.lima_arm,
            reference.listed_in,
        )
        for arm in config.arms
        for reference in arm.references()
    ]
    for comparison in config.comparisons:
        found.append((f"comparisons.{comparison.name}.first", comparison.first, "arms"))
        found.append((f"comparisons.{comparison.name}.second", comparison.second, "arms"))
    for instrument, judges in config.judging.instruments.items():
        found += [(f"judging.instruments.{instrument}", name, "judges") for name in judges]
    found.append(("judging.selection.judge", config.judging.selection.judge, "judges"))
    found += [("benchmarks.arms", name, "arms") for name in config.benchmarks.arms]
    found += [("token_shift.arms", name, "arms") for name in config.token_shift.arms]
    found.append(("analysis.lima_arm", config.analysis.lima_arm, "arms"))
    return found


def unknown_names(config: Config) -> list[str]:
    """Names that are used and not defined, each with the nearest that is."""
    known = {
        "sources": [s.name for s in config.sources],
        "datasets": [d.name for d in config.datasets],
        "arms": [a.name for a in config.arms],
        "judges": [j.name for j in config.judges],
        "models": [
            arm.name
            for arm in config.arms
            if arm.model_rule and not any(r.listed_in == "models" for r in arm.references())
        ],
    }
    return [
        f"{place}: no {kind[:-1]} is named '{name}'{nearest(name, known[kind])}"
        for place, name, kind in _references(config)
        if name not in known[kind]
    ]


def impossible(config: Config) -> list[str]:
    """Blocks that are valid each and cannot work together."""
    problems = [
        problem
        for arm in config.arms
        for problem in arm.problems(
            config.training, config.preference, config.launch, config.selection
        )
    ]
    problems += [
        f"sources.{s.name}: curation.filters has no block '{s.filter_block}'"
        f"{nearest(s.filter_block, sorted(config.curation.filters))}"
        for s in config.sources
        if s.filter_block not in config.curation.filters
        and (s.filters or not READERS[s.kind].conversations)
    ]
    problems += [
        f"benchmarks.arms: '{name}' is not a model that runs here"
        for name in config.benchmarks.measured_arms
        if any(a.name == name and not a.runs_here for a in config.arms)
    ]
    problems += [
        f"comparisons.{c.name}: an arm is compared with itself"
        for c in config.comparisons
        if c.first == c.second
    ]
    problems += [
        f"token_shift.arms: '{name}' has no model of its own that runs here in a chat template, "
        "so that its tokens cannot be looked up in the base"
        for name in config.token_shift.arms
        if any(a.name == name and a.prompt_format != "chat" for a in config.arms)
    ]
    problems += [
        f"token_shift.arms: '{name}' stands twice"
        for name, count in Counter(config.token_shift.arms).items()
        if count > 1
    ]
    chosen, instruments = config.judging.selection.instrument, list(config.judging.files)
    if chosen not in instruments:
        problems.append(
            f"judging.selection.instrument: no instrument of judging.instruments is named "
            f"'{chosen}'{nearest(chosen, instruments)}"
        )
    return list(dict.fromkeys(problems))
