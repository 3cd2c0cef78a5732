"""Results on scratch, the checkout elsewhere: `snakemake --directory`."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from workspace import Workspace, checkout, rules_of

from limaflow.config.merge_configs import merged

pytestmark = pytest.mark.slow


@pytest.fixture
def elsewhere(root: Path, tmp_path: Path) -> Workspace:
    """A checkout that nothing was run in, and an empty folder on scratch."""
    (tmp_path / "scratch").mkdir()
    return Workspace(checkout(root, tmp_path / "limaflow"), scratch=tmp_path / "scratch")


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_a_study_runs_there_and_leaves_the_checkout_as_it_was(
    elsewhere: Workspace, root: Path
) -> None:
    few_sources = str(root / "tests/slurm/two_nodes.yaml")
    before = files_in(elsewhere.folder)
    assert {"fine_tune", "claims", "html_report"} <= set(rules_of(elsewhere.planned()))
    done = elsewhere.run("curate", overlays=(few_sources,))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    page = elsewhere.results / "datasets/lima/frozen/index.html"
    assert page.stat().st_size > 10_000
    assert elsewhere.planned("curate", overlays=(few_sources,)) == set()
    assert files_in(elsewhere.folder) == before


def test_files_beside_the_experiments_are_the_checkouts_and_data_the_users(
    elsewhere: Workspace,
) -> None:
    raw = elsewhere.work / "mine/Posts.xml"
    raw.parent.mkdir()
    raw.touch()
    beside = elsewhere.folder / "experiments"
    (beside / "stackexchange-beer.review.jsonl").touch()
    (elsewhere.folder / "mine.yaml").write_text(
        "data_root: mine\n"
        "sources: [{name: beer, kind: stackexchange, shards: {beer: [{path: Posts.xml}]}}]\n"
        "base: {stand_in: {corpus: [beer]}}\n",
        encoding="utf-8",
    )
    overlays = ("experiments/stackexchange-beer.yaml", "mine.yaml")
    command = Workspace(elsewhere.folder, overlays, elsewhere.scratch).command()
    done = elsewhere.done([command[0], "-np", *command[1:]])
    text = done.stdout + done.stderr
    assert f"--ledger {beside}/stackexchange-beer.review.jsonl" in text
    assert f"--include {beside}/tasks" in text
    assert " mine/Posts.xml " in text


def test_another_workflow_takes_the_study_as_a_module(root: Path, tmp_path: Path) -> None:
    files = [root / "config.yaml", root / "experiments/miniature.yaml"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(merged(files)))
    (tmp_path / "Snakefile").write_text(
        'configfile: "mine.yaml"\n\n'
        f'module limaflow:\n    snakefile: "{root}/Snakefile"\n    config: config\n\n'
        "use rule * from limaflow as limaflow_*\n\n"
        'rule mine:\n    default_target: True\n    input: "results/miniature/analysis/tax.json"\n'
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), "-n"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "limaflow_lm_eval" in done.stdout + done.stderr
