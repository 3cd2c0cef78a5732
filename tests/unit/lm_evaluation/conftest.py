"""A base model whose context holds the items of real benchmarks."""

from pathlib import Path

import pytest
from tiny_model import written_model


@pytest.fixture(scope="session")
def roomy_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model.json of an untrained Llama with a context of 512 tokens."""
    words = ["What is the right answer among these, and how is it known to be so?"]
    return written_model(tmp_path_factory.mktemp("roomy"), texts=words, context=512)
