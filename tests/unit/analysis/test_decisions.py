"""A claim is decided only by an interval that lies wholly on one side."""

from hypothesis import given
from hypothesis import strategies as st

from limaflow.analysis.decision_rules import above, below, every, no_loss, within
from limaflow.intervals import Interval

numbers = st.floats(-10, 10)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, estimate, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Interval(estimate, low, high)


@given(intervals(), numbers)
def test_above_is_decided_by_both_ends(interval: Interval, bound: float) -> None:
    assert (above(interval, bound) == "supported") == (interval.low > bound)
    assert (above(interval, bound) == "contradicted") == (interval.high < bound)


@given(intervals(), numbers)
def test_below_is_above_turned_round(interval: Interval, bound: float) -> None:
    turned = Interval(-interval.estimate, -interval.high, -interval.low)
    assert below(interval, bound) == above(turned, -bound)


@given(intervals(), numbers)
def test_an_interval_that_holds_the_bound_decides_nothing(interval: Interval, bound: float) -> None:
    if interval.low <= bound <= interval.high:
        assert above(interval, bound) == "undecided"


@given(intervals(), st.floats(0, 5))
def test_no_difference_needs_more_than_an_interval_that_holds_zero(
    interval: Interval, margin: float
) -> None:
    supported = within(interval, -margin, margin) == "supported"
    assert supported == (-margin <= interval.low and interval.high <= margin)


def test_a_sure_loss_contradicts_however_small() -> None:
    assert no_loss(Interval(-0.002, -0.003, -0.001), margin=0.02) == "contradicted"
    assert no_loss(Interval(0.0, -0.01, 0.01), margin=0.02) == "supported"
    assert no_loss(Interval(0.0, -0.05, 0.05), margin=0.02) == "undecided"


def test_several_measurements_must_all_support_and_fall_with_one() -> None:
    assert every(["supported", "supported"]) == "supported"
    assert every(["supported", "undecided"]) == "undecided"
    assert every(["supported", "undecided", "contradicted"]) == "contradicted"
    assert every([]) == "not tested here"
