"""Reddit's submissions and their best comment, from dumps of Pushshift and Arctic Shift.

Monthly dumps are JSON lines in .zst; downloads of one subreddit are the same rows in .jsonl, or in
an array in .json. Format: Baumgartner et al. 2020 (2001.08435). A comment has `link_id` and `body`,
a submission has `title`. Of the comments, those that answer the submission itself count, as a story
answers a prompt. r/AskReddit gives prompts only: titles that need no further text (LIMA §2.1).
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

from pydantic import Field, field_validator

from limaflow.errors import InputError
from limaflow.foreign_json import json_rows, objects_in
from limaflow.records import Candidate, Provenance
from limaflow.sources.archives import lines_of_zst
from limaflow.sources.kind import Policy, Reader
from limaflow.sources.pairing import Post, PostTable, pairs, post_table
from limaflow.sources.shard import BEST, OTHER, ReadingOptions, Shard, pass_over

GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]")
TITLES_ONLY = ("askreddit",)
DIGITS = string.digits + string.ascii_lowercase
IDENTITY = re.compile(r"[0-9a-z]{1,12}", re.IGNORECASE | re.ASCII).fullmatch
"""A post's id, a number to the base of 36 that fits 63 bits."""
MOST_NAMED = 3
"""Other subreddits that an error names."""
TAG = re.compile(r"^\s*(?:\[(?:[A-Z]{2,3}|serious|nsfw)\]\s*)+", re.IGNORECASE)
"""What subreddits put before a title, such as [WP] and [Serious]."""


class RedditOptions(ReadingOptions):
    """The subreddit that is read; a month's dump holds them all."""

    subreddit: str = Field(pattern=r"^[A-Za-z0-9_:-]+$")

    @field_validator("subreddit", mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return re.sub(r"^/?r/|/$", "", given.strip()) if isinstance(given, str) else given


def read(shard: Shard[RedditOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a live submission of the subreddit; counts the others in `passed_over`.

    Raises:
        InputError: broken zstd or JSON, a post that lacks a required field, or no post at all of
            the subreddit.
    """
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=shard.scratch, prefix=".posts-") as folder:
        table = Path(folder) / "posts.sqlite"
        with post_table(table) as posts:
            for path, number, row in _rows(shard, passed_over):
                try:
                    subreddit = _text(row, "subreddit").lower()
                    seen[subreddit] += 1
                    if subreddit == shard.options.subreddit.lower():
                        _store(row, subreddit, posts, passed_over)
                except ValueError as error:
                    fault = InputError(f"not a Reddit post: {error}", path=path, line=number)
                    pass_over(shard, passed_over, fault)
        _check_subreddit(shard, seen)
        if elsewhere := seen.total() - seen[shard.options.subreddit.lower()]:
            passed_over["another subreddit"] += elsewhere
        passed_over.update(["submission twice"] * len(posts.twice))
        for submission, comment in pairs([table]):
            if comment:
                passed_over.update({BEST: 1, OTHER: -1})
            yield _candidate(submission, comment, shard)


def _rows(
    shard: Shard[RedditOptions], passed_over: Counter[str]
) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    bad = partial(pass_over, shard, passed_over)
    for path in shard.files:
        if path.suffix == ".zst":
            rows = objects_in(lines_of_zst(path), path, bad)
        else:
            rows = json_rows(path, bad)
        yield from ((path, number, row) for number, row in rows)


def _check_subreddit(shard: Shard[RedditOptions], seen: Counter[str]) -> None:
    if not seen[shard.options.subreddit.lower()]:
        most = ", ".join(f"r/{name}" for name, _ in seen.most_common(MOST_NAMED))
        raise InputError(
            f"no post of r/{shard.options.subreddit}" + (f"; most are of {most}" if most else ""),
            path=", ".join(map(str, shard.files)),
        )


def _store(
    row: dict[str, Any], subreddit: str, posts: PostTable, passed_over: Counter[str]
) -> None:
    number, author = _number(row, "id"), str(row.get("author") or "")
    of_comment = "link_id" in row
    fault = _comment_fault(row, author) if of_comment else _submission_fault(row, subreddit)
    score = _score(row)
    if fault or score is None:
        passed_over[fault or "post without a score"] += 1
        return
    link = str(row.get("permalink") or "")
    if of_comment:
        prompt, text = _number(row, "link_id"), _text(row, "body")
        posts.add_response(Post(number, prompt, score, "", text, author, link=link))
        passed_over[OTHER] += 1
    else:
        title, text = _text(row, "title"), _text({"selftext": "", **row}, "selftext")
        posts.add_prompt(Post(number, None, score, title, text, author, link=link))


def _submission_fault(row: dict[str, Any], subreddit: str) -> str:
    title, selftext = _text(row, "title"), _text({"selftext": "", **row}, "selftext")
    if row.get("over_18"):
        return "over_18"
    gone = row.get("removed_by_category") or row.get("author") in (None, GONE[0])
    if gone or selftext.lower() in GONE or title.lower() in GONE:
        return "deleted submission"
    if not title:
        return "submission without a title"
    if subreddit in TITLES_ONLY and selftext:
        return "title with a text"
    return ""


def _comment_fault(row: dict[str, Any], author: str) -> str:
    body = _text(row, "body")
    if body.lower() in GONE:
        return "deleted comment"
    if author == "AutoModerator" or row.get("stickied") or row.get("distinguished"):
        return "moderation"
    if (row.get("parent_id") or row["link_id"]) != row["link_id"]:
        return "reply to a comment"
    return "" if body else "comment without a text"


def _text(row: dict[str, Any], key: str) -> str:
    """A field's text, "" where it is null. Reddit serves `&`, `<` and `>` escaped."""
    if key not in row:
        raise ValueError(f"no '{key}'; keys: {', '.join(sorted(row)[:12])}")
    if not isinstance(row[key], str | None):
        raise ValueError(f"{key} is {str(row[key])[:40]}, not text")
    return html.unescape(row[key] or "").strip()


def _number(row: dict[str, Any], key: str) -> int:
    text = _text(row, key).removeprefix("t3_")
    if not IDENTITY(text):
        raise ValueError(f"{key} is {text[:40]!r}, no id of Reddit's")
    return int(text, 36)


def _score(row: dict[str, Any]) -> int | None:
    """The votes; None where the dump has null, as RS_2017-10 and -11 do."""
    if "score" not in row:
        raise ValueError("no 'score'")
    score = row["score"]
    if score is None:
        return None
    whole = isinstance(score, int | float) and not isinstance(score, bool) and score % 1 == 0
    if not whole or abs(score) >= 2**63:
        raise ValueError(f"score is {str(score)[:40]}, not a whole number")
    return int(score)


def _id(number: int) -> str:
    """The post's id as Reddit writes it, a number to the base of 36."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits or "0"


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


# r/WritingPrompts: image and media prompts, posts off topic, stories and requests for prompts or
# critique, weekly themes, notes of moderators.
NO_PROMPT = re.compile(
    r"\s*(?:\[[A-Za-z]{2,3}\]\s*)*\[(?:IP|MP|OT|PI|PM|CC|TT|MOD|META|MODPOST)\]", re.IGNORECASE
)

READER = Reader(options=RedditOptions, read=read)
# LIMA §2.1 takes both stories and questions by upvotes.
POLICY = Policy(
    best_first=True,
    best_prompts_first=True,
    prompts_alone=True,
    marks_of_no_prompt=NO_PROMPT,
    repaired_title=partial(TAG.sub, ""),
    not_redistributed="texts of Reddit, whose terms forbid to hand them on",
)
