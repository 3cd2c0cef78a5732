"""The report: one HTML file that a sceptic can read without network, and without its one script.

Everything that a model, a data set or a configuration wrote goes through jinja2's escaping; the
page forbids foreign resources by its own content policy as well, and all scripts but the one that
sorts a table. Sections whose inputs are not there say which file is missing.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from pydantic import TypeAdapter

from limaflow.analysis.claims import Claims, flag_in_words
from limaflow.analysis.exhibits import tax_readers, tax_split
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study, study_of
from limaflow.arms.preference import PreferenceArm
from limaflow.config.experiment import Config
from limaflow.curation.funnel import Funnel
from limaflow.errors import InputError
from limaflow.intervals import Interval
from limaflow.jsonl import read_json, read_records
from limaflow.measures.significance import rounded
from limaflow.measures.summaries import (
    Agreement,
    GradeAgreement,
    GradeSummary,
    Preference,
    Strengths,
    TaskTax,
)
from limaflow.recording.surroundings import package_versions
from limaflow.records import ModelManifest, Verdict
from limaflow.refusals.rates import RefusalRate
from limaflow.refusals.safety import Safety
from limaflow.report.answer import QUESTION, answer_of, signed
from limaflow.report.curation_summary import contamination, drop_examples, kept_examples
from limaflow.report.effort import effort
from limaflow.report.existing import optional, table
from limaflow.report.finish_reasons import endings
from limaflow.report.job_list import jobs_by_command
from limaflow.report.provenance import checksums, configuration
from limaflow.report.side_by_side import shown_prompts
from limaflow.results import Results
from limaflow.standalone import source_hash
from limaflow.tags import is_harmful
from limaflow.training.manifest import PreferenceNotes, TrainingManifest

FOLDER = Path(__file__).parent
MATCHES_SHOWN = 40
PLACED = (
    "Preferences",
    "Grades",
    "Dialogues",
    "Forms",
    "Safety",
    "Data",
    "Curation",
    "Training",
    "Epochs",
    "Benchmarks",
    "Token shift",
)
"""Categories of figures that have their place in page.html; others are shown at the end."""


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    """A figure of the study; `svg` is None where its file is missing."""

    name: str
    caption: str
    svg: Markup | None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A tuned arm: its run, if it is there, and the model chosen."""

    arm: str
    dataset: str
    run: TrainingManifest | None
    chosen: str | None


@dataclass(frozen=True, kw_only=True)
class PreferenceTuned:
    """A preference-tuned arm; None where its model is missing."""

    arm: str
    start: str
    notes: PreferenceNotes | None


@dataclass(frozen=True, kw_only=True)
class TaskScore:
    """What the page reads of one task in a model's results.json."""

    truncated_items: int | None = None


@dataclass(frozen=True, kw_only=True)
class FormatScores:
    """Task → score in one format."""

    scores: dict[str, TaskScore] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BenchmarkResults:
    """What the page reads of results.json: task → score."""

    scores: dict[str, TaskScore] = field(default_factory=dict)
    also: dict[str, FormatScores] = field(default_factory=dict)

    @property
    def by_format(self) -> dict[str, dict[str, TaskScore]]:
        """Further format, or "" for the main one → task → score."""
        return {"": self.scores} | {name: found.scores for name, found in self.also.items()}


def build(
    root: Path, config: Config, *, samples: int, revision: str, effort_is_written: bool = False
) -> str:
    """The page of the experiment whose files lie below `root`.

    Args:
        effort_is_written: whether the table of effort is written as files too, which are linked.

    Raises:
        InputError: the claims or the test prompts are missing, or a file is not what it should be.
    """
    results = Results(root)
    study = study_of(config, results, scales={})
    claims = read_json(results.analysis("claims"), Claims)
    test = results.frozen(study.dataset, "test") if study.dataset else results.prompts("test")
    if not test.is_file():
        raise InputError("no test prompts", path=test)
    figures = figures_by_category(study)
    tax = optional(results.analysis("tax"), list[TaskTax])
    script = (FOLDER / "sort.js").read_text("utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "interval": interval,
        "number": number,
        "cells": cells,
        "p_value": rounded,
        "anchor": anchor,
        "breakable": breakable,
        "flag": flag_in_words,
        "harmful": is_harmful,
        "signed": signed,
    }
    return environment.get_template("page.html").render(
        config=config,
        answer=answer_of(results, config),
        question=QUESTION,
        script=Markup(script),
        script_hash=source_hash(script),
        style=Markup((FOLDER / "style.css").read_text("utf-8")),
        claims=claims.claims,
        confidence=claims.confidence,
        verdicts=Counter(claim.verdict for claim in claims.claims),
        figures=figures,
        further=[figure for name in figures if name not in PLACED for figure in figures[name]],
        sources=table(results.table("sources")),
        effort=effort(results, config),
        effort_is_written=effort_is_written,
        by_tag=table(results.table("by_tag")),
        accuracy=table(results.table("accuracy")),
        safety=optional(results.analysis("safety"), Safety),
        refusals=optional(results.analysis("refusals"), list[RefusalRate]),
        tables={name for name in TABLES if results.table(name).is_file()},
        preferences=optional(results.analysis("preferences"), list[Preference]),
        strengths=optional(results.analysis("strengths"), list[Strengths]),
        agreement=optional(results.analysis("agreement"), list[Agreement]),
        said=paper().values,
        agreement_of_the_paper=[
            (name.removeprefix("agreement-").replace("-", " and "), value)
            for name, value in paper().values.items()
            if name.startswith("agreement-")
        ],
        agreement_of_grades=optional(results.analysis("agreement_of_grades"), list[GradeAgreement]),
        grades=optional(results.analysis("grades"), list[GradeSummary]),
        tax=tax,
        tax_parts=tax_split.rows(tax_split.parts_of(tax or [], claims.confidence)),
        tax_readers=tax_readers.rows(tax_readers.Read(tax or [], claims.confidence)),
        reader_agreement=tax_readers.agreement_rows(tax or []),
        truncated=_truncated(results, config),
        funnel=optional(results.funnel, Funnel),
        dropped=drop_examples(results),
        contamination=contamination(results, config, MATCHES_SHOWN),
        kept=kept_examples(results.frozen(study.dataset, "train"), config.seed, 3)
        if study.dataset
        else [],
        trainings=_trainings(results, config),
        preference_tuned=_preference_tuned(results, config),
        endings=endings(results, config),
        shown=shown_prompts(root, config.as_written, test, samples),
        asked_for={judge.name: _asked_for(judge.name, config) for judge in config.judges},
        answered_by=_answered_by(results, config),
        configuration=configuration(config),
        versions=package_versions(),
        checksums=checksums(results, config),
        jobs=jobs_by_command(results.root),
        folder=f"results/{config.experiment}",
        revision=revision,
    )


