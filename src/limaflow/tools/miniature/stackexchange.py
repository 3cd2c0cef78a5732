"""Stack Exchange dumps as the Internet Archive serves them: `<site>.7z` with a Posts.xml.

Each site has good questions on one attribute, and for every rule of curation some that it must
catch. What is wrong with a planted question is written down, so that a test can follow it.
"""

import html
import os
import random
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from limaflow.seeds import generator_for
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.topics import Site, Topic

_BODIES = (
    "<p>A journey to {town} is planned for the spring.</p>\n\n<p>{question}</p>\n",
    "<p>The guide book has a page on {town} with a hole in it. {question}</p>\n",
    "<p>Two travellers quarrelled about {town} all evening long.</p>"
    "\n\n<p>{question} Thanks!</p>\n",
)
_RAMBLE = (
    "Roads are long and inns are few in that part of the land.",
    "The weather changes quickly, so a warm coat is a good idea.",
    "Markets open early, and the bridges close when the water is high.",
    "Old people tell it one way, young people tell it another way.",
    "A map helps, but a guide helps more, and a song helps most.",
    "In winter the passes are closed and letters take a month.",
    "Whoever goes there should bring patience and a second pair of shoes.",
)
TRAPS = (
    "low-score",
    "too-short",
    "too-long",
    "first-person",
    "cross-reference",
    "unclear-title",
    "unanswered",
)
_TOWN = re.compile(r"(?<=\s)([A-Z]\w+)")
_SILENT = "<p>The guide book is silent.</p>\n"
DUPLICATE_SCORE = 10
"""Good answers score more: of two equals, the better scored one stays."""
STAMP = 1_672_531_200
"""2023-01-01, the time of every file that carries one."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A question with its answers as (score, HTML body), the top answer first."""

    title: str
    body: str
    score: int
    answers: tuple[tuple[int, str], ...]
    trap: str = ""
    """What curation must catch, or "" for a good exchange."""


