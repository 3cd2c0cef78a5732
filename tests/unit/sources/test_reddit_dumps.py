"""Pushshift dumps: which submissions and comments count, and broken compression."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources.archives import lines_of_zst
from limaflow.sources.kinds.reddit import RedditOptions, read
from limaflow.sources.shard import BEST, OTHER, Shard


def submission(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "subreddit": "WritingPrompts",
        "title": "[WP] A door &amp; a key",
        "selftext": "",
        "score": 50,
        "author": "asker",
        "over_18": False,
        **changes,
    }


def comment(key: str, link: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "subreddit": "WritingPrompts",
        "link_id": f"t3_{link}",
        "parent_id": f"t3_{link}",
        "body": f"story {key}",
        "score": 5,
        "author": "teller",
        **changes,
    }


def zst(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(zstandard.ZstdCompressor().compress(text))
    return path


def candidates(
    *paths: Path, subreddit: str = "WritingPrompts"
) -> tuple[list[Candidate], Counter[str]]:
    passed_over: Counter[str] = Counter()
    shard = Shard(
        kind="reddit",
        source="wp",
        name="m",
        files=paths,
        scratch=paths[0].parent,
        options=RedditOptions(subreddit=subreddit),
    )
    return list(read(shard, passed_over)), passed_over


def test_the_best_comment_on_the_submission_itself_is_the_response(tmp_path: Path) -> None:
    comments = zst(
        tmp_path / "RC.zst",
        [
            comment("a1", "s1"),
            comment("a2", "s1", score=9),
            comment("a3", "s1", score=99, parent_id="t1_a1"),
            comment("a4", "s1", score=99, body="[removed]"),
            comment("a5", "s1", score=99, author="AutoModerator"),
            comment("a6", "s1", score=99, stickied=True),
        ],
    )
    [candidate], passed_over = candidates(comments, zst(tmp_path / "RS.zst", [submission("s1")]))
    assert candidate.response == "story a2"
    assert candidate.title == "[WP] A door & a key"
    assert candidate.provenance.authors == ("asker", "teller")
    assert passed_over == {
        "reply to a comment": 1,
        "deleted comment": 1,
        "moderation": 2,
        BEST: 1,
        OTHER: 1,
    }


def test_deleted_and_adult_submissions_and_other_subreddits_are_counted_out(
    tmp_path: Path,
) -> None:
    rows = [
        submission("s1", over_18=True),
        submission("s2", selftext="[deleted]"),
        submission("s3", removed_by_category="moderator"),
        submission("s4", title="[deleted by user]"),
        submission("s5", subreddit="pics"),
        submission("s6"),
    ]
    found, passed_over = candidates(zst(tmp_path / "RS.zst", rows))
    assert [candidate.provenance.ids for candidate in found] == [("s6",)]
    assert passed_over == {"over_18": 1, "deleted submission": 3, "another subreddit": 1}


def test_askreddit_gives_titles_without_a_text_and_no_responses(tmp_path: Path) -> None:
    rows = [
        submission("s1", subreddit="AskReddit", title="What is it?"),
        submission("s2", subreddit="AskReddit", title="And this?", selftext="Well …"),
        comment("a1", "s1", subreddit="AskReddit"),
    ]
    [candidate], _ = candidates(zst(tmp_path / "RS.zst", rows), subreddit="AskReddit")
    assert (candidate.title, candidate.body, candidate.response) == ("What is it?", "", "")
    assert candidate.provenance.score == 50


def test_a_dump_that_ends_too_early_is_an_error_and_no_shorter_dump(tmp_path: Path) -> None:
    path = zst(tmp_path / "RS.zst", [submission(f"s{n}", selftext="x" * n) for n in range(500)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="ends too early"):
        candidates(path)


def test_several_frames_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "x.zst"
    packed = zstandard.ZstdCompressor()
    path.write_bytes(packed.compress(b"one\ntw") + packed.compress(b"o\nthree"))
    assert list(lines_of_zst(path)) == [(1, b"one"), (2, b"two"), (3, b"three")]


def test_a_file_that_is_no_zstd_and_a_line_that_is_no_json_are_named(tmp_path: Path) -> None:
    path = tmp_path / "RS.zst"
    path.write_bytes(b"plain text")
    with pytest.raises(InputError, match="not sound zstd"):
        candidates(path)
    path.write_bytes(zstandard.ZstdCompressor().compress(b'\n{"id": 1,\n'))
    with pytest.raises(InputError, match=r"RS\.zst:2: not JSON"):
        candidates(path)
    path.write_bytes(zstandard.ZstdCompressor().compress(b'{"id": "1"}\n'))
    with pytest.raises(InputError, match="no 'subreddit'"):
        candidates(path)


@pytest.mark.parametrize("name", ["r_WritingPrompts_posts.jsonl", "posts.ndjson", "posts.json"])
def test_plain_downloads_of_a_subreddit_are_read_like_dumps(tmp_path: Path, name: str) -> None:
    rows = [submission("s1"), comment("a1", "s1"), comment("a2", "s1", parent_id=None, score=9)]
    path = tmp_path / name
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(json.dumps(rows) if name.endswith(".json") else lines)
    [candidate], _ = candidates(path)
    assert (candidate.title, candidate.response) == ("[WP] A door & a key", "story a2")


@pytest.mark.parametrize(
    "written", ["WritingPrompts", "writingprompts", "r/WritingPrompts", "/r/WritingPrompts/"]
)
def test_a_subreddit_is_read_however_it_is_written(tmp_path: Path, written: str) -> None:
    [_], _ = candidates(zst(tmp_path / "RS.zst", [submission("s1")]), subreddit=written)


def test_a_dump_without_a_post_of_the_subreddit_is_an_error_that_names_others(
    tmp_path: Path,
) -> None:
    rows = [submission("s1", subreddit="pics"), submission("s2", subreddit="tea")] * 2
    rows.append(submission("s3", subreddit="pics"))
    with pytest.raises(InputError, match="no post of r/WritingPromts; most are of r/pics, r/tea"):
        candidates(zst(tmp_path / "RS.zst", rows), subreddit="WritingPromts")


def test_posts_without_votes_or_text_are_counted_out(tmp_path: Path) -> None:
    rows = [
        submission("s1"),
        submission("s2", score=None),
        submission("s3", title=None),
        submission("s4", title=" "),
        comment("a1", "s1", score=None),
        comment("a2", "s1", body=None),
    ]
    [candidate], passed_over = candidates(zst(tmp_path / "RS.zst", rows))
    assert candidate.response == ""
    assert passed_over == {
        "post without a score": 2,
        "submission without a title": 2,
        "comment without a text": 1,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "-5"}, "id is '-5', no id of Reddit's"),
        ({"id": "1_0"}, "id is '1_0'"),
        ({"id": "z" * 13}, "no id of Reddit's"),
        ({"id": 5}, "id is 5, not text"),
        ({"score": "many"}, "score is many, not a whole number"),
        ({"score": True}, "score is True"),
        ({"score": 1.5}, "score is 1.5"),
        ({"score": float("inf")}, "score is inf"),
        ({"score": float("nan")}, "score is nan"),
        ({"score": 2**63}, "score is 9223372036854775808"),
        ({"title": 5}, "title is 5, not text"),
        ({"title": ["a"]}, "not text"),
    ],
)
def test_a_field_of_another_type_is_a_bad_row(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"RS\.zst:2: .*({message})"):
        candidates(zst(tmp_path / "RS.zst", [submission("s1"), submission("s2", **changes)]))


def test_half_of_an_emoji_in_a_name_does_not_stop_a_month(tmp_path: Path) -> None:
    [candidate], _ = candidates(zst(tmp_path / "RS.zst", [submission("s1", author="\ud83d")]))
    assert candidate.provenance.authors == ("?",)


def test_lines_keep_their_number_after_many_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.zst"
    blank = 2_000_000
    path.write_bytes(zstandard.ZstdCompressor().compress(b"\n" * blank + b"one\n\ntwo"))
    lines = [(number, line) for number, line in lines_of_zst(path) if line]
    assert lines == [(blank + 1, b"one"), (blank + 3, b"two")]
