"""A target for each figure, table and appendix of the paper: what it makes, or what is missing."""

import pytest
from workspace import Workspace

pytestmark = pytest.mark.slow
FORMATS = ("svg", "pdf", "png", "csv", "md", "tex")


def test_each_target_makes_its_own_artifact_and_nothing_else(plans: Workspace) -> None:
    for name in ("fig1", "table1", "claims"):
        assert plans.planned(name) == {f"artifact(artifact={name})"}
    made = ("fig1", "fig2", "fig4", "fig9", "table1", "claims")
    appendices = ("appendix_b", "appendix_c", "appendix_d")
    assert plans.planned("paper") == {
        *(f"artifact(artifact={name})" for name in (*made, *appendices)),
        "whole_paper",
    }


def test_a_target_that_a_study_cannot_make_names_the_missing_key(plans: Workspace) -> None:
    done = plans.done([*plans.command("fig7")[:-2], "-n", "--", "fig7"])
    assert done.returncode != 0
    said = "fig7 cannot be made by miniature: dialogue.scripts and dialogue.arms"
    assert said in done.stdout + done.stderr


def test_a_finished_study_has_an_artifact_in_every_format(workspace: Workspace) -> None:
    done = workspace.run("fig2")
    assert done.returncode == 0, done.stdout + done.stderr
    for end in FORMATS:
        assert (workspace.results / f"artifacts/fig2.{end}").stat().st_size > 0
    text = (workspace.results / "artifacts/fig2.md").read_text(encoding="utf-8")
    assert "| against GPT-4: lose | – |  | 66.0 | arXiv 2305.11206 Figure 2 [P]" in text
    assert "world-truth (simulated), 12 prompts" in text
