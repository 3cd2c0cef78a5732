"""A change repeats what depends on it and nothing else: shown by the jobs that a dry run plans."""

import os
import shutil
from pathlib import Path

import pytest
from workspace import Workspace, rules_of

pytestmark = pytest.mark.slow

JUDGED = {
    *("preferences", "agreement", "decide_claims", "figure(figure=preferences)"),
    *("figure(figure=plane)", "table(table=preferences)", "table(table=agreement)"),
    *("table(table=accuracy)", "response_browser", "html_report"),
}


def after_verdicts(jobs: set[str]) -> set[str]:
    """All jobs but those that ask for verdicts, of which there is one at least."""
    asking = {job for job in jobs if job.startswith("pairwise_verdicts(")}
    assert asking
    return jobs - asking


def test_a_finished_study_has_nothing_to_do(finished: Workspace) -> None:
    assert finished.planned() == set()


def test_touched_and_recopied_files_repeat_nothing(workspace: Workspace) -> None:
    for path in (
        "config.yaml",
        "src/limaflow/judging/instruments/pairwise.md",
        "src/limaflow/training/fine_tune.py",
        "results/miniature/datasets/lima/frozen/train.jsonl",
        "results/miniature/world/corpus/pretraining.jsonl",
        "results/miniature/base/model.json",
    ):
        os.utime(workspace.folder / path)
    assert workspace.planned() == set()


def test_a_comment_or_docstring_repeats_nothing(workspace: Workspace) -> None:
    for module in workspace.folder.glob("src/limaflow/**/*.py"):
        text = module.read_text(encoding="utf-8")
        module.write_text(
            "# a remark\n" + text.replace('"""', '"""Reworded. ', 1), encoding="utf-8"
        )
    assert workspace.planned() == set()


def test_the_pairwise_prompt_repeats_verdicts_and_what_follows(workspace: Workspace) -> None:
    path = workspace.folder / "src/limaflow/judging/instruments/pairwise.md"
    path.write_text(path.read_text(encoding="utf-8").replace(".", " indeed.", 1), encoding="utf-8")
    assert after_verdicts(workspace.planned()) == JUDGED


def test_a_hyper_parameter_of_one_arm_repeats_that_arm_alone(workspace: Workspace) -> None:
    workspace.edit(
        "tests/workflow/tiny.yaml",
        "{name: few, kind: tuned, dataset: few}",
        "{name: few, kind: tuned, dataset: few, training: {learning_rate: 2.0e-3}}",
    )
    jobs = workspace.planned()
    assert "fine_tune(arm=few)" in jobs
    of_other_arms = {
        job for job in jobs if "arm=lima" in job or "arm=base" in job or "second=base" in job
    }
    assert of_other_arms == set()
    assert not {job for job in jobs if rules_of({job}).keys() & {"pretrain_stand_in", "freeze"}}


def test_one_sources_filter_repeats_curation_from_there_on(workspace: Workspace) -> None:
    workspace.edit(
        "experiments/miniature.yaml", "max_response_chars: 300", "max_response_chars: 290"
    )
    jobs = workspace.planned()
    filtered = {job for job in jobs if job.startswith("filter(")}
    assert filtered
    assert all("source=stackexchange" in job for job in filtered)
    assert "extract" not in rules_of(jobs)
    assert {"deduplicate", "sample", "fine_tune", "html_report"} <= set(rules_of(jobs))
    assert "pretrain_stand_in" not in rules_of(jobs)
    assert not {job for job in jobs if job.startswith("respond(arm=base)")}


def test_the_recipe_of_training_repeats_training_and_what_follows(workspace: Workspace) -> None:
    workspace.edit("src/limaflow/training/recipe.py", "RECIPE = ", "RECIPE = 1 + ")
    jobs = rules_of(workspace.planned())
    assert jobs["fine_tune"] == 2
    assert not {"filter", "freeze", "pretrain_stand_in", "extract", "miniature_world"} & set(jobs)


def test_judging_code_repeats_verdicts_and_never_training(workspace: Workspace) -> None:
    workspace.edit(
        "src/limaflow/judging/pairwise.py",
        "key=lambda v: (v.prompt_id",
        'key=lambda v: ("", v.prompt_id',
    )
    jobs = workspace.planned()
    assert after_verdicts(jobs) == JUDGED


def test_deleting_one_comparisons_verdicts_repeats_just_those(workspace: Workspace) -> None:
    (workspace.results / "verdicts/world-truth/lima-vs-few.jsonl").unlink()
    jobs = workspace.planned()
    assert {job for job in jobs if "verdicts" in job} == {
        "pairwise_verdicts(judge=world-truth, first=lima, second=few)"
    }
    assert after_verdicts(jobs) == JUDGED


def test_a_stage_target_stops_after_its_stage(workspace: Workspace) -> None:
    shutil.rmtree(workspace.results)
    stages = {
        "curate": ("freeze", "fine_tune"),
        "train": ("choose_checkpoint", "respond"),
        "generate": ("respond", "pairwise_verdicts"),
        "judge": ("pairwise_verdicts", "preferences"),
        "benchmark": ("lm_eval", "tax"),
        "safety": ("measure_safety", "decide_claims"),
        "report": ("html_report", ""),
    }
    for target, (last, after) in stages.items():
        jobs = rules_of(workspace.planned(target))
        assert last in jobs, target
        assert after not in jobs, target


def test_the_number_of_processes_repeats_nothing(workspace: Workspace) -> None:
    workspace.edit("experiments/miniature.yaml", "processes_per_node: 2", "processes_per_node: 1")
    jobs = rules_of(workspace.planned())
    assert set(jobs) <= {"configuration", "html_report", "response_browser"}


def test_a_tolerance_repeats_nothing(workspace: Workspace) -> None:
    overlay = workspace.folder / "tolerances.yaml"
    overlay.write_text(
        "training: {max_trimmed_share: 0.9}\n"
        "generation: {max_length_share: 0.99}\n"
        "judging: {max_error_share: 0.9}\n"
    )
    jobs = rules_of(workspace.planned(overlays=(overlay.name,)))
    assert set(jobs) <= {"configuration", "html_report", "response_browser"}


def test_a_deleted_environment_of_snakemake_repeats_nothing(workspace: Workspace) -> None:
    shutil.rmtree(Path(workspace.folder) / ".snakemake" / "log")
    assert workspace.planned() == set()
