"""Summaries that several tests of the analysis begin with."""

import pytest

from limaflow.intervals import Interval
from limaflow.measures.summaries import Agreement


@pytest.fixture
def people_and_models() -> Agreement:
    """Between two groups; ±10 points around 80 %."""
    share = Interval(0.8, 0.7, 0.9)
    return Agreement(
        relation="between",
        first="people",
        second="models",
        annotators=3,
        items=50,
        prompts=50,
        agreement=share,
        tie_discounted=share,
        without_ties=None,
        cohen=None,
        fleiss=None,
        alpha=None,
    )
