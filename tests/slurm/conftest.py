"""One cluster and one finished study for all tests here."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from site_of_tests import Finished, Site
from slurm_cluster import Cluster, missing, running
from workspace import Workspace, checkout


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM with accounting, two nodes with two declared GPUs each, and one without."""
    if lacking := missing():
        pytest.skip(f"no SLURM can be started here; missing: {', '.join(lacking)} (make debian)")
    with running(tmp_path_factory.mktemp("cluster") / "c") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def finished(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Finished:
    """The tiny miniature, run to its report through profiles/slurm."""
    place = tmp_path_factory.mktemp("site")
    folder = checkout(root, place / "limaflow")
    shutil.copytree(root / "tests" / "slurm", folder / "tests" / "slurm")
    # Results on scratch, the code elsewhere.
    (place / "scratch").mkdir()
    site = Site(cluster, Workspace(folder, scratch=place / "scratch"))
    site.fit({})
    done = site.run()
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]
    return Finished(site, done.stdout + done.stderr, site.weights())
