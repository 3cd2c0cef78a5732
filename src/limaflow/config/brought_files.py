"""The user's own files that a configuration names, and which of them are missing."""

from collections.abc import Iterator
from pathlib import Path

from limaflow.config.experiment import Config
from limaflow.curation.ledger import files_of, read
from limaflow.judging.instrument import is_instrument_path
from limaflow.manifests import names_a_folder
from limaflow.sources.settings import raw_path, under_root
from limaflow.training.settings import Training

MADE_HERE = "results/"
"""Files below this folder are made by the run itself."""
BESIDE_EXPERIMENTS = "experiments/"
"""Paths that begin so count from the checkout, others from where Snakemake works."""


def place_of(path: str, checkout: Path, work: Path) -> Path:
    """Where a path of the configuration lies.

    Args:
        work: the folder in which Snakemake works, where results lie (`--directory`).
    """
    return (checkout if path.startswith(BESIDE_EXPERIMENTS) else work) / path


def ignored_decisions(config: Config, checkout: Path, work: Path) -> str | None:
    """What is wrong where decisions lie beside the results that the checkout's ledger lacks.

    Raises:
        InputError: one of the ledgers holds a line that is no decision.
    """
    path = config.curation.ledger
    if path is None or not path.startswith(BESIDE_EXPERIMENTS):
        return None
    used, unused = checkout / path, work / path
    known = set(read(files_of(used)).decisions)
    lost = [d for d in read(files_of(unused)).decisions if d not in known]
    if not lost:
        return None
    return (
        f"curation.ledger: {len(lost)} decisions in {unused} are in none of {used}, which is the "
        "ledger, since paths in experiments/ count from the checkout (add those lines to it and "
        "remove the other file, or name the other one in curation.ledger by its absolute path)"
    )


def missing_files(config: Config, checkout: Path) -> list[str]:
    """One line for each file or folder that is named and not there: its key and its path.

    Raw files with a URL and models of the hub are fetched, and so not looked for.

    Args:
        checkout: where paths that begin with `experiments/` lie.
    """
    lines = []
    for key, path in _named(config):
        place = place_of(path, checkout, Path())
        if not path.startswith(MADE_HERE) and not place.exists():
            lines.append(f"{key}: {path}")
    return list(dict.fromkeys(lines))


def _named(config: Config) -> Iterator[tuple[str, str]]:
    """Key and path of everything that the user brings; a ledger may be absent until it is begun."""
    yield from _of_sources(config)
    yield from _of_data(config)
    yield from _of_models(config)
    yield from _of_judging(config)
    for script in config.dialogue.scripts:
        ours = script.startswith((BESIDE_EXPERIMENTS, MADE_HERE))
        yield "dialogue.scripts", script if ours else under_root(script, config.data_root)
    for arm, table in config.safety.labels.items():
        yield f"safety.labels.{arm}", under_root(table, config.data_root)
    for matrices in config.safety.known:
        yield "safety.known", under_root(matrices, config.data_root)
    if config.analysis.answers is not None:
        yield "analysis.answers", under_root(config.analysis.answers, config.data_root)
    if config.benchmarks.include is not None:
        yield "benchmarks.include", config.benchmarks.include
    if config.benchmarks.local_copies is not None:
        copies = under_root(config.benchmarks.local_copies, config.data_root)
        yield "benchmarks.local_copies", copies
    for arm, files in config.benchmarks.recorded.items():
        for file in files:
            yield f"benchmarks.recorded.{arm}", under_root(file.path, config.data_root)
    for grades in config.benchmarks.human_grades:
        yield "benchmarks.human_grades", under_root(grades.path, config.data_root)
    for path in config.benchmarks.contaminated:
        yield "benchmarks.contaminated", under_root(path, config.data_root)


def _of_sources(config: Config) -> Iterator[tuple[str, str]]:
    for source in config.sources:
        for name, files in source.shards.items():
            for file in files:
                if file.path is not None:
                    path = raw_path(file, source.name, config.data_root)
                    yield f"sources.{source.name}.shards.{name}", path


def _of_data(config: Config) -> Iterator[tuple[str, str]]:
    for dataset in config.datasets:
        if dataset.path is not None:
            yield f"datasets.{dataset.name}.path", under_root(dataset.path, config.data_root)
    for split, draws in (("dev", config.prompts.dev), ("test", config.prompts.test)):
        for draw in draws:
            if draw.path is not None:
                yield f"prompts.{split}.path", under_root(draw.path, config.data_root)


def _of_models(config: Config) -> Iterator[tuple[str, str]]:
    base = config.base
    if base.path is not None and names_a_folder(base.path):
        yield "base.path", base.path
    sources = {source.name for source in config.sources}
    for entry in base.stand_in.corpus if base.stand_in else []:
        if entry not in sources:
            yield "base.stand_in.corpus", under_root(entry, config.data_root)
    for arm in config.arms:
        training = arm.training_settings(config.training)
        if arm.is_trained and training.template_file is not None:
            path = template_path(training, config.data_root)
            yield f"arms.{arm.name}: training.chat_template (lima, base, or a file)", path
        for key, path in arm.brought_files(config.data_root).items():
            yield f"arms.{arm.name}.{key}", path


def template_path(training: Training, data_root: str) -> str:
    """Where the file of `training.chat_template` lies: in experiments/, or where data lie."""
    path = training.chat_template
    return path if path.startswith(BESIDE_EXPERIMENTS) else under_root(path, data_root)


def _of_judging(config: Config) -> Iterator[tuple[str, str]]:
    for comparison in config.comparisons:
        for verdicts in comparison.verdicts:
            path = under_root(verdicts.path, config.data_root)
            yield f"comparisons.{comparison.name}.verdicts", path
    for grades in config.judging.grades:
        yield "judging.grades", under_root(grades.path, config.data_root)
    for people in config.judging.people:
        yield "judging.people.folder", people.folder
    for named in config.judging.instruments:
        if is_instrument_path(named):
            ours = named.startswith(BESIDE_EXPERIMENTS)
            yield "judging.instruments", named if ours else under_root(named, config.data_root)
