"""The licence of a Stack Exchange post: named by the dump, else by the day of writing."""

import pytest

from limaflow.sources.licences import of_post


@pytest.mark.parametrize(
    ("named", "created", "licence"),
    [
        ("", "2011-04-07T23:59:59.999", "CC BY-SA 2.5"),
        ("", "2011-04-08T00:00:00.000", "CC BY-SA 3.0"),
        ("", "2018-05-01T23:59:59.999", "CC BY-SA 3.0"),
        ("", "2018-05-02T00:00:00.000", "CC BY-SA 4.0"),
        ("CC BY-SA 3.0", "2020-01-01T00:00:00.000", "CC BY-SA 3.0"),
        ("", "", ""),
    ],
)
def test_the_day_decides_where_no_licence_is_named(named: str, created: str, licence: str) -> None:
    assert of_post(named, created) == licence
