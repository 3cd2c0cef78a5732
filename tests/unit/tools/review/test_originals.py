"""The candidate behind each example is found again, whatever else the files hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from limaflow.curation.filtering import filtered
from limaflow.curation.settings import Filters
from limaflow.jsonl import write_records
from limaflow.records import Candidate, Provenance
from limaflow.tools.review.originals import Original, Originals


def candidate(number: int, **changes: Any) -> Candidate:
    fields: dict[str, Any] = {
        "id": f"c{number}",
        "source": "beer",
        "shard": "beer",
        "kind": "stackexchange",
        "title": f"How is ale number {number} brewed &amp; kept?",
        "body": f"<p>Tell me how ale is brewed and kept, ale <b>number {number}</b>, from malt "
        "to cask, please. How is it done?</p>",
        "response": f'<p>With <a href="http://example.org">malt</a> and {number} hops.</p>',
        "markup": "html",
        "provenance": Provenance(site="beer", ids=(str(number),), title='"provenance": {}'),
    }
    return Candidate(**{**fields, **changes})


def read(files: list[Path], examples: Any) -> Originals:
    found = Originals(files, examples)
    for _ in found.read():
        pass
    return found


def only(found: Originals, id: str) -> Original:
    original = found.of(id)
    assert original is not None
    return original


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_example_finds_its_title_and_body_whichever_is_its_prompt(
    tmp_path: Path, share: float
) -> None:
    candidates = [candidate(n) for n in range(1200)]
    write_records(tmp_path / "beer.jsonl", candidates)
    examples, _ = filtered(candidates, Filters(title_prompt_share=share), 1)
    found = read([tmp_path / "beer.jsonl"], examples[:20])
    assert found.all_read
    for example in examples[:20]:
        original = only(found, example.id)
        assert example.prompt == (original.title if share else original.body)
        assert (original.title, original.markup) != ("", "text")
        assert 'href="http://example.org"' in original.found["response"]
        assert "<b>" in original.found["body"] and "<b>" not in original.body
    assert found.of(examples[20].id) is None


def test_ids_of_another_site_or_source_are_another_candidate(tmp_path: Path) -> None:
    [example], _ = filtered([candidate(1)], None, 1)
    other = Provenance(site="wine", ids=("1",))
    write_records(
        tmp_path / "others.jsonl",
        [
            candidate(1, provenance=other),
            candidate(1, source="wine"),
            candidate(1, title="Why?", body=""),
        ],
    )
    assert read([tmp_path / "others.jsonl"], [example]).of(example.id) is None


def test_lines_without_spaces_are_read_too_and_broken_ones_are_told(tmp_path: Path) -> None:
    one, two = candidate(1), candidate(2)
    examples, _ = filtered([one, two], None, 1)
    write_records(tmp_path / "beer.jsonl", [one, two])
    lines = (tmp_path / "beer.jsonl").read_text().splitlines()
    compact = json.dumps(json.loads(lines[0]), separators=(",", ":"))
    (tmp_path / "beer.jsonl").write_text(f"{compact}\n{lines[1][:-20]}\n")
    found = read([tmp_path / "beer.jsonl"], examples)
    assert sum(found.of(example.id) is not None for example in examples) == 1
    assert found.all_read
    assert "beer.jsonl: originals cannot be read on" in found.problem
