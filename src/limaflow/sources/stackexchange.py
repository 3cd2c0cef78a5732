"""Stack Exchange dumps: Posts.xml, bare or in `<site>.7z`, as questions with their top answer.

Format: https://archive.org/details/stackexchange (one `row` a post; bodies are HTML; PostTypeId 1
is a question, 2 an answer). The paper takes each question's top answer (LIMA §2.1).
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lxml import etree

from limaflow.errors import InputError
from limaflow.records import Candidate, Provenance
from limaflow.sources.archives import member_of_7z
from limaflow.sources.candidates import BestResponses, Shard, best_responses
from limaflow.sources.sites import site_of

QUESTION, ANSWER = "1", "2"


def read(shard: Shard, passed_over: Counter[str]) -> Iterator[Candidate]:
    """One candidate a question, by id, with its best answer; questions without one come too.

    Raises:
        InputError: broken or hostile XML, a row that lacks what it must have, a repeated id.
    """
    with best_responses(shard.scratch) as posts:
        for path in shard.files:
            packed = path.suffix == ".7z"
            opened = member_of_7z(path, "Posts.xml", shard.scratch) if packed else nullcontext(path)
            with opened as xml:
                _store(xml, path, posts, passed_over)
        for question, answer in posts.pairs():
            yield _candidate(question, answer or {}, shard)


def _store(xml: Path, named: Path, posts: BestResponses, passed_over: Counter[str]) -> None:
    """Put the questions and answers of `xml` into `posts`; errors name the file `named`."""
    for number, row in _rows(xml, named):
        kind, place = row.get("PostTypeId"), _Place(named, number, row)
        post: dict[str, Any] = {
            k: row[k] for k in ("Id", "Title", "Body", "ContentLicense") if k in row
        }
        post["Score"] = place.whole("Score")
        post["Author"] = row.get("OwnerDisplayName") or (
            f"user {row['OwnerUserId']}" if "OwnerUserId" in row else ""
        )
        if kind == QUESTION:
            place.need("Title", "Body")
            if not posts.add_prompt(str(place.whole("Id")), post, row.get("AcceptedAnswerId")):
                raise place.error("a question of this Id stands twice")
        elif kind == ANSWER:
            place.need("Body")
            key, parent = place.whole("Id"), place.whole("ParentId")
            posts.add_response(str(parent), str(key), key, post["Score"], post)
        elif not kind:
            raise place.error("no PostTypeId")
        else:
            passed_over[f"post of type {kind}"] += 1


def _rows(xml: Path, named: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and attributes of each post, with nothing of the tree kept."""
    try:
        with xml.open("rb") as file:
            # Entities stay unresolved, nothing is loaded, and libxml2's size limits stand.
            events = etree.iterparse(
                file, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            for number, (_, element) in enumerate(events):
                # A DTD stands before the first element or nowhere.
                if not number and element.getroottree().docinfo.internalDTD is not None:
                    raise InputError("declares a DTD, which no dump does", path=named)
                if element.tag == "row":
                    yield element.sourceline or 0, dict(element.attrib)
                element.clear()
                while (before := element.getprevious()) is not None:
                    before.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        raise InputError(f"not sound XML: {error.msg}", path=named, line=error.lineno) from None
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path=named) from None


class _Place:
    """A row with the file and line to name when it is wrong."""

    def __init__(self, path: Path, line: int, row: dict[str, str]) -> None:
        self._path, self._line, self._row = path, line, row

    def error(self, message: str) -> InputError:
        post = f"post {self._row.get('Id', 'without Id')}: {message}"
        return InputError(post, path=self._path, line=self._line)

    def need(self, *names: str) -> None:
        for name in names:
            if name not in self._row:
                raise self.error(f"no {name}")

    def whole(self, name: str) -> int:
        self.need(name)
        text = self._row[name]
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise self.error(f"{name} is {text[:40]!r}, not a whole number")
        return int(text)


def _candidate(question: dict[str, Any], answer: dict[str, Any], shard: Shard) -> Candidate:
    site = site_of(shard.name)
    posts = [post for post in (question, answer) if post]
    licences = [post["ContentLicense"] for post in posts if "ContentLicense" in post]
    return Candidate(
        id=shard.id(question["Id"]),
        source=shard.source,
        shard=shard.name,
        kind="stackexchange",
        title=question["Title"],
        body=question["Body"],
        response=answer.get("Body", ""),
        markup="html",
        prompt_score=question["Score"],
        response_score=answer.get("Score"),
        stratum=shard.name,
        provenance=Provenance(
            site=site,
            ids=tuple(post["Id"] for post in posts),
            urls=tuple(
                f"https://{site}/{kind}/{post['Id']}"
                for kind, post in zip(("q", "a"), posts, strict=False)
            ),
            authors=tuple(post["Author"] for post in posts),
            licence=", ".join(dict.fromkeys(licences)) or shard.licence,
            score=answer.get("Score", question["Score"]),
            prompt_score=question["Score"],
        ),
    )
