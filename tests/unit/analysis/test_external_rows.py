"""Published values stand beside a claim with their n and interval, and decide nothing."""

import re
from pathlib import Path

import pytest

from limaflow.analysis.claims import Claim, decided
from limaflow.analysis.evidence import Evidence
from limaflow.analysis.paper import paper
from limaflow.errors import InputError

ROW = """
- id: mine
  evidence: recorded
  beside: [{beside}]
  study: Another study
  source: arXiv 1234.56789
  mark: P
  n: 40
  interval: 95 % over prompts
  values: [{{label: share, value: 60.6, unit: "%", {interval}}}]
"""


def claims_of(*files: Path) -> dict[str, Claim]:
    return {c.id: c for c in decided(files, Evidence(lima="lima"), paper())}


def written(folder: Path, beside: str = "no-tax", interval: str = "margin: 3.5") -> Path:
    path = folder / "mine.yaml"
    path.write_text(ROW.format(beside=beside, interval=interval), encoding="utf-8")
    return path


def shown(claim: Claim) -> list[str]:
    return [f"{value.label}: {value.number}" for row in claim.recorded for value in row.values]


def test_a_row_of_ones_own_stands_beside_a_claim_of_the_package_and_decides_nothing(
    tmp_path: Path,
) -> None:
    before, after = claims_of()["no-tax"], claims_of(written(tmp_path))["no-tax"]
    assert after.recorded[:-1] == before.recorded
    assert (after.verdict, after.measured, after.reason) == (
        before.verdict,
        before.measured,
        before.reason,
    )
    (value,) = after.recorded[-1].values
    assert (value.low, value.high) == (57.1, 64.1)
    assert value.number == "60.6 % [57.1, 64.1]"
    assert value.basis == "95 % over prompts, n = 40 prompts"
    assert after.recorded[-1].source == "arXiv 1234.56789 [P]"


def test_the_lima_arm_of_eleven_bases_stands_beside_the_tax() -> None:
    assert shown(claims_of()["no-tax"])[:3] == [
        "NaturalQuestions, 5-shot: −7.3 points",
        "MMLU, 5-shot (probably answer extraction): +12.7 points",
        "BoolQ, 5-shot (probably answer extraction): +38.0 points",
    ]
    assert "8 of the 11" in claims_of()["no-tax"].recorded[0].note


@pytest.mark.parametrize(
    ("base", "shares"),
    [
        ("limit-mpt-30b", ["60.6 % [57.1, 64.1]", "79.5 % [76.5, 82.5]", "53.1 % [49.6, 56.6]"]),
        ("limit-mpt-7b", ["54.7 % [51.2, 58.2]", "59.1 % [55.2, 63.0]", "34.9 % [31.6, 38.2]"]),
    ],
)
def test_gpt_4s_verdicts_on_limas_prompts_stand_beside_quantity(
    base: str, shares: list[str]
) -> None:
    (row,) = [row for row in claims_of()["quantity"].recorded if row.id == base]
    assert [value.number for value in row.values] == shares
    assert {(value.n, value.counted) for value in row.values} == {(300, "prompts")}


def test_scores_are_written_to_the_decimals_of_their_row() -> None:
    scores = [value.number for row in claims_of()["safety"].recorded for value in row.values]
    assert scores == ["4.915", "4.745", "5.000", "4.600"]


def test_every_row_names_its_source_and_how_sure_it_is() -> None:
    rows = {row.id: row for claim in claims_of().values() for row in claim.recorded}
    assert len(rows) >= 10
    for row in rows.values():
        assert row.source.endswith(("[P]", "[Q]", "[E]", "[D]", "[?]")), row.id


@pytest.mark.parametrize(
    ("beside", "interval", "mistake"),
    [
        ("no-taxes", "margin: 1", "did you mean 'no-tax'"),
        ("no-tax", "low: 1", "both low and high"),
        ("no-tax", "low: 1, high: 2", "outside its interval"),
        ("no-tax", "low: 60, high: 61, margin: 1", "margin, or low and high"),
        ("no-tax", "margen: 1", "did you mean 'margin'"),
    ],
)
def test_a_mistake_in_a_row_is_named(
    beside: str, interval: str, mistake: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=mistake) as error:
        claims_of(written(tmp_path, beside, interval))
    assert "mine.yaml" in str(error.value)


def test_an_interval_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("  interval: 95 % over prompts\n", ""))
    with pytest.raises(InputError, match="say in `interval` what the intervals are"):
        claims_of(path)


def test_an_unknown_kind_of_evidence_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("evidence: recorded", "evidence: recorder"))
    with pytest.raises(InputError, match="did you mean 'recorded'"):
        claims_of(path)


def test_the_id_of_a_row_is_given_once(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(InputError, match="external row mine: the id is taken"):
        claims_of(path)


def test_where_the_note_misquotes_the_correction_has_the_papers_shares() -> None:
    claims = claims_of()
    note = {name: claim for name, claim in claims.items() if claim.origin == "note"}
    assert note["note-chatgpt"].correction.startswith("43 % is equal or preferred against GPT-4")
    assert note["note-gpt-4"].correction.startswith("58 % is equal or preferred against Bard")
    assert len(note) == 4
    assert all(claim.correction and claim.reason and claim.see for claim in note.values())


def test_a_claim_may_only_point_to_claims_that_exist(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("- {id: mine, statement: Ours., see: [no-taxes]}\n")
    with pytest.raises(InputError, match="did you mean 'no-tax'"):
        claims_of(path)


def test_the_example_of_the_documentation_stands_beside_both_claims(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    wanted = [b for b in blocks if "clearly-preferred-to-base" in b]
    path = tmp_path / "claims.yaml"
    path.write_text("".join(wanted), encoding="utf-8")
    claims = claims_of(path)
    for name in ("preferred-to-base", "clearly-preferred-to-base"):
        assert shown(claims[name])[-1] == "wins + ½ ties: 71.5 % [67.3, 75.7]"


def test_every_origin_has_claims_of_its_own() -> None:
    origins = [claim.origin for claim in claims_of().values()]
    assert {"paper", "critic", "note", "later work"} == set(origins)
