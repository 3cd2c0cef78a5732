"""The table of Stack Exchange sites, and the shorthand that reads it."""

from typing import Any

import pytest
from pydantic import ValidationError

from limaflow.sources.settings import SOURCE_BLOCKS, Source
from limaflow.sources.sites import archive_of, groups, site_of

STACKEXCHANGE = SOURCE_BLOCKS["stackexchange"]


def test_the_groups_have_the_papers_sizes_and_share_no_site() -> None:
    assert {name: len(sites) for name, sites in groups().items()} == {
        "stem": 75,
        "other": 99,
        "dropped": 5,
    }
    assert len({site for sites in groups().values() for site in sites}) == 179


@pytest.mark.parametrize(
    ("shard", "site"),
    [
        ("beer", "beer.stackexchange.com"),
        ("beer-meta", "beer.meta.stackexchange.com"),
        ("stackoverflow", "stackoverflow.com"),
        ("pt-stackoverflow", "pt.stackoverflow.com"),
        ("mathoverflow", "mathoverflow.net"),
    ],
)
def test_the_shards_name_gives_the_site(shard: str, site: str) -> None:
    assert site_of(shard) == site


def test_every_site_has_one_archive_and_stack_overflow_has_one_for_posts() -> None:
    assert archive_of("physics") == "physics.stackexchange.com.7z"
    assert archive_of("stackoverflow") == "stackoverflow.com-Posts.7z"
    names = [archive_of(site) for sites in groups().values() for site in sites]
    assert len(set(names)) == 179


def source(**table: Any) -> Source:
    return STACKEXCHANGE.model_validate(
        {"name": "se", "kind": "stackexchange", "site_table": table}
    )


def test_a_site_table_is_a_shard_a_site() -> None:
    found = source(
        group="stem",
        url="https://host/{file}",
        mirrors=["/mnt/{file}"],
        sha256={"physics": "0" * 64},
    )
    assert list(found.shards) == list(groups()["stem"])
    [physics] = found.shards["physics"]
    assert physics.url == "https://host/physics.stackexchange.com.7z"
    assert physics.mirrors == ["/mnt/physics.stackexchange.com.7z"]
    assert physics.sha256 == "0" * 64
    assert found.shards["math"][0].sha256 is None
    assert STACKEXCHANGE.model_validate(found.model_dump()) == found


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"group": "stem"}, "either path or url"),
        ({"group": "stem", "path": "here/"}, r"lacks \{file\}"),
        ({"group": "stem", "url": "x/{file}", "sha256": {"cooking": "0" * 64}}, "named 'cooking'"),
        ({"group": "stem", "path": "x/{file}", "sha256": {"math": "0" * 64}}, "belong to a url"),
        ({"group": "dropped", "path": "x/{file}"}, "group"),
    ],
)
def test_a_mistake_in_a_site_table_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**table)


def test_a_site_table_stands_in_place_of_shards() -> None:
    table = {"group": "stem", "path": "{file}"}
    both = {"name": "se", "kind": "stackexchange", "site_table": table}
    with pytest.raises(ValidationError, match="site_table takes the place of shards"):
        STACKEXCHANGE.model_validate({**both, "shards": {"beer": [{"path": "x"}]}})
    with pytest.raises(ValidationError, match="give shards, or site_table"):
        STACKEXCHANGE.model_validate({"name": "se", "kind": "stackexchange"})
