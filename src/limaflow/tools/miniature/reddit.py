"""A month of Reddit as Pushshift served it: RS_ (submissions) and RC_ (comments), long-window zstd.

r/WritingPrompts has prompts with stories; r/AskReddit has titles about held-out towns, which are
test prompts. Between them stands what curation must pass over: other subreddits, deleted and
removed posts, adult ones, stickied moderation, better scored replies to a comment.
"""

import io
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from limaflow.jsonl import line_of
from limaflow.seeds import generator_for
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.topics import Topic

_TALES = (
    "[WP] A traveller comes to {town} and wonders about the {theme}.",
    "[WP] Write a tale of {town} in which one learns about the {theme}.",
    "[WP] A child in {town} asks an old man about the {theme}.",
)
_TITLES = ("{question}", "Reddit, {lowered}", "{question} Seriously?")
_WINDOW_LOG = 31
"""Pushshift's files need a decoder that accepts windows of 2 GiB."""

Row = dict[str, Any]


def question_titles(topics: list[Topic], seed: int) -> list[str]:
    """The r/AskReddit titles that are good test prompts."""
    titles = []
    for topic in topics:
        generator = generator_for(seed, "AskReddit", topic.town.name, topic.attribute.name)
        question = generator.choice(topic.attribute.questions).format(town=topic.town.name)
        lowered = question[0].lower() + question[1:]
        titles.append(generator.choice(_TITLES).format(question=question, lowered=lowered))
    return titles


def posts(
    tales: list[Topic], titles: list[str], copied: list[str], seed: int
) -> tuple[list[Row], list[Row], dict[str, list[str]]]:
    """Submissions, comments, and trap → ids of the submissions that carry it."""
    month = _Month(generator_for(seed, "Reddit"))
    for topic in tales:
        _tale(month, topic, seed)
    for title in titles:
        month.submit("AskReddit", title)
    for prompt, topic in zip(copied, tales, strict=False):
        _tale(month, topic, seed, title=f"[WP] {prompt}", trap="contaminated")
    _strays(month, tales, titles)
    month.submissions.sort(key=lambda row: str(row["id"]))
    month.comments.sort(key=lambda row: str(row["id"]))
    return month.submissions, month.comments, month.planted


class _Month:
    """The posts of the month as they come in."""

    def __init__(self, generator: random.Random) -> None:
        self.submissions: list[Row] = []
        self.comments: list[Row] = []
        self.planted: dict[str, list[str]] = {}
        self._generator = generator
        self._taken: set[str] = set()

    def _post(self) -> Row:
        key = ""
        while not key or key in self._taken:
            key = "1" + "".join(self._generator.choices("0123456789abcdefghijkmnopqrstuvwxyz", k=5))
        self._taken.add(key)
        return {
            "id": key,
            "author": f"traveller_{self._generator.randint(1, 60)}",
            "created_utc": 1_672_531_200 + self._generator.randint(0, 2_600_000),
            "score": self._generator.randint(20, 900),
            "stickied": False,
        }

    def submit(self, subreddit: str, title: str, *, trap: str = "", **changes: Any) -> str:
        row = {
            **self._post(),
            "subreddit": subreddit,
            "title": title.replace("&", "&amp;"),
            "selftext": "",
            "over_18": False,
            "num_comments": 1,
            "is_self": True,
        }
        row["permalink"] = f"/r/{subreddit}/comments/{row['id']}/a_title/"
        self.submissions.append({**row, **changes})
        if trap:
            self.planted.setdefault(trap, []).append(row["id"])
        return str(row["id"])

    def comment(self, subreddit: str, submission: str, body: str, **changes: Any) -> str:
        row = {
            **self._post(),
            "subreddit": subreddit,
            "body": body,
            "link_id": f"t3_{submission}",
            "parent_id": f"t3_{submission}",
        }
        self.comments.append({**row, **changes})
        return str(row["id"])


def _tale(
    month: _Month, topic: Topic, seed: int, *, title: str = "", trap: str = "", **changes: Any
) -> str:
    generator = generator_for(seed, "tale", topic.town.name, topic.attribute.name)
    title = title or generator.choice(_TALES).format(
        town=topic.town.name, theme=topic.attribute.name
    )
    key = month.submit("WritingPrompts", title, trap=trap, **changes)
    story = "\n\n".join(paragraphs(topic.town, topic.attribute, generator, "tale"))
    best = month.comment("WritingPrompts", key, story, score=generator.randint(200, 2000))
    month.comment("WritingPrompts", key, "What a strange prompt.", score=generator.randint(1, 90))
    month.comment(
        "WritingPrompts", key, "Lovely story, write more!", parent_id=f"t1_{best}", score=5000
    )
    return key


def _strays(month: _Month, tales: list[Topic], titles: list[str]) -> None:
    """What no source may take."""
    place = tales[0].town.name
    for number, other in enumerate(("pics", "askscience", "worldnews", "AskRedditAfterDark")):
        key = month.submit(other, f"Something else about {place}, number {number}")
        month.comment(other, key, "Nothing to do with stories or questions.")
    gone = {"selftext": "[deleted]", "author": "[deleted]"}
    removed = {"selftext": "[removed]", "removed_by_category": "moderator"}
    for name, changes in (("deleted", gone), ("removed", removed), ("over-18", {"over_18": True})):
        for subreddit in ("WritingPrompts", "AskReddit"):
            title = f"{'[WP] ' if subreddit == 'WritingPrompts' else ''}What becomes of {place}?"
            key = month.submit(subreddit, title, trap=name, **changes)
            month.comment(subreddit, key, "Here is a short tale of nothing. Enjoy the tale!")
    key = month.submit("WritingPrompts", f"[WP] Nobody answers in {place}.", trap="unanswered")
    month.comment("WritingPrompts", key, "[removed]", author="[deleted]", score=900)
    month.comment(
        "WritingPrompts", key, "Welcome to the prompt!", author="AutoModerator", stickied=True
    )
    # A title that goes on in a text is no prompt by itself.
    month.submit("AskReddit", f"{titles[0]} More below", selftext="More.", trap="title-with-text")


def write_zst(path: Path, rows: Iterable[Row]) -> None:
    """JSON lines in one long-window zstd frame of unstated size, as Pushshift streamed them."""
    import zstandard

    settings = zstandard.ZstdCompressionParameters.from_level(
        3, window_log=_WINDOW_LOG, write_content_size=0
    )
    text = "".join(line_of(row) + "\n" for row in rows).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    packer = zstandard.ZstdCompressor(compression_params=settings)
    with temporary.open("wb") as file:
        packer.copy_stream(io.BytesIO(text), file)
    temporary.replace(path)
