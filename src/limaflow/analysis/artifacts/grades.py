"""Figure 3 (excellent, pass or fail); Figures 5 and 6 (grades by kind and number of examples)."""

from collections.abc import Iterator, Mapping, Sequence

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Artifact, Line, exact, scaled
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import quality
from limaflow.analysis.exhibits.absolute import OF_FIGURE_3, THEIRS
from limaflow.analysis.graded_scales import by_instrument
from limaflow.analysis.paper import LikertRow, paper
from limaflow.analysis.study import Study
from limaflow.intervals import Interval
from limaflow.jsonl import read_json
from limaflow.measures.summaries import GradeSummary
from limaflow.training.manifest import read_training

LIKERT = "mean grade, 1 to 6"


def words_missing(study: Study) -> str:
    if any(set(words) == set(OF_FIGURE_3) for words in study.scales.values()):
        return ""
    return "judging.instruments.quality: nobody grades responses excellent, pass or fail"


def in_words(files: Files, options: Options) -> list[Line]:
    """Shares of each word, of every arm, then the paper's."""
    found = []
    grades = by_instrument(read_json(files["grades"][0], list[GradeSummary]), numbers=False)
    for grade in (one for summaries in grades.values() for one in summaries):
        if set(grade.words.values()) != set(OF_FIGURE_3):
            continue
        shares = {grade.words[value]: share for value, share in grade.shares.items()}
        for word in OF_FIGURE_3:
            is_papers = grade.model == options.lima
            value = paper().values[f"outputs-{word}"]
            found.append(
                Line(
                    panel="share of the responses, per cent",
                    label=f"{grade.model}: {word}",
                    ours=scaled(shares[word], 100) if word in shares else None,
                    basis=f"{grade.judge}, {grade.prompts} prompts",
                    paper=exact(value.value or 0.0) if is_papers else None,
                    place=f"arXiv {value.arxiv} {value.place} [{value.mark}]" if is_papers else "",
                )
            )
    return found + list(_unlike())


def _unlike() -> Iterator[Line]:
    suffix = THEIRS["20 prompts unlike the training's"]
    for word in OF_FIGURE_3:
        value = paper().values[f"outputs-{word}{suffix}"]
        yield Line(
            panel="share of the responses, per cent",
            label=f"prompts unlike the training’s: {word}",
            paper=exact(value.value or 0.0),
            place=f"arXiv {value.arxiv} {value.place} [{value.mark}]",
        )


def likert_missing(study: Study) -> str:
    if any(set(words) == set("123456") for words in study.scales.values()):
        return ""
    return "judging.instruments.likert: nobody grades responses from 1 to 6"


def kinds_missing(study: Study) -> str:
    if study.roles.get("unfiltered") or study.roles.get("wikihow"):
        return likert_missing(study)
    return (
        "sources[].filters: no arm is tuned on examples of sources with all rules off, and none on "
        "wikiHow alone (datasets[].examples), as in experiments/ablations.yaml"
    )


def numbers_missing(study: Study) -> str:
    if study.roles.get("ablation"):
        return likert_missing(study)
    return "datasets[].examples: no arm is tuned on another number of the LIMA arm's examples"


def inputs(study: Study) -> Files:
    arms = [arm for arm in study.arms if arm in study.tuned]
    return {
        "grades": [study.results.analysis("grades")],
        "training": [study.results.training(arm) for arm in arms],
    }


def by_kind(files: Files, options: Options) -> list[Line]:
    """Figure 5: arms on wikiHow, on unfiltered and on filtered examples."""
    roles = options.roles
    arms = {
        "wikiHow, 2K": roles.get("wikihow", ()),
        "unfiltered Stack Exchange, 2K": roles.get("unfiltered", ()),
        "filtered Stack Exchange, 2K": (options.lima,),
    }
    ours = _grades(files)
    return [
        line
        for row in paper().likert.rows
        if row.place == "Figure 5"
        for line in _of_row(row, [arm for arm in arms.get(row.label, ()) if arm in ours], ours)
    ]


def by_number(files: Files, options: Options) -> list[Line]:
    """Figure 6: arms by their number of examples; a row of the paper's by the same number."""
    ours = _grades(files)
    sizes = {run.arm: run.examples for run in map(read_training, files["training"])}
    arms = sorted(
        {options.lima, *options.roles.get("ablation", ())} & set(ours) & set(sizes),
        key=lambda arm: (sizes[arm], arm),
    )
    # The first is of Figure 5, which Figure 6 begins with.
    rows = [row for row in paper().likert.rows if row.label.startswith("filtered")]
    found = [
        line
        for row in rows
        for line in _of_row(row, [arm for arm in arms if sizes[arm] == row.examples], ours)
    ]
    papers = {row.examples for row in rows}
    return found + [
        _of_arm(f"{arm} ({sizes[arm]:,} examples)", ours[arm], None)
        for arm in arms
        if sizes[arm] not in papers
    ]


def _grades(files: Files) -> dict[str, GradeSummary]:
    """Arm → its grades on the paper's scale, by the first judge of it."""
    found: dict[str, GradeSummary] = {}
    for grades in by_instrument(
        read_json(files["grades"][0], list[GradeSummary]), numbers=True
    ).values():
        for grade in grades:
            if set(grade.words.values()) == set("123456"):
                found.setdefault(grade.model, grade)
    return found


def _of_row(
    row: LikertRow, arms: Sequence[str], ours: Mapping[str, GradeSummary]
) -> Iterator[Line]:
    if not arms:
        yield _of_arm(row.label, None, row)
    for arm in arms:
        yield _of_arm(f"{row.label} ({arm})", ours[arm], row)


def _of_arm(label: str, grade: GradeSummary | None, row: LikertRow | None) -> Line:
    record = paper()
    return Line(
        panel=LIKERT,
        label=label,
        ours=grade.mean if grade else None,
        basis=f"{grade.judge} ({grade.instrument}), {grade.prompts} prompts" if grade else "",
        paper=Interval(row.mean, row.mean - row.margin, row.mean + row.margin) if row else None,
        place=f"arXiv {record.arxiv} {row.place} [{record.likert.mark}], {record.likert.model}, "
        f"{record.likert.annotator}"
        if row
        else "",
    )


FIGURE_3 = Artifact(
    title="Figure 3: responses graded excellent, pass or fail",
    inputs=quality.inputs,
    read=in_words,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
    uses=("lima",),
    missing=words_missing,
)
FIGURE_5 = Artifact(
    title="Figure 5: grades by kind of examples",
    inputs=quality.inputs,
    read=by_kind,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
    uses=("lima", "roles"),
    missing=kinds_missing,
)
FIGURE_6 = Artifact(
    title="Figure 6: grades by number of examples",
    inputs=inputs,
    read=by_number,
    rows=lines.rows,
    printed=lines.printed,
    draw=lines.draw,
    uses=("lima", "roles"),
    missing=numbers_missing,
)
