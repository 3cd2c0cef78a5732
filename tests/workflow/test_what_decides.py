"""What really changes decides what is repeated: by dry runs over empty files."""

import fcntl
import json
import re
import shutil
from pathlib import Path

import pytest
from workspace import Workspace, checkout, rules_of

pytestmark = pytest.mark.slow
NAMING = {"configuration", "html_report", "response_browser"}
"""The jobs that show the configuration itself."""


def trained(workspace: Workspace, *arms: str) -> None:
    """Give the arms a finished run, of the present code, in place of an empty training.json."""
    from limaflow.training.run_code import note_code

    for arm in arms:
        models = workspace.results / "models" / arm
        (models / "runs/1f").mkdir(parents=True)
        note_code(models / "runs/1f")
        manifest = {"arm": arm, "identity": "1f", "epochs": [], "log": "log.csv"}
        (models / "training.json").write_text(json.dumps(manifest), encoding="utf-8")
    workspace.touch()


def test_training_code_of_the_same_recipe_is_a_warning_that_names_it(plans: Workspace) -> None:
    trained(plans, "lima", "few")
    plans.edit("src/limaflow/training/schedule.py", "return settings", "return 1.0 * settings")
    command = plans.command()
    done = plans.done([command[0], "-n", *command[1:]])
    assert "Nothing to be done" in done.stdout + done.stderr
    named = "lima, few: training.schedule.learning_rate. The models stay"
    assert (done.stdout + done.stderr).count(named) == 1
    plans.edit("src/limaflow/training/recipe.py", "RECIPE = ", "RECIPE = 1 + ")
    assert rules_of(plans.planned())["fine_tune"] == 2


def test_forced_trainings_are_asked_for_anew_and_a_plan_asks_for_nothing(
    plans: Workspace,
) -> None:
    trained(plans, "lima", "few")
    request = plans.results / "models/lima/runs/1f/train-anew"
    command = plans.command()
    forced = ["--forcerun", "fine_tune"]
    plans.done([command[0], "-n", *forced, *command[1:]])
    assert not request.exists()
    # A training of no data fails; it has been asked for all the same.
    shutil.rmtree(plans.results / "base")
    plans.done([command[0], *forced, *command[1:]])
    assert request.exists()


def test_a_further_training_seed_repeats_nothing_of_the_first(plans: Workspace) -> None:
    plans.edit(
        "tests/workflow/tiny.yaml",
        "{name: lima, kind: tuned, dataset: lima}",
        "{name: lima, kind: tuned, dataset: lima, seeds: [1, 2]}",
    )
    jobs = plans.planned()
    of_the_seed = {job for job in jobs if "lima-seed2" in job}
    assert rules_of(of_the_seed) == {
        **dict.fromkeys(("fine_tune", "respond_dev", "grade_dev", "choose_checkpoint"), 1),
        **{"respond": 1, "grade": 1, "lm_eval": 1, "pairwise_verdicts": 3},
    }
    # No summary of the first seed changes; claims learn how many seeds there are.
    assert jobs - of_the_seed - NAMING == {
        "training_seeds",
        "figure(figure=seeds)",
        "decide_claims",
    }


def test_from_five_training_seeds_on_summaries_are_over_all_of_them(plans: Workspace) -> None:
    plans.edit(
        "tests/workflow/tiny.yaml",
        "{name: lima, kind: tuned, dataset: lima}",
        "{name: lima, kind: tuned, dataset: lima, seeds: [1, 2, 3, 4, 5]}",
    )
    jobs = plans.planned()
    assert {"preferences", "grades", "tax"} <= jobs
    assert rules_of(jobs)["fine_tune"] == 4
    assert not {job for job in jobs if job.endswith("arm=lima)")}
    command = plans.command("results/miniature/analysis/tax.json")
    [tax] = re.findall("analyze tax .*", plans.done([command[0], "-np", *command[1:]]).stdout)
    for seed in ("lima", "lima-seed2", "lima-seed5"):
        assert f"--seeds lima=results/miniature/benchmarks/{seed}/items.jsonl" in tax


def test_an_identical_second_checkout_repeats_nothing(
    plans: Workspace, root: Path, tmp_path: Path
) -> None:
    second = checkout(root, tmp_path / "second")
    assert Workspace(second, scratch=plans.folder).planned() == set()


