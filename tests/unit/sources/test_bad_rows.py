"""Rows that cannot be read: the first is an error, unless the config lets some be passed over."""

import json
from collections import Counter
from pathlib import Path

import pytest
import zstandard

from limaflow.errors import InputError
from limaflow.sources.extraction import extract, reader_of
from limaflow.sources.kinds.wikihow import WikihowOptions
from limaflow.sources.shard import BAD, ReadingOptions, Shard

POST = '<row Id="{}" PostTypeId="1" Score="{}" Title="Why?" Body="B" />'
STORY = '{{"id": "{}", "subreddit": "tales", "title": "T", "score": {}, "author": "a"}}'
RAW = {
    "stackexchange": [
        "<posts>",
        POST.format(1, 3),
        POST.format(2, "high"),
        POST.format(3, 4),
        "</posts>",
    ],
    "wikihow": ["headline,title,text", "a,b,c", "a,b", "d,e,f"],
    "reddit": [STORY.format("a", 1), STORY.format("b", '"?"'), STORY.format("c", 1)],
    "authored": ['{"prompt": "a"}', "{", '{"prompt": "c"}'],
    "released": [
        '{"conversations": ["a"], "source": "x"}',
        '{"conversations": []}',
        '{"conversations": ["c"], "source": "x"}',
    ],
    "natural-instructions": [
        json.dumps(
            {
                "Definition": ["D"],
                "Instances": [
                    {"input": "a", "output": ["b"]},
                    {"input": 1},
                    {"input": "c", "output": ["d"]},
                ],
            }
        )
    ],
}
"""Three rows of each kind, of which the second cannot be read."""
NAMES = {
    "stackexchange": "Posts.xml",
    "wikihow": "all.csv",
    "reddit": "RS.zst",
    "natural-instructions": "task.json",
}


def shard(kind: str, folder: Path, allowed: int) -> Shard[ReadingOptions]:
    path = folder / NAMES.get(kind, "rows.jsonl")
    text = "\n".join(RAW[kind]).encode()
    if kind == "reddit":
        text = zstandard.ZstdCompressor().compress(text)
    path.write_bytes(text)
    more = {"subreddit": "tales"} if kind == "reddit" else {}
    return Shard(
        kind=kind,
        source="s",
        name="prompts" if kind == "released" else "n",
        files=(path,),
        scratch=folder,
        options=reader_of(kind).options(max_bad_rows=allowed, **more),
    )


@pytest.mark.parametrize("kind", RAW)
def test_the_rows_around_a_bad_one_are_read_where_the_config_allows_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: Counter[str] = Counter()
    count = extract(shard(kind, tmp_path, 1), tmp_path / "out.jsonl", found, processes=2)
    assert (count, found[BAD]) == (2, 1)
    assert "passed over:" in capsys.readouterr().out


@pytest.mark.parametrize("kind", RAW)
def test_one_bad_row_more_than_allowed_is_an_error(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        extract(shard(kind, tmp_path, 0), tmp_path / "out.jsonl", Counter(), processes=2)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_quote_that_swallowed_lines_is_never_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text('headline,title,text\na,b,"c\nd,e,f\n')
    options = WikihowOptions(max_bad_rows=9)
    read = Shard(
        kind="wikihow", source="s", name="n", files=(path,), scratch=tmp_path, options=options
    )
    with pytest.raises(InputError, match=":2: broken CSV"):
        extract(read, tmp_path / "out.jsonl", Counter())