def exchanges(
    site: Site,
    topics: list[Topic],
    copied: list[tuple[str, Topic]],
    stated: list[str],
    seed: int,
) -> list[Exchange]:
    """All exchanges of a site in random order.

    `copied` are test prompts with what they ask, `stated` the texts of benchmark items: each is
    planted word for word in an exchange of its own, which is otherwise good.
    """
    good = [_good(topic, seed) for topic in topics]
    good = [
        replace(exchange, body=_SILENT) if n < 6 else exchange for n, exchange in enumerate(good)
    ]
    traps = [
        _spoiled(topics[(number * 7 + place) % len(topics)], trap, seed)
        for place, trap in enumerate(TRAPS)
        for number in range(max(2, len(topics) // 12))
    ]
    traps += [
        Exchange(
            title=prompt,
            body=f"<p>{html.escape(prompt, quote=False)}</p>\n",
            score=30,
            answers=_good(topic, seed).answers,
            trap="contaminated",
        )
        for prompt, topic in copied
    ]
    traps += [
        Exchange(
            title=good[number % len(good)].title.replace("?", ", to be exact?"),
            body="<p>The guide book is not exact.</p>\n",
            score=30,
            answers=((25, f"<p>Gladly.</p>\n<p>{statement}</p>\n<p>{_RAMBLE[number % 7]}</p>\n"),),
            trap="contaminated",
        )
        for number, statement in enumerate(stated)
    ]
    result = good + traps
    generator_for(seed, "exchange order", site.name).shuffle(result)
    return result


def duplicates(found: list[Exchange], count: int, trap: str) -> list[Exchange]:
    """Copies of the first good exchanges; for `near-duplicate` with the town in quotes.

    A copy's prompt is its title, whatever the draw between title and body: the body asks nothing.
    """
    good = [exchange for exchange in found if not exchange.trap and exchange.body == _SILENT]
    copies = []
    for exchange in good[:count]:
        title, answer = exchange.title, exchange.answers[0][1]
        if trap == "near-duplicate":
            title = _TOWN.sub(r'"\1"', title)
        copies.append(
            replace(exchange, title=title, answers=((DUPLICATE_SCORE, answer),), trap=trap)
        )
    return copies


def write_dump(path: Path, found: list[Exchange]) -> dict[str, list[str]]:
    """Write the site's archive; return trap → ids of the questions that carry it."""
    import py7zr

    rows, planted = _rows(found)
    text = "\n".join(
        ['\ufeff<?xml version="1.0" encoding="utf-8"?>', "<posts>", *rows, "</posts>", ""]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        posts, archive = Path(folder) / "Posts.xml", Path(folder) / path.name
        posts.write_text(text, encoding="utf-8", newline="\n")
        posts.chmod(0o644)
        os.utime(posts, (STAMP, STAMP))
        with py7zr.SevenZipFile(archive, "w") as packed:
            packed.write(posts, "Posts.xml")
        archive.replace(path)
    return planted


def _rows(found: list[Exchange]) -> tuple[list[str], dict[str, list[str]]]:
    rows: list[tuple[int, dict[str, object]]] = []
    planted: dict[str, list[str]] = {}
    number = 0
    for exchange in found:
        number += 1
        question = number
        if exchange.trap:
            planted.setdefault(exchange.trap, []).append(str(question))
        answers = []
        # A reader must not lean on the order: the best answer is not always the oldest.
        for score, body in reversed(exchange.answers):
            number += 1
            answers.append((number, score, body))
        rows.append((question, _question(exchange, question, answers)))
        rows += [(key, _answer(question, key, score, body)) for key, score, body in answers]
    rows.append((number + 1, {"Id": number + 1, "PostTypeId": 5, "Score": 0, "Body": "", **_OF}))
    return [_row(attributes) for _, attributes in rows], planted


_OF = {"OwnerUserId": 2, "ContentLicense": "CC BY-SA 4.0", "CommentCount": 0}


def _question(
    exchange: Exchange, key: int, answers: list[tuple[int, int, str]]
) -> dict[str, object]:
    accepted = {"AcceptedAnswerId": answers[0][0]} if answers and key % 3 == 0 else {}
    return {
        "Id": key,
        "PostTypeId": 1,
        **accepted,
        "CreationDate": _date(key),
        "Score": exchange.score,
        "ViewCount": exchange.score * 40,
        "Body": exchange.body,
        "OwnerUserId": 10 + key % 17,
        "LastActivityDate": _date(key + 1),
        "Title": exchange.title,
        "Tags": "<towns>",
        "AnswerCount": len(answers),
        "CommentCount": 0,
        "ContentLicense": "CC BY-SA 4.0",
    }


def _answer(question: int, key: int, score: int, body: str) -> dict[str, object]:
    # Whoever deleted the account keeps a display name only.
    owner = {"OwnerDisplayName": f"user{key}"} if key % 11 == 0 else {"OwnerUserId": 30 + key % 23}
    return {
        "Id": key,
        "PostTypeId": 2,
        "ParentId": question,
        "CreationDate": _date(key),
        "Score": score,
        "Body": body,
        **owner,
        "LastActivityDate": _date(key),
        "CommentCount": 0,
        "ContentLicense": "CC BY-SA 4.0",
    }


def _date(key: int) -> str:
    return f"2023-{1 + key // 28 % 12:02d}-{1 + key % 28:02d}T{key % 24:02d}:00:00.000"


def _row(attributes: dict[str, object]) -> str:
    shown = " ".join(
        # Line breaks would be read as spaces if they stood in an attribute as they are.
        f"{name}={quoteattr(str(value), {chr(10): '&#xA;'})}"
        for name, value in attributes.items()
    )
    return f"  <row {shown} />"


def _good(topic: Topic, seed: int) -> Exchange:
    generator = generator_for(seed, "exchange", topic.town.name, topic.attribute.name)
    question = generator.choice(topic.attribute.questions).format(town=topic.town.name)
    answer = paragraphs(topic.town, topic.attribute, generator)
    other = generator.choice([v for v in topic.attribute.values if v != topic.value])
    return Exchange(
        title=question,
        body=generator.choice(_BODIES).format(town=topic.town.name, question=question),
        score=generator.randint(12, 60),
        answers=(
            (generator.randint(12, 80), _in_html(answer, topic, generator)),
            (generator.randint(0, 9), f"<p>Surely {other}.</p>\n"),
        ),
    )


def _in_html(answer: list[str], topic: Topic, generator: random.Random) -> str:
    """The paragraphs as HTML, some with a link or an image that must go, or a list that stays."""
    opening, statement, closing = answer
    town = topic.town.name
    kind = generator.choice(("plain", "plain", "plain", "link", "image", "list"))
    statement = f"<p>{statement}</p>"
    if kind == "link":
        link = f'<a href="https://towns.example/{town}">{topic.value}</a>'
        statement = statement.replace(topic.value, link, 1)
    elif kind == "image":
        statement += f'\n\n<p><img src="https://towns.example/{town}.png" alt="a view"></p>'
    elif kind == "list":
        statement = f"<ul>\n<li>{statement[3:-4]}</li>\n</ul>"
    return f"<p>{opening}</p>\n\n{statement}\n\n<p>{closing}</p>\n"


def _spoiled(topic: Topic, trap: str, seed: int) -> Exchange:
    """An exchange like the good one, with one thing wrong; where it can, with a wrong fact too."""
    generator = generator_for(seed, "spoiled exchange", trap, topic.town.name)
    good = _good(topic, seed)
    town, other = topic.town.name, generator.choice(topic.attribute.values)
    question = f"{good.title.removesuffix('?')}, and since when?"
    bodies = {
        "low-score": f"<p>{town} has {other}, surely. The road there is long and muddy.</p>\n",
        "too-short": f"<p>{other}.</p>\n",
        "too-long": "".join(f"<p>{line}</p>\n" for line in (*_RAMBLE, f"So {other}, then.")),
        "first-person": f"<p>I asked my aunt, who lives in {town}, and {other} it is.</p>\n",
        "cross-reference": f"<p>As mentioned in the other answer, {town} must have {other}.</p>\n",
        "unclear-title": good.answers[0][1],
    }
    score = 4 if trap == "low-score" else generator.randint(20, 90)
    return Exchange(
        title="How does this one work?" if trap == "unclear-title" else question,
        body=good.body,
        score=generator.randint(10, 40),
        answers=((score, bodies[trap]),) if trap in bodies else (),
        trap=trap,
    )
