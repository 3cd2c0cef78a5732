"""Which checkpoints count, and what the log keeps of a run that was cut off."""

from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from limaflow.errors import InputError
from limaflow.jsonl import write_json
from limaflow.training.checkpoints import Checkpoint, published, resume_point
from limaflow.training.log import StepLog, StepRow


@pytest.fixture(autouse=True)
def one_of_two_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")


def a_checkpoint(folder: Path, step: int, *, world: int = 2, name: str = "") -> Path:
    path = folder / (name or f"step-{step}")
    path.mkdir(parents=True)
    file = path / "weights.pt"
    torch.save({"weights": torch.zeros(step)}, file)
    write_json(
        path / "checkpoint.json",
        Checkpoint(step=step, world=world, zero_stage=2, bytes={"weights.pt": file.stat().st_size}),
    )
    return path


def test_the_newest_whole_checkpoint_is_taken_whatever_the_mark_says(tmp_path: Path) -> None:
    a_checkpoint(tmp_path, 9)
    a_checkpoint(tmp_path, 10)
    (a_checkpoint(tmp_path, 11) / "weights.pt").write_bytes(b"12345678")
    (a_checkpoint(tmp_path, 12) / "checkpoint.json").unlink()
    a_checkpoint(tmp_path, 13, name=".step-13")
    (tmp_path / "latest").write_text("step-12")
    assert [c.step for c in published(tmp_path)] == [9, 10]
    newest = resume_point(tmp_path, limit=99, zero_stage=2)
    assert newest
    assert newest.step == 10
    # What a kill has left half made or half removed takes no room any longer.
    assert {path.name for path in tmp_path.iterdir()} == {"step-9", "step-10", "latest"}


def test_it_does_not_go_past_an_epoch_that_is_still_to_be_exported(tmp_path: Path) -> None:
    a_checkpoint(tmp_path, 3)
    late = a_checkpoint(tmp_path, 6)
    newest = resume_point(tmp_path, limit=5, zero_stage=2)
    assert newest
    assert newest.step == 3
    assert not late.exists()


def test_nothing_to_go_on_from_is_a_fresh_start(tmp_path: Path) -> None:
    assert resume_point(tmp_path / "checkpoints", limit=9, zero_stage=2) is None


def test_a_checkpoint_of_another_zero_stage_is_refused(tmp_path: Path) -> None:
    kept = a_checkpoint(tmp_path, 3)
    with pytest.raises(InputError, match="at ZeRO stage 2, and stage 3 cannot") as error:
        resume_point(tmp_path, limit=9, zero_stage=3)
    assert "launch.zero_stage 2" in str(error.value)
    assert kept.exists()


def test_what_cannot_be_converted_for_other_processes_is_refused_and_kept(tmp_path: Path) -> None:
    kept = a_checkpoint(tmp_path, 3, world=4)
    with pytest.raises(InputError, match="cannot convert it") as error:
        resume_point(tmp_path, limit=9, zero_stage=2)
    assert "as many processes as before" in str(error.value)
    assert (kept / "weights.pt").exists()


def test_a_damaged_part_is_named_before_it_is_converted(tmp_path: Path) -> None:
    file = a_checkpoint(tmp_path, 3, world=4) / "weights.pt"
    damaged = bytearray(file.read_bytes())
    damaged[damaged.index(b"weights/data") + 100] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(InputError, match=r"step-3: the checkpoint cannot be loaded: weights\.pt"):
        resume_point(tmp_path, limit=9, zero_stage=2)


def row(step: int) -> StepRow:
    return StepRow(
        step=step,
        epoch=1,
        loss=1 / step,
        learning_rate=0.1,
        gradient_norm=1.0,
        tokens_per_second=1.0,
        memory=1.5,
        trained_token_share=0.5,
        padding_share=0.0,
    )


def test_the_log_is_cut_back_to_the_steps_that_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = StepLog(path, 0)
    for step in range(1, 6):
        log.add(row(step))
    log.close()
    whole = path.read_text()
    path.write_text(whole + "6,1,0.1")
    log = StepLog(path, 3)
    log.add(row(4))
    log.add(row(5))
    log.close()
    assert path.read_text() == whole

    # TensorBoard, too, counts each step once: what was past the cut is purged.
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(e.step, round(e.value, 6)) for e in events.Scalars("loss")] == [
        (step, round(1 / step, 6)) for step in range(1, 6)
    ]
