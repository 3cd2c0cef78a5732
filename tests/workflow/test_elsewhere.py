"""Results on scratch, the checkout elsewhere: `snakemake --directory`."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from workspace import Workspace, checkout, rules_of

from limaflow.config.merge_configs import merged
from limaflow.curation.ledger import Decision, append
from limaflow.jsonl import write_json
from limaflow.judging.instrument import load
from limaflow.judging.rounds import Key, sealed

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
    assert {"fine_tune", "decide_claims", "html_report"} <= set(rules_of(elsewhere.planned()))
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


def test_decisions_beside_the_results_that_the_ledger_lacks_stop_the_run(
    elsewhere: Workspace,
) -> None:
    stray = elsewhere.work / "experiments/miniature.review.jsonl"
    append(stray, Decision(id="a", decision="keep", reviewer="ann"))
    command = elsewhere.command("curate")
    refused = elsewhere.done([command[0], "-n", *command[1:]])
    assert refused.returncode != 0
    assert f"1 decisions in {stray} are in none of" in refused.stdout + refused.stderr
    stray.rename(elsewhere.folder / "experiments/miniature.review.jsonl")
    assert "apply_review" in rules_of(elsewhere.planned("curate"))


def test_a_round_of_people_beside_the_experiments_is_found(elsewhere: Workspace) -> None:
    beside = elsewhere.folder / "experiments/quality"
    head = load("quality").head
    key = Key(
        seed=1,
        instrument="quality",
        form=head.form,
        scale=head.scale,
        words=head.words,
        template=load("quality").hash,
        comparisons=(("lima",),),
        packets=(),
    )
    write_json(beside / "key.json", sealed(key))
    write_json(beside / "answers/ann.json", {})
    overlay = elsewhere.folder / "people.yaml"
    overlay.write_text("judging: {people: [{folder: experiments/quality}]}\n", encoding="utf-8")
    command = elsewhere.command("judge", overlays=(str(overlay),))
    planned = elsewhere.done([command[0], "-np", *command[1:]])
    [asked] = [line for line in planned.stdout.splitlines() if "annotate import" in line]
    assert f"import {beside}/key.json {beside}/answers/ann.json" in asked
    assert "--responses results/miniature/responses/test/lima.jsonl" in asked
    assert "--prompts results/miniature/curation/prompts/test.jsonl" in asked


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
