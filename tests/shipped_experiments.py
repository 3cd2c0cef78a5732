"""The experiments of the checkout, and the files that each is made of."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
BELOW = {"miniature-full": "miniature", "miniature-forms": "miniature"}
"""An experiment that is laid over another one."""


def overlays(experiment: Path) -> list[str]:
    """The files of an experiment from the checkout, the lowest first."""
    names = [BELOW[experiment.stem], experiment.stem] if experiment.stem in BELOW else []
    return [f"experiments/{name}.yaml" for name in names or [experiment.stem]]


def config_files(experiment: Path) -> list[Path]:
    """The same after config.yaml."""
    return [ROOT / name for name in ("config.yaml", *overlays(experiment))]
