"""Figures 1 and 2: LIMA against each baseline, by people and by a model."""

from collections.abc import Callable, Iterator, Sequence

from limaflow.analysis.artifacts import lines
from limaflow.analysis.artifacts.artifact import Artifact, Line, exact, scaled
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.exhibits import preferences
from limaflow.analysis.paper import PreferenceRow, paper
from limaflow.analysis.study import Study
from limaflow.measures.summaries import Preference

UNIT = "share of the prompts, per cent"
# The judge of the invented world stands for both, and is called simulated.
KINDS = {"Figure 1": ("person", "simulated"), "Figure 2": ("model", "simulated")}


def people_missing(study: Study) -> str:
    if study.miniature or study.has_people or study.has_recorded_verdicts:
        return ""
    return (
        "judging.people: no round of people is named, and no `comparisons[].verdicts` brings "
        "verdicts of theirs"
    )


def judge_missing(study: Study) -> str:
    if study.has_judges or study.has_recorded_verdicts:
        return ""
    return "judging.instruments.pairwise: no judge compares responses"


def _read(place: str) -> Callable[[Files, Options], list[Line]]:
    def read(files: Files, options: Options) -> list[Line]:
        found = preferences.read(files, options)
        return list(_lines(place, found, options))

    return read


def _lines(place: str, found: Sequence[Preference], options: Options) -> Iterator[Line]:
    ours = [
        one.seen_from(options.lima)
        for one in found
        if options.lima in (one.first, one.second) and one.annotators.kind in KINDS[place]
    ]
    for row in (row for row in paper().preferences.rows if row.place == place):
        arms = {arm for name in row.arms for arm in options.stands_for.get(name, ())}
        standing: list[Preference | None] = [one for one in ours if one.second in arms]
        for one in standing or [None]:
            yield from _of_pair(row.baseline, one, row)
    known = {arm for arms in options.stands_for.values() for arm in arms}
    for one in ours:
        if one.second not in known:
            yield from _of_pair(one.second, one, None)


def _of_pair(name: str, one: Preference | None, row: PreferenceRow | None) -> Iterator[Line]:
    record = paper()
    against = name if one is None or one.second == name else f"{name} ({one.second})"
    for outcome in ("win", "tie", "lose"):
        yield Line(
            panel=UNIT,
            label=f"against {against}: {outcome}",
            ours=scaled(getattr(one, outcome), 100) if one else None,
            basis=f"{one.judge} ({one.annotators.kind}), {one.prompts} prompts" if one else "",
            paper=exact(getattr(row, outcome)) if row else None,
            place=f"arXiv {record.arxiv} {row.place} [{record.preferences.mark}], "
            f"{row.annotator}, {record.preferences.prompts} prompts"
            if row
            else "",
        )


def _artifact(place: str, who: str, missing: Callable[[Study], str]) -> Artifact[Sequence[Line]]:
    return Artifact(
        title=f"{place}: LIMA against each baseline, by {who}",
        inputs=preferences.inputs,
        read=_read(place),
        rows=lines.rows,
        printed=lines.printed,
        draw=lines.draw,
        uses=("lima", "stands_for"),
        missing=missing,
    )


FIGURE_1 = _artifact("Figure 1", "people", people_missing)
FIGURE_2 = _artifact("Figure 2", "a model", judge_missing)
