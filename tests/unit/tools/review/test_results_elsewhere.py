"""A review of results that lie elsewhere (`--directory`) keeps the ledger that Snakemake reads."""

from pathlib import Path
from typing import Any

import pytest

from limaflow.config.brought_files import ignored_decisions
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.curation.ledger import Decision, append
from limaflow.errors import InputError
from limaflow.jsonl import write_records
from limaflow.records import Example
from limaflow.tools.review.reviewed_sample import material_of, of_experiment

LEDGER = "experiments/miniature.review.jsonl"


@pytest.fixture
def checkout(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of the miniature, in a folder of its own, where the command starts."""
    folder = tmp_path / "checkout"
    (folder / "experiments").mkdir(parents=True)
    for name in ("config.yaml", "experiments/miniature.yaml"):
        (folder / name).write_bytes((root / name).read_bytes())
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def scratch(tmp_path: Path, sample: list[Example], reserve: list[Example]) -> Path:
    """A folder with a drawn sample, as Snakemake leaves it there."""
    drawn = tmp_path / "scratch/results/miniature/datasets/lima"
    write_records(drawn / "sampled.jsonl", sample)
    write_records(drawn / "reserve.jsonl", reserve)
    return tmp_path / "scratch"


def kept(id: str) -> Decision:
    return Decision(id=id, decision="keep", reviewer="ann")


def test_the_sample_is_found_there_and_the_ledger_in_the_checkout(
    checkout: Path, scratch: Path, sample: list[Example]
) -> None:
    material = of_experiment("miniature", "", None, scratch)
    assert material.sample == sample
    assert material.ledger.absolute() == checkout / LEDGER


def test_decisions_beside_the_results_are_named_and_not_passed_over(
    checkout: Path, scratch: Path
) -> None:
    append(checkout / LEDGER, kept("a"))
    append(scratch / LEDGER, kept("a"))
    of_experiment("miniature", "", None, scratch)
    append(scratch / LEDGER, kept("b"))
    with pytest.raises(InputError, match=rf"1 decisions in {scratch}/{LEDGER} are in none of"):
        of_experiment("miniature", "", None, scratch)


def test_a_ledger_named_otherwise_lies_where_snakemake_works(checkout: Path, scratch: Path) -> None:
    raw: dict[str, Any] = merged(
        [checkout / "config.yaml", checkout / "experiments/miniature.yaml"]
    )
    raw["curation"]["ledger"] = "mine.jsonl"
    append(scratch / "mine.jsonl", kept("a"))
    assert ignored_decisions(parse(raw), checkout, scratch) is None
    overlay = checkout / "mine.yaml"
    overlay.write_text(
        (checkout / "experiments/miniature.yaml").read_text().replace(LEDGER, "mine.jsonl")
    )
    assert of_experiment("mine.yaml", "", None, scratch).ledger == scratch / "mine.jsonl"


def test_without_the_sample_or_outside_the_checkout_the_message_says_what_to_do(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"snakemake --directory /no .* -- results/miniature/"):
        of_experiment("miniature", "", None, Path("/no"))
    with pytest.raises(InputError, match="--sampled stands in place of"):
        material_of(
            experiment="miniature",
            dataset="",
            sampled=tmp_path / "s.jsonl",
            reserve=None,
            ledger=None,
            seed=1,
        )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no config\.yaml here \(start .* in the checkout"):
        of_experiment("miniature", "", None)
