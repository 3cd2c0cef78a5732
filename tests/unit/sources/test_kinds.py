"""Each kind of source has its own options, and says how curation treats it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from limaflow.errors import InputError
from limaflow.mistakes import parse_block, validated
from limaflow.settings import Settings
from limaflow.sources.extraction import extract, reader_of
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.kinds import POLICIES, READERS, policy_of
from limaflow.sources.kinds.authored import FieldOptions
from limaflow.sources.settings import SOURCE_BLOCKS, AnySource
from limaflow.sources.shard import Shard

SHARDS = {"all": [{"path": "x"}]}
OWN_OPTIONS = {
    "stackexchange": {"site_table"},
    "wikihow": {"columns"},
    "reddit": {"subreddit"},
    "natural-instructions": set(),
    "authored": {"prompt_field", "response_field"},
    "messages": {"prompt_field", "response_field"},
    "released": set(),
    "xstest": set(),
    "attack-goals": {"intent", "attack"},
    "ifeval": set(),
}


class Sources(Settings):
    """A configuration of sources alone."""

    sources: list[AnySource]


def test_the_schema_of_a_kind_has_its_own_options_and_no_others() -> None:
    common = {"name", "kind", "shards", "licence", "max_bad_rows", "filters"}
    shown = {
        block["properties"]["kind"]["const"]: set(block["properties"]) - common
        for name, block in TypeAdapter(list[AnySource]).json_schema()["$defs"].items()
        if name.endswith("Source")
    }
    assert shown == OWN_OPTIONS


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"kind": "reddit", "subredit": "tea"},
            r"sources\.x\.subredit: unknown key; did you mean 'subreddit'\?",
        ),
        ({"kind": "reddit"}, r"sources\.x\.subreddit: missing"),
        ({"kind": "wikihow", "subreddit": "tea"}, r"sources\.x\.subreddit: unknown key; known: "),
        ({"kind": "wikihow", "site_table": {}}, r"sources\.x\.site_table: unknown key"),
        ({"kind": "released", "prompt_field": "q"}, r"sources\.x\.prompt_field: unknown key"),
        ({"kind": "wikihaw"}, r"sources\.x\.kind: unknown 'wikihaw'; did you mean 'wikihow'\?"),
        ({}, r"sources\.x\.kind: missing"),
        ({"kind": "wikihow", "shards": {}}, r"sources\.x: give shards"),
    ],
)
def test_a_mistake_in_a_source_names_the_key_and_the_nearest(
    source: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        validated(Sources, {"sources": [{"name": "x", "shards": SHARDS, **source}]}, "config")


def test_the_keys_offered_for_a_typo_are_those_of_the_kind() -> None:
    raw = {"name": "x", "kind": "wikihow", "shards": SHARDS, "zzz": 1}
    with pytest.raises(InputError) as caught:
        validated(Sources, {"sources": [raw]}, "config")
    assert "known: columns, filters, kind, licence, max_bad_rows, name, shards" in str(caught.value)


@pytest.mark.parametrize("kind", READERS)
def test_options_reach_the_reader_as_the_configuration_has_them(kind: str) -> None:
    own = {"subreddit": "tea"} if kind == "reddit" else {}
    raw = {"name": "x", "kind": kind, "shards": SHARDS, "max_bad_rows": 2, **own}
    flag = SOURCE_BLOCKS[kind].model_validate(raw).reading_options()
    options = parse_block(reader_of(kind).options, flag, "--options")
    assert options == READERS[kind].options(max_bad_rows=2, **own)
    licensed = SOURCE_BLOCKS[kind].model_validate(raw | {"licence": "CC0"})
    assert licensed.reading_options() == flag, "a licence reads no raw file again"


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(InputError, match="--kind redit: unknown; did you mean 'reddit'"):
        reader_of("redit")


def test_every_kind_is_a_module_and_every_policy_is_in_the_table(root: Path) -> None:
    from importlib import import_module

    folder = root / "src/limaflow/sources/kinds"
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names == {kind.replace("-", "_") for kind in READERS}
    for name in names:
        module, kind = import_module(f"limaflow.sources.kinds.{name}"), name.replace("_", "-")
        assert isinstance(module.READER, Reader)
        assert READERS[kind] is module.READER
        assert POLICIES.get(kind) is getattr(module, "POLICY", None)


def test_data_brought_whole_has_the_plain_policy() -> None:
    assert policy_of("") == replace(policy_of("released"), not_redistributed="") == Policy()


def test_a_shard_without_a_row_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    path, output = tmp_path / "mine.jsonl", tmp_path / "out.jsonl"
    path.write_text("\n")
    shard = Shard(
        kind="authored",
        source="s",
        name="n",
        files=(path,),
        scratch=tmp_path,
        options=FieldOptions(),
    )
    with pytest.raises(InputError, match="s/n has not a single row"):
        extract(shard, output, Counter())
    assert not output.exists()
