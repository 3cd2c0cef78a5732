"""Every experiment plans to its report, given the raw files that it names."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shipped_experiments import EXPERIMENTS, config_files, overlays
from workspace import TRACKED

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.sources.settings import raw_path

pytestmark = pytest.mark.slow
LARGE = next(path for path in EXPERIMENTS if path.stem == "miniature-full")


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without results, in which an empty file stands for each raw one."""
    folder = tmp_path_factory.mktemp("experiments")
    for name in TRACKED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
        copy(root / name, folder / name)
    for overlay in EXPERIMENTS:
        config = parse(merged(config_files(overlay)))
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


def plan(checkout: Path, *configfiles: str, options: tuple[str, ...] = ()) -> str:
    program = Path(sys.executable).with_name("snakemake")
    configured = ["--configfile", *configfiles, "--config", "data_root=raw"]
    done = subprocess.run(
        [program, "-n", *options, "--cores", "1", *configured],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("overlay", EXPERIMENTS, ids=lambda path: path.stem)
def test_it_plans(checkout: Path, overlay: Path) -> None:
    plan(checkout, *overlays(overlay), options=("-q", "rules"))


def test_without_benchmark_tasks_nothing_is_measured_and_curation_stands(checkout: Path) -> None:
    overlay = checkout / "without-benchmarks.yaml"
    overlay.write_text("benchmarks: {tasks: []}")
    planned = plan(checkout, "experiments/miniature.yaml", overlay.name, options=("-p",))
    assert "curate decontaminate" in planned
    for absent in ("limaflow benchmark", "--benchmark-texts", "rule lm_eval", "rule tax"):
        assert absent not in planned


def test_a_misspelt_benchmark_task_is_told_before_anything_is_planned(
    checkout: Path, tmp_path: Path
) -> None:
    overlay = tmp_path / "misspelt.yaml"
    overlay.write_text('benchmarks: {tasks: ["miniature_fatcs$(touch made-by-a-name)"]}\n')
    program = Path(sys.executable).with_name("snakemake")
    files = ["config.yaml", "experiments/miniature.yaml", overlay]
    done = subprocess.run(
        [program, "-n", "--cores", "1", "--configfile", *files],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no task is named 'miniature_fatcs$(touch" in done.stdout + done.stderr
    assert not (checkout / "made-by-a-name").exists()


def test_a_chat_template_that_is_none_is_told_before_anything_is_planned(
    checkout: Path, tmp_path: Path
) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}\n{{ m.content }")
    overlay = tmp_path / "templated.yaml"
    overlay.write_text(f"training: {{chat_template: {template}}}\n")
    program = Path(sys.executable).with_name("snakemake")
    files = ["config.yaml", "experiments/smollm2-135m.yaml", overlay]
    done = subprocess.run(
        [program, "-n", "--cores", "1", "--configfile", *files],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"training.chat_template of 'lima': {template}:2: " in done.stdout + done.stderr


def test_the_large_miniature_holds_the_sweeps_and_the_ablation(root: Path) -> None:
    config = parse(merged([root / "config.yaml", *(root / n for n in overlays(LARGE))]))
    sizes = {
        arm.name: sum(number for number in drawn.values() if number != "all")
        for arm in config.as_written.arms
        if arm.kind == "tuned" and (drawn := config.dataset(arm.dataset).examples)
    }
    same_steps = {"hundred-equal-steps": 100, "fifty-equal-steps": 50, "few-equal-steps": 25}
    quantity = {"hundred": 100, "fifty": 50, "few": 25, **same_steps}
    style = {"responses": 400, "longest": 400, "taught": 480, "lora-1": 400, "lora-16": 400}
    refusals = {f"refusals-{dose}": 400 + dose for dose in (13, 30, 100)}
    assert {name for name in sizes if config.differs_in_refusals(name)} == {"lima", *refusals}
    assert all(len(config.further_seeds(name)) == 1 for name in refusals)
    assert sizes == {
        "lima": 400,
        "lima-dialogues": 430,
        "unfiltered": 400,
        **quantity,
        **style,
        **refusals,
    }
    assert {name for name in sizes if config.is_ablation(name)} == quantity.keys()
    # Equal steps beside equal epochs, so that quantity is not told from the steps alone.
    steps = {a: -(-sizes[a] // config.training_of(a).batch_examples) for a in ("lima", *same_steps)}
    assert set(steps.values()) == {steps["lima"]}
    assert [name for name in sizes if config.is_unfiltered(name)] == ["unfiltered"]
    assert {c.second for c in config.comparisons} >= sizes.keys() - {"lima"}
    # Nothing of it lies in the demo's folder.
    text = LARGE.read_text(encoding="utf-8")
    assert "results/miniature/" not in text
    assert config.experiment == LARGE.stem


def test_make_names_the_experiments_to_one_who_mistypes(root: Path) -> None:
    done = subprocess.run(
        ["make", "-o", ".venv/.complete", "demo", "EXPERIMENT=minature"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no experiment is named 'minature'" in done.stdout
    assert "llama-7b" in done.stdout
    assert "miniature-full" in done.stdout
