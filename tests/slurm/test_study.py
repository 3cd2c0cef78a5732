"""The whole tiny miniature through profiles/slurm on a real SLURM, trained on two nodes."""

import re

import pytest
from site_of_tests import TARGET, Finished

pytestmark = pytest.mark.slow


def test_the_study_ends_in_its_report_in_few_submissions(finished: Finished) -> None:
    site, text = finished.site, finished.printed
    assert (site.workspace.results / "report/index.html").stat().st_size > 10_000
    submitted = len(re.findall("has been submitted with SLURM jobid", text))
    assert submitted <= 16, f"{submitted} submissions for some 50 jobs"


def test_a_study_finished_there_has_nothing_to_do(finished: Finished) -> None:
    site = finished.site
    done = site.run(options=("-n",))
    assert "Nothing to be done" in done.stdout + done.stderr


def test_training_had_two_nodes_and_a_gpu_on_each(finished: Finished) -> None:
    site = finished.site
    assert site.jobs(None, "%D %b %T") == ["2 gres:gpu:1 COMPLETED"]
    assert "1 process(es) on gpu1" in site.log()
    assert "1 process(es) on gpu2" in site.log()


def test_two_nodes_and_one_node_give_the_same_weights(finished: Finished) -> None:
    site = finished.site
    assert len(finished.weights) == 2
    site.forget_the_model()
    single = site.folder / "single.yaml"
    single.write_text("launch: {nodes: 1, processes_per_node: 2}\n", encoding="utf-8")
    done = site.workspace.run(TARGET, overlays=("tests/slurm/two_nodes.yaml", "single.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.weights() == finished.weights


def test_bad_input_is_submitted_once(finished: Finished) -> None:
    site = finished.site
    site.forget_the_model()
    # No example keeps a trained token.
    short = site.folder / "short.yaml"
    short.write_text("training: {max_tokens: 8, max_trimmed_share: 1.0}\n", encoding="utf-8")
    done = site.run(TARGET, overlays=("short.yaml",))
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert text.count("has been submitted with SLURM jobid") == 1, text
    assert "not sent again, since it would end the same: " in text
    assert "has no trained token" in text
