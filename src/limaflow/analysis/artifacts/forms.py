"""Appendix E: forms kept with and without the training examples that ask for one."""

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Artifact, Line, exact, scaled
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import forms
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study

UNIT = "prompts with all forms kept, per cent"


def missing(study: Study) -> str:
    if not study.checks_formats:
        return "format_checks: responses are not checked for the forms that prompts ask for"
    if not study.roles.get("without-forms"):
        return "datasets[].without: no arm is tuned without the examples that ask for a form"
    return ""


def read(files: Files, options: Options) -> list[Line]:
    """Strict reading, of whole prompts; the paper shows texts and prints no share."""
    data = forms.read(files, options)
    arms = [options.lima, *options.roles.get("without-forms", ())]
    value = paper().values["format-examples"]
    place = f"arXiv {value.arxiv} {value.place} [{value.mark}]"
    kept = [
        Line(
            panel=UNIT,
            label=row.model,
            ours=scaled(row.share, 100),
            basis=f"by rule, {row.prompts} prompts",
        )
        for row in data.shares
        if row.model in arms and not row.rule and (row.level, row.reading) == ("prompts", "strict")
    ]
    differences = [
        Line(
            panel="difference, points",
            label=f"{row.first} minus {row.second}",
            ours=scaled(row.difference, 100),
            basis=f"by rule, {row.prompts} prompts, paired",
        )
        for row in data.differences
        if row.second in arms and (row.level, row.reading) == ("prompts", "strict")
    ]
    examples = Line(
        panel="training examples that ask for a form",
        label="LIMA",
        paper=exact(value.value or 0.0),
        place=place,
    )
    return [*kept, *differences, examples]


APPENDIX_E = Artifact(
    title="Appendix E: forms, with and without examples of them",
    inputs=forms.inputs,
    read=read,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
    uses=("lima", "roles"),
    missing=missing,
)
