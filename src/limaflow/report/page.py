"""The report: one HTML file that a sceptic can read without network or scripts.

Everything that a model, a data set or a configuration wrote goes through jinja2's escaping; the
page forbids scripts and foreign resources by its own content policy as well. Sections whose
inputs are not there say which file is missing.
"""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from limaflow.analysis.paper import paper
from limaflow.arms.tuned import TunedArm
from limaflow.config.experiment import Config
from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records
from limaflow.records import ModelManifest, Verdict
from limaflow.report.curation_summary import (
    contamination,
    drop_examples,
    kept_examples,
    lima_dataset,
)
from limaflow.report.finish_reasons import endings
from limaflow.report.provenance import checksums, configuration, package_versions
from limaflow.report.side_by_side import shown_prompts

FOLDER = Path(__file__).parent
MATCHES_SHOWN = 40
FIGURES = ("preferences", "absolute", "quality", "epochs", "tax", "funnel", "lengths", "training")


def build(results: Path, config: Config, *, samples: int, revision: str) -> str:
    """The page of the experiment whose files lie below `results`.

    Raises:
        InputError: the claims or the test prompts are missing, or a file is not what it should be.
    """
    dataset = results / "datasets" / lima_dataset(config) / "frozen"
    claims = read_json(results / "analysis/claims.json", dict[str, Any])
    if not (dataset / "test.jsonl").is_file():
        raise InputError("no test prompts", path=dataset / "test.jsonl")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"interval": interval, "number": number}
    return environment.get_template("page.html").render(
        config=config,
        style=Markup((FOLDER / "style.css").read_text("utf-8")),
        claims=claims["claims"],
        confidence=claims["confidence"],
        verdicts=Counter(claim["verdict"] for claim in claims["claims"]),
        figures={name: inline_svg(results / f"figures/{name}.svg", name) for name in FIGURES},
        sources=table(results / "tables/sources.csv"),
        preferences=optional(results / "analysis/preferences.json", list[dict[str, Any]]),
        strengths=optional(results / "analysis/strengths.json", list[dict[str, Any]]),
        agreement=optional(results / "analysis/agreement.json", list[dict[str, Any]]),
        agreement_of_the_paper=[
            (name.removeprefix("agreement-").replace("-", " and "), value)
            for name, value in paper().values.items()
            if name.startswith("agreement-")
        ],
        agreement_of_grades=optional(
            results / "analysis/agreement_of_grades.json", list[dict[str, Any]]
        ),
        grades=optional(results / "analysis/grades.json", list[dict[str, Any]]),
        tax=optional(results / "analysis/tax.json", list[dict[str, Any]]),
        benchmarks=_benchmarks(results, config),
        funnel=optional(results / "curation/funnel.json", dict[str, Any]),
        dropped=drop_examples(results),
        contamination=contamination(results, config, MATCHES_SHOWN),
        kept=kept_examples(dataset / "train.jsonl", config.seed, 3),
        trainings=_trainings(results, config),
        endings=endings(results, config),
        shown=shown_prompts(results, config, dataset / "test.jsonl", samples),
        judge_uses=_judge_uses(config),
        answered_by=_answered_by(results, config),
        configuration=configuration(config),
        versions=package_versions(),
        checksums=checksums(results, config),
        revision=revision,
    )


def optional(path: Path, kind: type[Any]) -> Any:
    """The file's content, or None if there is no such file."""
    return read_json(path, kind) if path.is_file() else None


def table(path: Path) -> list[dict[str, str]] | None:
    """The rows of a CSV file, or None if there is no such file."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def inline_svg(path: Path, name: str) -> Markup | None:
    """An SVG file of ours to stand inside the page: without prolog, its ids made unique by `name`.

    None if there is no such file.
    """
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    text = text[text.find("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", text)
    return Markup(text)


def interval(value: dict[str, float] | None, form: str = ".2f") -> str:
    """`0.83 [0.75, 0.90]`; a dash for None."""
    if value is None:
        return "–"
    return "{estimate:{f}} [{low:{f}}, {high:{f}}]".format(f=form, **value)


def number(value: Any, form: str = ",") -> str:
    """A number as text; a dash for None and for an empty cell."""
    return "–" if value is None or value == "" else format(value, form)


def _trainings(results: Path, config: Config) -> list[dict[str, Any]]:
    """Facts of each tuned arm: its run, if it is there, and the model chosen."""
    rows = []
    for arm in config.arms:
        if isinstance(arm, TunedArm):
            folder = results / "models" / arm.name
            chosen = optional(folder / "chosen.json", ModelManifest)
            rows.append(
                {
                    "arm": arm.name,
                    "dataset": arm.dataset,
                    "run": optional(folder / "training.json", dict[str, Any]),
                    "chosen": chosen.model if chosen else None,
                }
            )
    return rows


def _benchmarks(results: Path, config: Config) -> dict[str, dict[str, Any]]:
    """Arm → results.json, for the arms that have one."""
    paths = {arm: results / f"benchmarks/{arm}/results.json" for arm in config.benchmarks.arms}
    return {arm: read_json(p, dict[str, Any]) for arm, p in paths.items() if p.is_file()}


def _judge_uses(config: Config) -> dict[str, list[str]]:
    """Judge → the instruments that it is asked by, and whether its grades choose checkpoints."""
    uses = {
        judge.name: [n for n in config.judging.files if judge.name in config.judging.judges(n)]
        for judge in config.judges
    }
    uses[config.judging.selection.judge].append("checkpoint choice")
    return uses


def _answered_by(results: Path, config: Config) -> dict[str, Counter[tuple[str, str]]]:
    """Judge → (model and fingerprint that answered, hash of the instrument) → verdicts."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for judge in (judge.name for judge in config.judges):
        for comparison in config.comparisons:
            path = results / f"verdicts/{judge}/{comparison.name}.jsonl"
            if path.is_file():
                found.setdefault(judge, Counter()).update(
                    (verdict.answered_by, verdict.template)
                    for verdict in read_records(path, Verdict)
                )
    return found
