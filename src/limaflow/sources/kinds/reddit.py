"""Pushshift's monthly Reddit dumps (.zst of JSON lines): submissions and their best comment.

Format: Baumgartner et al. 2020 (2001.08435). A comment has `link_id` and `body`, a submission has
`title`. Of the comments, those that answer the submission itself count, as a story answers a
prompt. r/AskReddit gives prompts only: titles that need no further text (LIMA §2.1).
"""

import html
import re
import string
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from limaflow.errors import InputError
from limaflow.foreign_json import json_object
from limaflow.records import Candidate, Provenance
from limaflow.sources.archives import lines_of_zst
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.pairing import Post, PostTable, pairs, post_table
from limaflow.sources.shard import BEST, OTHER, ReadingOptions, Shard, pass_over

GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]")
TITLES_ONLY = ("askreddit",)
DIGITS = string.digits + string.ascii_lowercase
TAG = re.compile(r"^\s*(?:\[[A-Za-z]{2,3}\]\s*)+")
"""What r/WritingPrompts puts before a title, such as [WP]."""


class RedditOptions(ReadingOptions):
    """The subreddit that is read; a month's dump holds them all."""

    subreddit: str = Field(min_length=1)


def read(shard: Shard[RedditOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a live submission of the subreddit; counts the others in `passed_over`.

    Raises:
        InputError: broken zstd or JSON, or a post that lacks a required field.
    """
    with tempfile.TemporaryDirectory(dir=shard.scratch, prefix=".posts-") as folder:
        table = Path(folder) / "posts.sqlite"
        with post_table(table) as posts:
            for path in shard.files:
                for number, line in lines_of_zst(path):
                    if not line.strip():
                        continue
                    try:
                        row = json_object(line, path, number)
                        _store(row, shard.options.subreddit.lower(), posts, passed_over)
                    except InputError as error:
                        pass_over(shard, passed_over, error)
                    except (KeyError, TypeError, ValueError) as error:
                        what = f"no {error}" if isinstance(error, KeyError) else str(error)
                        fault = f"not a Pushshift post: {what}"
                        pass_over(shard, passed_over, InputError(fault, path=path, line=number))
        passed_over.update(["submission twice"] * len(posts.twice))
        for submission, comment in pairs([table]):
            if comment:
                passed_over.update({BEST: 1, OTHER: -1})
            yield _candidate(submission, comment, shard)


def _store(
    row: dict[str, Any], subreddit: str, posts: PostTable, passed_over: Counter[str]
) -> None:
    if str(row["subreddit"]).lower() != subreddit:
        passed_over["another subreddit"] += 1
        return
    author, link = str(row.get("author") or ""), str(row.get("permalink") or "")
    number, score = _whole(int(str(row["id"]), 36)), _whole(int(row["score"]))
    if "link_id" in row:
        if reason := _comment_fault(row, author):
            passed_over[reason] += 1
            return
        prompt = _whole(int(str(row["link_id"]).removeprefix("t3_"), 36))
        text = _text(row["body"])
        posts.add_response(Post(number, prompt, score, "", text, author, link=link))
        passed_over[OTHER] += 1
        return
    if reason := _submission_fault(row, subreddit):
        passed_over[reason] += 1
        return
    title, text = _text(row["title"]), _text(row.get("selftext") or "")
    posts.add_prompt(Post(number, None, score, title, text, author, link=link))


def _id(number: int) -> str:
    """The post's id as Reddit writes it, a number to the base of 36."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits or "0"


def _whole(number: int) -> int:
    if abs(number) >= 2**63:
        raise ValueError(f"{number} is too large")
    return number


def _submission_fault(row: dict[str, Any], subreddit: str) -> str:
    selftext = str(row.get("selftext") or "").strip().lower()
    if row.get("over_18"):
        return "over_18"
    gone = row.get("removed_by_category") or row.get("author") in (None, GONE[0])
    if gone or selftext in GONE or str(row["title"]).strip().lower() in GONE:
        return "deleted submission"
    if subreddit in TITLES_ONLY and selftext:
        return "title with a text"
    return ""


def _comment_fault(row: dict[str, Any], author: str) -> str:
    if str(row["body"]).strip().lower() in GONE:
        return "deleted comment"
    if author == "AutoModerator" or row.get("stickied") or row.get("distinguished"):
        return "moderation"
    parent = str(row.get("parent_id", row["link_id"]))
    return "" if parent == str(row["link_id"]) else "reply to a comment"


def _text(raw: Any) -> str:
    """Reddit serves `&`, `<` and `>` escaped within its Markdown."""
    return html.unescape(str(raw)).strip()


def _candidate(submission: Post, comment: Post | None, shard: Shard[RedditOptions]) -> Candidate:
    if shard.options.subreddit.lower() in TITLES_ONLY:
        comment = None
    posts = (submission, comment) if comment else (submission,)
    return Candidate(
        id=shard.id(_id(submission.number)),
        source=shard.source,
        shard=shard.name,
        kind=shard.kind,
        title=submission.title,
        body=submission.text,
        response=comment.text if comment else "",
        markup="markdown",
        prompt_score=submission.score,
        response_score=comment.score if comment else None,
        stratum=f"r/{shard.options.subreddit}",
        provenance=Provenance(
            site="www.reddit.com",
            title=submission.title,
            ids=tuple(_id(post.number) for post in posts),
            urls=tuple(_url(post, submission) for post in posts),
            authors=tuple(post.author for post in posts),
            licence=shard.options.licence,
            score=comment.score if comment else submission.score,
            prompt_score=submission.score,
        ),
    )


def _url(post: Post, submission: Post) -> str:
    if post.link:
        return f"https://www.reddit.com{post.link}"
    tail = "" if post is submission else f"_/{_id(post.number)}/"
    return f"https://www.reddit.com/comments/{_id(submission.number)}/{tail}"


READER = Reader(options=RedditOptions, read=read)
# LIMA §2.1 takes both stories and questions by upvotes.
POLICY = Policy(
    best_first=True,
    best_prompts_first=True,
    prompts_alone=True,
    repaired_title=partial(TAG.sub, ""),
)
