"""Checks across blocks: names that are used and not defined, settings that contradict."""

from collections import Counter

from pydantic import ValidationError

from limaflow.arms.kinds import LOCAL_KINDS, InContextArm, TunedArm
from limaflow.config.experiment import Config
from limaflow.judging.settings import GRADINGS
from limaflow.mistakes import messages, nearest
from limaflow.sources.kinds import READERS
from limaflow.training.settings import Training


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
    for arm in config.arms:
        if isinstance(arm, (TunedArm, InContextArm)):
            found.append((f"arms.{arm.name}.dataset", arm.dataset, "datasets"))
    for comparison in config.comparisons:
        found.append((f"comparisons.{comparison.name}.first", comparison.first, "arms"))
        found.append((f"comparisons.{comparison.name}.second", comparison.second, "arms"))
    found += [("judging.pairwise", name, "judges") for name in config.judging.pairwise]
    for grading in GRADINGS:
        found += [(f"judging.{grading}", n, "judges") for n in config.judging.graders(grading)]
    found.append(("judging.selection", config.judging.selection, "judges"))
    found += [("benchmarks.arms", name, "arms") for name in config.benchmarks.arms]
    found.append(("analysis.lima_arm", config.analysis.lima_arm, "arms"))
    return found


def unknown_names(config: Config) -> list[str]:
    """Names that are used and not defined, each with the nearest that is."""
    known = {
        "sources": [s.name for s in config.sources],
        "datasets": [d.name for d in config.datasets],
        "arms": [a.name for a in config.arms],
        "judges": [j.name for j in config.judges],
    }
    return [
        f"{place}: no {kind[:-1]} is named '{name}'{nearest(name, known[kind])}"
        for place, name, kind in _references(config)
        if name not in known[kind]
    ]


def impossible(config: Config) -> list[str]:
    """Blocks that are valid each and cannot work together."""
    problems = []
    for arm in config.arms:
        if not isinstance(arm, TunedArm):
            continue
        try:
            settings = config.training_of(arm.name)
        except ValidationError as error:
            problems += [
                f"arms.{arm.name}.training.{line}"
                for line in messages(
                    error, Training, {**config.training.model_dump(), **arm.training}
                )
            ]
            continue
        late = [epoch for epoch in config.selection.epochs if epoch > settings.epochs]
        if late:
            problems.append(
                f"selection.epochs: {late} lie after the last of the {settings.epochs} epochs "
                f"of arm '{arm.name}'"
            )
        processes = config.launch.nodes * config.launch.processes_per_node
        if settings.batch_examples % processes:
            problems.append(
                f"training.batch_examples: {settings.batch_examples} examples of arm '{arm.name}' "
                f"cannot be shared evenly by {processes} processes (launch)"
            )
        if settings.precision == "bf16" and config.launch.zero_stage == 0:
            problems.append(
                "launch.zero_stage: stage 0 with bf16 takes an optimizer step of its own when it "
                "starts (DeepSpeed 0.19); use stage 1 to 3, or training.precision fp32"
            )
    problems += [
        f"sources.{s.name}: curation.filters has no block '{s.filter_block}'"
        f"{nearest(s.filter_block, sorted(config.curation.filters))}"
        for s in config.sources
        if s.filter_block not in config.curation.filters
        and (s.filters or not READERS[s.kind].conversations)
    ]
    problems += [
        f"benchmarks.arms: '{name}' is not a model that runs here"
        for name in config.benchmarks.arms
        if any(a.name == name and a.kind not in LOCAL_KINDS for a in config.arms)
    ]
    return list(dict.fromkeys(problems))