def test_a_sources_licence_reads_no_raw_file_again(plans: Workspace) -> None:
    plans.edit(
        "experiments/miniature.yaml",
        "  - name: authored-a\n",
        "  - name: authored-a\n    licence: CC0\n",
    )
    jobs = rules_of(plans.planned())
    assert jobs["freeze"] == 2
    assert not {"extract", "filter", "deduplicate", "decontaminate", "sample"} & set(jobs)


def test_the_words_of_an_error_repeat_nothing(plans: Workspace) -> None:
    plans.edit("src/limaflow/jsonl.py", '"no such file"', '"there is no such file"')
    assert plans.planned() == set()


def test_a_limit_of_the_benchmarks_repeats_their_runs_alone(plans: Workspace) -> None:
    (plans.folder / "limit.yaml").write_text("benchmarks: {limit: 11}\n")
    jobs = rules_of(plans.planned(overlays=("limit.yaml",)))
    after = {"tax", "decide_claims", "figure", "table"} | NAMING
    assert jobs["lm_eval"] == 3
    assert set(jobs) <= {"lm_eval"} | after


@pytest.mark.parametrize("change", ["few_shot: 1", "formats: [plain]"])
def test_how_benchmarks_are_asked_repeats_their_runs(plans: Workspace, change: str) -> None:
    (plans.folder / "asked.yaml").write_text(f"benchmarks: {{{change}}}\n")
    assert rules_of(plans.planned(overlays=("asked.yaml",)))["lm_eval"] > 0


def test_an_added_benchmark_reads_no_raw_file_and_no_other_model_again(plans: Workspace) -> None:
    """What follows the guard against contamination is planned; where the pool stays the same, its
    trainings and responses end at once (their identities)."""
    (plans.folder / "task.yaml").write_text("benchmarks: {tasks: [miniature_facts, arc_easy]}\n")
    jobs = plans.planned(overlays=("task.yaml",))
    assert not {"extract", "filter", "deduplicate", "pretrain_stand_in", "hold_out"} & set(
        rules_of(jobs)
    )
    assert "respond(arm=base)" not in jobs


def test_a_changed_title_is_told_in_few_words_and_may_hold_braces(plans: Workspace) -> None:
    (plans.folder / "title.yaml").write_text('title: "{x}\'s {{y}} $(touch pwned)"\n')
    command = plans.command(overlays=("title.yaml",))
    done = plans.done([command[0], "-n", *command[1:]])
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert "{x}" in text
    assert len(text) < 12_000, len(text)
    ran = plans.done(plans.command("results/miniature/config.json", overlays=("title.yaml",)))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    written = json.loads((plans.results / "config.json").read_text(encoding="utf-8"))
    assert written["title"] == "{x}'s {{y}} $(touch pwned)"
    assert not (plans.folder / "pwned").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training:\n  epochs: 3\n  epochs: 4\n", "faulty.yaml:3: not YAML: the key 'epochs'"),
        ("", "Config file must be given as JSON or YAML with keys at top level"),
    ],
)
def test_a_faulty_file_stops_snakemake_too(plans: Workspace, text: str, message: str) -> None:
    (plans.folder / "faulty.yaml").write_text(text)
    command = plans.command(overlays=("faulty.yaml",))
    done = plans.done([command[0], "-n", *command[1:]])
    assert done.returncode == 1
    assert message in done.stdout + done.stderr


def test_two_flags_of_configuration_files_are_refused(plans: Workspace) -> None:
    command = plans.command()
    place = command.index("--configfile")
    doubled = [*command[: place + 2], "--configfile", *command[place + 2 :]]
    done = plans.done([doubled[0], "-n", *doubled[1:]])
    assert done.returncode == 1
    assert "--configfile stands twice" in done.stdout + done.stderr


def test_another_run_in_the_folder_is_refused_and_a_plan_is_not(plans: Workspace) -> None:
    with (plans.folder / ".snakemake.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (plans.results / "config.json").unlink()
        done = plans.done(plans.command("results/miniature/config.json"))
        assert done.returncode != 0
        assert "another run works in this folder" in done.stdout + done.stderr
        assert plans.planned("results/miniature/config.json") == {"configuration"}
    done = plans.done(plans.command("results/miniature/config.json"))
    assert done.returncode == 0, done.stdout + done.stderr
