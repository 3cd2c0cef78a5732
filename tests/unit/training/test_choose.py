"""Which epoch is the model."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from limaflow.errors import InputError
from limaflow.jsonl import read_json, write_json, write_records
from limaflow.records import Grade, ModelManifest
from limaflow.training.choose import choose


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A finished run whose epochs 1 and 2 of 3 are exported."""
    epochs = []
    for epoch in (1, 2, 3):
        model = f"runs/x/exports/epoch-{epoch}/model.json"
        if epoch < 3:
            (tmp_path / model).parent.joinpath("model").mkdir(parents=True)
            manifest = ModelManifest(model="lima", path="model", sha256={"w": str(epoch)})
            write_json(tmp_path / model, manifest)
        loss = {"train_loss": 1.0, "dev_perplexity": 2.0}
        epochs.append({"epoch": epoch, "model": model if epoch < 3 else None, **loss})
    path = tmp_path / "training.json"
    write_json(path, {"arm": "lima", "identity": "x", "epochs": epochs, "log": "x"})
    return path


def graded(folder: Path, epochs: dict[int, list[int | None]]) -> Path:
    """The grades of the dev responses of each epoch, in one file."""
    path = folder / "grades.jsonl"
    grades = [
        Grade(
            prompt_id=str(number),
            sample=0,
            model=f"lima@epoch-{epoch}",
            response_id="r",
            instrument="likert",
            scale="likert-6",
            annotator="judge",
            value=value,
            error=None if value else "unreadable",
        )
        for epoch, values in epochs.items()
        for number, value in enumerate(values)
    ]
    write_records(path, grades)
    return path


def test_the_best_mean_grade_wins_and_the_manifest_tells_all_epochs(
    training: Path, tmp_path: Path
) -> None:
    grades = graded(tmp_path, {1: [3, 4], 2: [5, None, 6]})
    choose("lima", training, grades, tmp_path / "chosen.json")
    chosen = read_json(tmp_path / "chosen.json", ModelManifest)
    assert chosen.model == "lima"
    assert chosen.path == "runs/x/exports/epoch-2/model"
    assert chosen.sha256 == {"w": "2"}
    assert chosen.notes["graded_epochs"] == [
        {"epoch": 1, "mean_grade": 3.5, "graded": 2, "errors": 0},
        {"epoch": 2, "mean_grade": 5.5, "graded": 2, "errors": 1},
    ]
    assert [e["dev_perplexity"] for e in chosen.notes["trained_epochs"]] == [2.0, 2.0, 2.0]


def test_of_equals_the_earlier_epoch_wins_whatever_their_order_in_the_file(
    training: Path, tmp_path: Path
) -> None:
    grades = graded(tmp_path, {2: [4], 1: [4]})
    assert choose("lima", training, grades, tmp_path / "chosen.json").epoch == 1


def test_an_epoch_that_is_mostly_errors_is_no_base_for_a_choice(
    training: Path, tmp_path: Path
) -> None:
    grades = graded(tmp_path, {1: [4, None, None]})
    with pytest.raises(InputError, match="2 of the 3 grades of epoch 1"):
        choose("lima", training, grades, tmp_path / "chosen.json")


@pytest.mark.parametrize("epoch", [3, 7])
def test_grades_of_what_was_not_exported_are_named(
    training: Path, tmp_path: Path, epoch: int
) -> None:
    with pytest.raises(InputError, match=rf"grades.jsonl:1: .*lima@epoch-{epoch}"):
        choose("lima", training, graded(tmp_path, {epoch: [4]}), tmp_path / "chosen.json")


def test_the_size_of_an_adapter_stands_in_the_manifest_and_of_its_values_alone(
    training: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "runs/x/exports/epoch-2/adapter"
    folder.mkdir()
    values = {"a": np.zeros((2, 8), np.float32), "b": np.zeros((8, 1), np.float32)}
    save_file(values, folder / "adapter_model.safetensors")
    choose("lima", training, graded(tmp_path, {1: [3], 2: [5]}), tmp_path / "chosen.json")
    notes = read_json(tmp_path / "chosen.json", ModelManifest).notes
    assert (notes["adapter_values"], notes["adapter_bytes"]) == (24, 96)
    choose("lima", training, graded(tmp_path, {1: [5], 2: [3]}), tmp_path / "chosen.json")
    assert "adapter_bytes" not in read_json(tmp_path / "chosen.json", ModelManifest).notes
