"""Every experiment plans to its report, given the raw files that it names."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import TRACKED

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.sources.settings import raw_path

pytestmark = pytest.mark.slow
EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.yaml"))


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without results, in which an empty file stands for each raw one."""
    folder = tmp_path_factory.mktemp("experiments")
    for name in TRACKED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
        copy(root / name, folder / name)
    for overlay in EXPERIMENTS:
        config = parse(merged([root / "config.yaml", overlay]))
        named = [
            raw_path(file, source.name, "raw")
            for source in config.sources
            for files in source.shards.values()
            for file in files
            if file.path
        ]
        for path in (folder / name for name in named if not name.startswith("results/")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


@pytest.mark.parametrize("overlay", EXPERIMENTS, ids=lambda path: path.stem)
def test_it_plans(checkout: Path, overlay: Path) -> None:
    program = Path(sys.executable).with_name("snakemake")
    configured = ["--configfile", f"experiments/{overlay.name}", "--config", "data_root=raw"]
    done = subprocess.run(
        [program, "-n", "-q", "rules", "--cores", "1", *configured],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