def figures_by_category(study: Study) -> dict[str, list[ShownFigure]]:
    """Category → the figures that are there or should be, in the catalogue's order."""
    found: dict[str, list[ShownFigure]] = {name: [] for name in PLACED}
    for name, figure in FIGURES.items():
        svg = inline_svg(study.results.figure(name), name)
        if svg is not None or figure.applies(study):
            shown = ShownFigure(name=name, caption=figure.caption, svg=svg)
            found.setdefault(figure.category, []).append(shown)
    return found


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


def interval(value: Interval | None, form: str = ".2f") -> str:
    """`0.83 [0.75, 0.90]`, the ends on one line; a dash for None."""
    if value is None:
        return "–"
    return f"{value.estimate:{form}} [{value.low:{form}},\N{NO-BREAK SPACE}{value.high:{form}}]"


def cells(row: dict[str, str], name: str, form: str = ".2f") -> str:
    """An interval out of the three cells of a table's row; a dash where they are empty."""
    ends = [row[key] for key in (name, f"{name}_low", f"{name}_high")]
    return "–" if not all(ends) else interval(Interval(*map(float, ends)), form)


def number(value: float | str | None, form: str = ",") -> str:
    """A number as text; a dash for None and for an empty cell."""
    return "–" if value is None or value == "" else format(value, form)


def breakable(name: str) -> Markup:
    """A name that may go on in another line after an underscore or a comma."""
    return Markup(re.sub(r"(?<=[_,])", Markup("<wbr>"), escape(name)))


def anchor(claim: str) -> str:
    """The id of a claim in the page: `claim-no-tax`."""
    return "claim-" + re.sub(r"[^\w.-]+", "-", claim)


def _trainings(results: Results, config: Config) -> list[Trained]:
    found = []
    for arm in config.arms:
        if not arm.is_trained:
            continue
        chosen = optional(results.chosen_model(arm.name), ModelManifest)
        found.append(
            Trained(
                arm=arm.name,
                dataset=arm.training_dataset or "",
                run=optional(results.training(arm.name), TrainingManifest),
                chosen=chosen.model if chosen else None,
            )
        )
    return found


def _preference_tuned(results: Results, config: Config) -> list[PreferenceTuned]:
    found = []
    for arm in config.arms:
        if isinstance(arm, PreferenceArm):
            model = optional(results.chosen_model(arm.name), ModelManifest)
            notes = TypeAdapter(PreferenceNotes).validate_python(model.notes) if model else None
            start = arm.start or config.analysis.lima_arm
            found.append(PreferenceTuned(arm=arm.name, start=start, notes=notes))
    return found


def _truncated(results: Results, config: Config) -> dict[tuple[str, str, str], int | None]:
    """(Arm, further format, task) → items cut to the model's context, where it is recorded."""
    paths = {arm: results.benchmark_results(arm) for arm in config.benchmarks.arms}
    found = {
        arm: read_json(path, BenchmarkResults) for arm, path in paths.items() if path.is_file()
    }
    return {
        (arm, further, task): score.truncated_items
        for arm, measured in found.items()
        for further, scores in measured.by_format.items()
        for task, score in scores.items()
    }


def _asked_for(judge: str, config: Config) -> list[str]:
    """The instruments that a judge is asked by, and whether its grades choose checkpoints."""
    judging = config.judging
    return [
        *(name for name in judging.files if judge in judging.judges(name)),
        *(["checkpoint choice"] if judge == judging.selection.judge else []),
    ]


def _answered_by(results: Results, config: Config) -> dict[str, Counter[tuple[str, str]]]:
    """Judge → (model and fingerprint that answered, hash of the instrument) → verdicts."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for judge in (judge.name for judge in config.judges):
        for comparison in config.comparisons:
            path = results.verdicts(judge, comparison.name)
            if path.is_file():
                found.setdefault(judge, Counter()).update(
                    (verdict.answered_by, verdict.template)
                    for verdict in read_records(path, Verdict)
                )
    return found
