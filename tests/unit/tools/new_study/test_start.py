"""A study to begin with, as `limaflow init own-files` writes it."""

from pathlib import Path

import pytest

from limaflow.config.brought_files import missing_files
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.tools.new_study.start import command, start


def test_its_configuration_is_valid_and_names_files_that_are_there(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = start("own_files", tmp_path / "study")
    config = parse(merged([root / "config.yaml", tmp_path / "study/config.yaml"]))
    monkeypatch.chdir(tmp_path / "study")
    assert missing_files(config, root) == []
    assert len(made) > 8


def test_it_asks_nobody_and_needs_no_model(tmp_path: Path, root: Path) -> None:
    start("own_files", tmp_path / "study")
    config = parse(merged([root / "config.yaml", tmp_path / "study/config.yaml"]))
    assert config.judges == []
    assert not config.uses_base
    assert {arm.response_rule for arm in config.arms} == {"adopt_responses"}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="something here already"):
        start("own_files", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_command_runs_it_from_any_folder(tmp_path: Path) -> None:
    words = command(tmp_path).split()
    assert Path(words[words.index("--snakefile") + 1]).is_file()
    assert words[words.index("--configfile") + 1] == str(tmp_path / "config.yaml")
