"""Checks across blocks: names that are used and not defined, settings that contradict."""

from collections import Counter

from limaflow.arms.base import BaseArm
from limaflow.arms.in_context import InContextArm
from limaflow.arms.tuned import TunedArm
from limaflow.config.experiment import Config
from limaflow.mistakes import nearest
from limaflow.sources.kinds import READERS
from limaflow.training.settings import BASE


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
    if any(arm.is_trained for arm in config.arms):
        found.append(("judging.selection.judge", config.judging.selection.judge, "judges"))
    found += [
        ("judging.grades.arms", name, "arms")
        for grades in config.judging.grades
        for name in grades.arms
    ]
    found += [("dialogue.arms", name, "arms") for name in config.dialogue.arms]
    found += [("dialogue.judges", name, "judges") for name in config.dialogue.judges]
    for graded_by, judges in config.safety.graders.items():
        found += [(f"safety.graders.{graded_by}", name, "judges") for name in judges]
    found += [("safety.refusals", name, "sources") for name in config.safety.refusals]
    found += [
        (f"safety.{key}", name, "arms")
        for key, named in (("doses", config.safety.doses), ("labels", config.safety.labels))
        for name in named
    ]
    found += [
        ("benchmarks.human_grades.arm", grades.arm, "arms")
        for grades in config.benchmarks.human_grades
        if grades.arm
    ]
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
        "models": [arm.name for arm in config.arms if arm.model_rule],
        "answering": [
            arm.name
            for arm in config.arms
            if not any(r.listed_in == "answering" for r in arm.references())
        ],
    }
    singular = {kind: kind.removesuffix("s") for kind in known} | {"answering": "answering arm"}
    return [
        f"{place}: no {singular[kind]} is named '{name}'{nearest(name, known[kind])}"
        for place, name, kind in _references(config)
        if name not in known[kind]
    ]


def circular(config: Config) -> list[str]:
    """Arms whose model is made, at some remove, from itself."""
    made_from = {
        arm.name: reference.name or config.analysis.lima_arm
        for arm in config.arms
        for reference in arm.references()
        if reference.listed_in == "models"
    }
    found = []
    for start in made_from:
        path = [start]
        while path[-1] in made_from and path.count(start) < 2 and len(path) <= len(made_from):
            path.append(made_from[path[-1]])
        if path[-1] == start and len(path) > 1:
            found.append(f"arms.{start}: its model is made from itself ({' from '.join(path)})")
    return found[:1]


def _asking_for_bases_template(config: Config) -> list[str]:
    """Where the base model's own chat template is asked for."""
    found = []
    for arm in config.arms:
        if isinstance(arm, BaseArm | InContextArm) and arm.format == "chat":
            found.append(f"arms.{arm.name}.format")
        if arm.started_from is not None:
            continue
        own = isinstance(arm, TunedArm) and arm.training.get("chat_template")
        if arm.is_trained and (own or config.training.chat_template) == BASE:
            key = f"arms.{arm.name}.training" if own else "training"
            found.append(f"{key}.chat_template")
    return list(dict.fromkeys(found))


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
    problems += _lacking(config)
    if config.base.stand_in is not None:
        problems += [
            f"{place}: the stand-in that is pretrained here has no chat template of its own"
            for place in _asking_for_bases_template(config)
        ]
    problems += _dialogue_problems(config)
    measured = {task.removesuffix(".yaml").rpartition("/")[2] for task in config.benchmarks.tasks}
    problems += [
        f"datasets.{dataset.name}.teaches: no task of benchmarks.tasks is named '{task}'"
        f"{nearest(task, sorted(measured))}"
        for dataset in config.datasets
        for task in dataset.teaches
        if task not in measured
    ]
    problems += [
        f"arms.{arm.name}.dataset: the examples of '{arm.shots.dataset}' have no prompts "
        "(prompts: none), so that they show no question to a base"
        for arm in config.arms
        if arm.shots
        and any(d.name == arm.shots.dataset and d.prompts == "none" for d in config.datasets)
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


def _lacking(config: Config) -> list[str]:
    """What is left out, since not every study needs it, and this one does."""
    problems = []
    trained = [arm.name for arm in config.arms if arm.is_trained]
    if trained and not config.prompts.dev:
        problems.append(
            f"prompts.dev: none, and arm '{trained[0]}' is trained: its epoch is chosen by answers "
            "to them"
        )
    if config.uses_base and config.base.path is None and config.base.stand_in is None:
        on_it = [f"arm '{arm.name}'" for arm in config.arms if arm.uses_base]
        problems.append(
            "base: give either path (a hub name or folder) or stand_in, which "
            f"{(on_it or ['token_shift'])[0]} stands on"
        )
    return problems


def _dialogue_problems(config: Config) -> list[str]:
    block, holders = config.dialogue, {"respond", "ask_endpoint"}
    problems = [
        f"dialogue.arms: '{arm.name}' cannot be asked anew, so it holds no dialogue"
        for arm in config.arms
        if arm.name in block.arms and arm.response_rule not in holders
    ]
    if block.scripts and not block.arms:
        problems.append("dialogue.arms: there are scripts, and no arm that holds the dialogues")
    if block.arms and not block.scripts:
        problems.append("dialogue.scripts: there are arms, and no dialogues for them to hold")
    problems += [
        f"dialogue.with_dialogues: '{name}' is not in dialogue.arms"
        for pair in block.with_dialogues.items()
        for name in pair
        if name not in block.arms
    ]
    for pair in block.comparisons:
        of_pair = f"dialogue.comparisons: {pair.first} and {pair.second}"
        if pair.first == pair.second:
            problems.append(f"dialogue.comparisons: '{pair.first}' is compared with itself")
        problems += [
            f"dialogue.comparisons: '{name}' is not in dialogue.arms"
            for name in (pair.first, pair.second)
            if name not in block.arms
        ]
        if sum({pair.first, pair.second} == {p.first, p.second} for p in block.comparisons) > 1:
            problems.append(f"{of_pair} stand twice")
    if block.comparisons and not block.judges:
        problems.append("dialogue.comparisons: dialogue.judges names nobody who compares")
    known = list(config.judging.files)
    problems += [
        f"dialogue.{key}: no instrument of judging.instruments is named "
        f"'{name}'{nearest(name, known)}"
        for key, name in (("instrument", block.instrument), ("compared_by", block.compared_by))
        if name not in known
    ]
    return problems
