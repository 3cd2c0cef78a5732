"""What identifies a run, and who may write it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_records
from limaflow.manifests import adopt, read_manifest
from limaflow.records import Example, Provenance
from limaflow.training import job as job_module
from limaflow.training.job import Job, check, identity_of
from limaflow.training.manifest import epochs_in
from limaflow.training.recipe import RECIPE
from limaflow.training.settings import Launch, Training


@pytest.fixture
def a_job(
    tiny_base: Path, tiny_examples: Path, settings: Training, launch: Launch, tmp_path: Path
) -> Job:
    shutil.copytree(tiny_base.parent, tmp_path / "base")
    shutil.copytree(tiny_examples, tmp_path / "data")
    return Job(
        arm="lima",
        base=tmp_path / "base" / "model.json",
        data=tmp_path / "data" / "train.jsonl",
        dev=tmp_path / "data" / "dev.jsonl",
        settings=settings,
        launch=launch,
        export_epochs=(1, 3),
        seed=1,
        run_folder=tmp_path / "runs",
        output=tmp_path / "training.json",
    )


CHANGES: list[Callable[[Job], Job]] = [
    lambda job: replace(job, seed=2),
    lambda job: replace(job, settings=job.settings.model_copy(update={"learning_rate": 0.5})),
    lambda job: _rewritten(job, job.data, lambda rows: rows[:-1]),
    lambda job: _rewritten(job, job.data, lambda rows: rows[::-1]),
    lambda job: _rewritten(job, job.dev, lambda rows: rows[:-1]),
    lambda job: _shortened(job, job.base.parent / "model" / "model.safetensors"),
]


def _shortened(job: Job, file: Path) -> Job:
    file.write_bytes(file.read_bytes()[:-1])
    return job


def _rewritten(job: Job, file: Path, change: Callable[[list[Example]], list[Example]]) -> Job:
    write_records(file, change(list(read_records(file, Example))))
    return job


@pytest.mark.parametrize("change", CHANGES)
def test_all_that_the_weights_depend_on_is_in_the_identity(
    a_job: Job, change: Callable[[Job], Job]
) -> None:
    before = identity_of(a_job)
    assert identity_of(change(a_job)) != before


def test_the_launch_the_name_and_the_exports_are_not_in_the_identity(a_job: Job) -> None:
    other = replace(
        a_job,
        arm="other",
        export_epochs=(2,),
        launch=a_job.launch.model_copy(update={"zero_stage": 3, "processes_per_node": 1}),
    )
    assert identity_of(other) == identity_of(a_job)


def test_where_an_example_comes_from_is_not_in_the_identity(a_job: Job) -> None:
    before = identity_of(a_job)
    origin = Provenance(licence="CC BY-SA 4.0")
    _rewritten(a_job, a_job.data, lambda rows: [replace(row, provenance=origin) for row in rows])
    assert "CC BY-SA 4.0" in a_job.data.read_text()
    assert identity_of(a_job) == before


def test_code_is_in_the_identity_by_the_version_of_its_recipe(
    a_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identity_of(a_job)
    monkeypatch.setattr(job_module, "RECIPE", RECIPE + 1)
    assert identity_of(a_job) != before


def test_a_tolerance_is_not_in_the_identity(a_job: Job) -> None:
    lenient = a_job.settings.model_copy(update={"max_trimmed_share": 1.0})
    assert identity_of(replace(a_job, settings=lenient)) == identity_of(a_job)


def test_what_cannot_work_is_refused(a_job: Job) -> None:
    check(a_job)
    with pytest.raises(InputError, match=r"\[4\] lie outside the 3 epochs"):
        check(replace(a_job, export_epochs=(1, 4)))
    stage_0 = a_job.launch.model_copy(update={"zero_stage": 0})
    bf16 = a_job.settings.model_copy(update={"precision": "bf16"})
    with pytest.raises(InputError, match="stage 0 in bf16"):
        check(replace(a_job, launch=stage_0, settings=bf16))
    assert epochs_in("[5, 10]", "--epochs") == (5, 10)
    with pytest.raises(InputError, match="--epochs is not a JSON list"):
        epochs_in("5,10", "--epochs")


def test_a_model_that_the_user_brings_is_named_and_a_missing_one_refused(
    tiny_base: Path, tmp_path: Path
) -> None:
    output = tmp_path / "chosen.json"
    adopt("mine", str(tiny_base.parent / "model"), None, output)
    manifest, location = read_manifest(output)
    assert location == str((tiny_base.parent / "model").resolve())
    assert "model.safetensors" in manifest.sha256
    adopt("theirs", "someone/model", "v2", output)
    assert read_manifest(output)[1] == "someone/model"
    for wrong in ("/nowhere/model", "./nowhere", str(tmp_path)):
        with pytest.raises(InputError, match=r"no such folder|no config\.json"):
            adopt("mine", wrong, None, output)
