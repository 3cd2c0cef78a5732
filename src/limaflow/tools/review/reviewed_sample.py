"""What is reviewed: the sample of an experiment's data set, or files named one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.config.brought_files import ignored_decisions, place_of
from limaflow.config.experiment import Config
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.settings import Filters
from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.records import Example
from limaflow.results import Results


@dataclass(frozen=True, kw_only=True)
class Material:
    """Examples to be reviewed, and where the decisions go."""

    dataset: str
    sample: Sequence[Example]
    reserve: Sequence[Example]
    ledger: Path
    """A file that all reviewers share (`.jsonl`), or a folder with one a reviewer."""
    seed: int
    filters: Mapping[str, Filters] = field(default_factory=dict)
    """Rules of curation by kind of source."""
    pool: Path | None = None
    """All candidates, where they are known."""
    candidates: Sequence[Path] = ()
    """Their files before any cleaning, where they are there."""


def material_of(
    *,
    experiment: str,
    dataset: str,
    sampled: Path | None,
    reserve: Path | None,
    ledger: Path | None,
    seed: int,
    directory: Path = Path(),
) -> Material:
    """The material that the command line names.

    Raises:
        InputError: it names neither an experiment nor a sample, or both, or what it names is not
            there.
    """
    if sampled is not None:
        if experiment or dataset or directory != Path():
            raise InputError(
                "--sampled stands in place of --experiment, --dataset and --directory",
                fix="give the one or the others",
            )
        return of_files(sampled, reserve, ledger, seed)
    if not experiment:
        raise InputError("nothing to review", fix="give --experiment NAME, or --sampled FILE")
    return of_experiment(experiment, dataset, ledger, directory)


def of_experiment(
    experiment: str, dataset: str, ledger: Path | None, directory: Path = Path()
) -> Material:
    """The material of an experiment: a name (`experiments/<name>.yaml`) or an overlay's path.

    Without `dataset`, the first that is drawn; without `ledger`, the configuration's, where
    Snakemake finds it too.

    Args:
        directory: where results lie, as given to Snakemake's `--directory`; the checkout is here.

    Raises:
        InputError: this is no checkout, no such data set, no ledger, a ledger beside the results
            that Snakemake would ignore, or the sample is not made yet.
    """
    if not Path("config.yaml").is_file():
        raise InputError(
            "no config.yaml here",
            fix="start the command in the checkout; --directory names where results lie",
        )
    overlay = Path(experiment)
    if overlay.suffix not in (".yaml", ".yml"):
        overlay = Path("experiments") / f"{experiment}.yaml"
    config: Config = parse(merged([Path("config.yaml"), overlay]), f"config.yaml + {overlay}")
    drawn = [d.name for d in config.datasets if d.examples is not None]
    name = dataset or next(iter(drawn), "")
    if name not in drawn:
        raise InputError(
            f"the experiment draws no data set '{name}'", fix=f"known: {', '.join(drawn) or 'none'}"
        )
    if ledger is None and config.curation.ledger is None:
        raise InputError(
            "no ledger to write decisions to",
            fix="set curation.ledger in the configuration, or give --ledger FILE.jsonl",
        )
    if ignored := ignored_decisions(config, Path(), directory):
        raise InputError(ignored)
    results = Results(directory / "results" / config.experiment)
    folder = results.dataset(name)
    if not (folder / "sampled.jsonl").is_file():
        sample = Results(Path("results") / config.experiment).dataset(name) / "sampled.jsonl"
        elsewhere = "" if directory == Path() else f"--directory {directory} "
        raise InputError(
            "the sample is not made yet",
            path=folder / "sampled.jsonl",
            fix=f"snakemake {elsewhere}--cores 2 --configfile {overlay} -- {sample} makes it; "
            "--directory names results that lie elsewhere",
        )
    pool = results.pool(str(config.pool(name)))
    candidates = [
        results.candidates(source.name, shard)
        for source in config.sources
        if source.name in (config.dataset(name).examples or {})
        for shard in source.shards
    ]
    return Material(
        dataset=name,
        sample=list(read_records(folder / "sampled.jsonl", Example)),
        reserve=list(read_records(folder / "reserve.jsonl", Example)),
        ledger=ledger or place_of(str(config.curation.ledger), Path(), directory),
        seed=config.seed,
        filters=config.curation.filters,
        pool=pool if pool.is_file() else None,
        candidates=[path for path in candidates if path.is_file()],
    )


def of_files(sampled: Path, reserve: Path | None, ledger: Path | None, seed: int) -> Material:
    """The material in files of one's own; no rules are known of it.

    Raises:
        InputError: no ledger, or a file that holds no examples.
    """
    if ledger is None:
        raise InputError("no ledger to write decisions to", fix="give --ledger FILE.jsonl")
    return Material(
        dataset=sampled.stem,
        sample=list(read_records(sampled, Example)),
        reserve=list(read_records(reserve, Example)) if reserve else [],
        ledger=ledger,
        seed=seed,
    )
