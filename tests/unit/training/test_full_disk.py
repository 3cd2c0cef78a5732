"""A full disk is one clear error, and what was saved before survives; on a real small disk."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from training_runs import fail, finish, saved

from limaflow.training.settings import Launch, Training

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A file system that can be given a size, and another later."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system may be mounted here: {done.stderr}")
        return folder

    if os.geteuid():
        pytest.skip("only root may mount a file system")
    mount("size=700k")
    yield lambda size: mount(f"remount,size={size}")
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_error_and_the_last_checkpoint_survives(
    *, disk: Callable, fine_tune: Callable, settings: Training, launch: Launch, tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    often = launch.model_copy(update={"checkpoint_every_steps": 1})

    # Room for the weights and moments, by which the first save is judged, and for no more.
    output = fail(fine_tune(folder, settings, often, exports="[3]"))
    assert output.count("error: ") == 1
    assert "the checkpoint after step 1 cannot be written" in output
    assert f"{folder}/runs" in output
    assert "it needs about " in output
    assert not saved(folder)

    # Room for two: the third is not begun.
    disk("2200k")
    alone = often.model_copy(update={"processes_per_node": 1})
    output = fail(fine_tune(folder, settings, alone, exports="[3]"))
    assert output.count("error: ") == 1
    assert "no room for a checkpoint: it needs about " in output
    assert "make room and run again" in output
    assert [checkpoint.step for checkpoint in saved(folder)] == [1, 2]

    # Somebody else fills it, but for the checkpoints of three epochs: the export does not fit.
    disk("8m")
    slow = alone.model_copy(update={"checkpoint_every_steps": None, "keep_checkpoints": 10})
    checkpoint = sum(saved(folder)[-1].bytes.values())
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(folder).free - 3 * checkpoint - 150_000))
    output = fail(fine_tune(folder, settings, slow, exports="[3]"))
    assert output.count("\nerror: ") == 1
    assert "the disk has filled up" in output
    assert saved(folder)[-1].step == 9

    ballast.unlink()
    assert "resuming after step 9 of 9" in finish(fine_tune(folder, settings, slow, exports="[3]"))
