"""Fixtures that every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no counterexample.
settings.register_profile("limaflow", deadline=None)
settings.load_profile("limaflow")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that lie beside the project; never copied into it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}")
    return folder
