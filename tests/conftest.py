"""Fixtures that every test may use."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that lie beside the project; never copied into it."""
    folder = ROOT.parent / "shared" / "data"
    assert folder.is_dir(), f"the tests read real data from {folder}"
    return folder
