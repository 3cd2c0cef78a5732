"""Pushshift's monthly Reddit dumps (.zst of JSON lines): submissions and their best comment.

Format: Baumgartner et al. 2020 (2001.08435). A comment has `link_id` and `body`, a submission has
`title`. Of the comments, those that answer the submission itself count, as a story answers a
prompt. r/AskReddit gives prompts only: titles that need no further text (LIMA §2.1).
"""

import html
from collections import Counter
from collections.abc import Iterator
from typing import Any

from limaflow.conversations import json_object
from limaflow.errors import InputError
from limaflow.records import Candidate, Provenance
from limaflow.sources.archives import lines_of_zst
from limaflow.sources.candidates import (
    BEST,
    OTHER,
    BestResponses,
    Shard,
    best_responses,
    lossless,
)

GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]")
TITLES_ONLY = ("askreddit",)


def read(shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a live submission of the subreddit; counts the others in `passed_over`.

    Raises:
        InputError: broken zstd or JSON, or a post that lacks what it must have.
    """
    with best_responses(shard.scratch) as posts:
        for path in shard.files:
            for number, line in lines_of_zst(path):
                if not line.strip():
                    continue
                row = json_object(line, path, number)
                try:
                    _store(row, shard.subreddit.lower(), posts, passed_over)
                except (KeyError, TypeError, ValueError) as error:
                    what = f"no {error}" if isinstance(error, KeyError) else str(error)
                    raise InputError(
                        f"not a Pushshift post: {what}", path=path, line=number
                    ) from None
        for submission, comment in posts.pairs():
            if comment:
                passed_over.update({BEST: 1, OTHER: -1})
            yield _candidate(submission, comment or {}, shard)


def _store(
    row: dict[str, Any], subreddit: str, posts: BestResponses, passed_over: Counter[str]
) -> None:
    if str(row["subreddit"]).lower() != subreddit:
        passed_over["another subreddit"] += 1
        return
    key, score, author = str(row["id"]), int(row["score"]), str(row.get("author") or "")
    post = {"id": key, "score": score, "author": author, "permalink": row.get("permalink") or ""}
    if "link_id" in row:
        if reason := _comment_fault(row, author):
            passed_over[reason] += 1
            return
        post["text"] = _text(row["body"])
        parent = str(row["link_id"]).removeprefix("t3_")
        posts.add_response(parent, key, int(key, 36), score, post)
        passed_over[OTHER] += 1
        return
    if reason := _submission_fault(row, subreddit):
        passed_over[reason] += 1
        return
    post |= {"title": _text(row["title"]), "text": _text(row.get("selftext") or "")}
    if not posts.add_prompt(key, post):
        passed_over["submission twice"] += 1


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
    return lossless(html.unescape(str(raw))).strip()


def _candidate(submission: dict[str, Any], comment: dict[str, Any], shard: Shard) -> Candidate:
    titles_only = shard.subreddit.lower() in TITLES_ONLY
    posts = [post for post in (submission, comment) if post][: 1 if titles_only else 2]
    comment = {} if titles_only else comment
    return Candidate(
        id=shard.id(submission["id"]),
        source=shard.source,
        shard=shard.name,
        kind="reddit",
        title=submission["title"],
        body=submission["text"],
        response=comment.get("text", ""),
        markup="markdown",
        prompt_score=submission["score"],
        response_score=comment.get("score"),
        stratum=f"r/{shard.subreddit}",
        provenance=Provenance(
            site="www.reddit.com",
            title=submission["title"],
            ids=tuple(post["id"] for post in posts),
            urls=tuple(_url(post, submission["id"]) for post in posts),
            authors=tuple(post["author"] for post in posts),
            licence=shard.licence,
            score=comment.get("score", submission["score"]),
            prompt_score=submission["score"],
        ),
    )


def _url(post: dict[str, Any], submission: str) -> str:
    if post["permalink"]:
        return f"https://www.reddit.com{post['permalink']}"
    tail = "" if post["id"] == submission else f"_/{post['id']}/"
    return f"https://www.reddit.com/comments/{submission}/{tail}"
