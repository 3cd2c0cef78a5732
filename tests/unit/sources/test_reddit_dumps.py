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
