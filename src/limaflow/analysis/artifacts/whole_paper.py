"""Every artifact of a study in one table, and what it cannot make."""

import csv
from collections.abc import Sequence
from pathlib import Path

from limaflow.analysis.named_values import texts
from limaflow.analysis.table_formats import FORMATS, write_as

SHOWN = ("quantity", "of", "ours", "ours_low", "ours_high", "measured_by", "paper", "place")


def write_whole(artifacts: Sequence[Path], missing: Sequence[str], path: Path) -> list[str]:
    """Write the numbers of artifacts' CSV files as one table, in all formats.

    Artifacts of texts are a row each, which names their file.

    Args:
        missing: NAME=WHY of the artifacts that the study cannot make.

    Returns: a line for each of those.
    """
    rows = [row for artifact in artifacts for row in _rows(artifact)]
    left_out = texts("--missing", missing)
    empty = dict.fromkeys(SHOWN, "")
    rows += [
        {"artifact": name, **empty, "quantity": f"not made: {why}"}
        for name, why in left_out.items()
    ]
    for suffix in FORMATS:
        write_as(path.with_suffix(suffix), rows)
    return [f"not made: {name}: {why}" for name, why in left_out.items()]


def _rows(artifact: Path) -> list[dict[str, str]]:
    with artifact.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    if found and "quantity" in found[0]:
        return [{"artifact": artifact.stem, **{k: row[k] for k in SHOWN}} for row in found]
    empty = dict.fromkeys(SHOWN, "")
    return [{"artifact": artifact.stem, **empty, "quantity": f"texts: see {artifact.name}"}]
