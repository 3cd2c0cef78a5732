"""The plain text of candidates, for a stand-in base model that is pretrained on a source."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bs4 import BeautifulSoup

from limaflow.jsonl import read_records
from limaflow.records import Candidate


def documents(files: Iterable[Path]) -> Iterator[dict[str, str]]:
    """One document (`{"text": …}`) a candidate: title, body and response as a reader sees them."""
    for file in files:
        for candidate in read_records(file, Candidate):
            parts = [candidate.title, candidate.body, candidate.response]
            if candidate.markup == "html":
                parts = [BeautifulSoup(part, "lxml").get_text() for part in parts]
            text = "\n\n".join(part.strip() for part in parts if part.strip())
            if text:
                yield {"text": text}
