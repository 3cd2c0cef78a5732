"""The commands of `limaflow judge` that turn verdicts and grades into rates and agreement."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limaflow.measures.summaries import Preference
    from limaflow.records import Judgment, Verdict

MergeRule = Annotated[
    Literal["strict", "majority", "mean"],
    typer.Option(
        "--merge",
        help="Two orders that disagree: a tie; a tie unless one says tie, then the other's; "
        "half each.",
    ),
]
Bootstrap = Annotated[int, typer.Option(min=1, help="Bootstrap rounds over prompts.")]
Confidence = Annotated[float, typer.Option(min=0.5, max=0.9999, help="Level of the intervals.")]
Seed = Annotated[int, typer.Option(min=0, help="The experiment's seed.")]
Output = Annotated[Path, typer.Option(help="The file to write.")]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", help="NAME=annotator,annotator: crowd, authors, …; `expert_*` too; repeat."
    ),
]
Instruments = Annotated[
    list[str] | None,
    typer.Option("--instrument", help="File of an instrument that is not the package's; repeat."),
]
GradeFiles = Annotated[
    list[Path] | None,
    typer.Argument(help="JSONL of grades; `limaflow judge import-grades` makes them."),
]
FurtherSeeds = Annotated[
    list[str] | None,
    typer.Option(
        help="FURTHER=ARM: a model that is that arm, trained with another seed. From five seeds on "
        "the arm's rates and means are over all of them; repeat."
    ),
]
VerdictFiles = Annotated[
    list[Path] | None, typer.Argument(help="JSONL of verdicts; `limaflow judge import` makes them.")
]


def summarize(
    verdicts: VerdictFiles = None,
    *,
    output: Output,
    seed: Seed,
    merge: MergeRule = "strict",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    responses: Annotated[
        list[Path] | None, typer.Option(help="JSONL of the responses judged, for their lengths.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="The prompts that were asked (JSONL), to name their set.")
    ] = None,
    strengths: Annotated[
        Path | None, typer.Option(help="Also write Bradley–Terry strengths of the models.")
    ] = None,
    pool: Annotated[
        str, typer.Option(help="Take all annotators of a file as one crowd of this name.")
    ] = "",
    instrument: Instruments = None,
    further_seed: FurtherSeeds = None,
) -> None:
    """Win, tie and lose rates with intervals over prompts, and how far to trust the judge."""
    import dataclasses

    from limaflow.errors import InputError
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.measures.outcomes import pooled, renumbered
    from limaflow.measures.preferences import (
        Judged,
        length_of,
        lengths_in,
        over_seeds,
        preferences,
    )
    from limaflow.measures.replies import Replies, check_responses
    from limaflow.measures.strengths import strengths_by_judge
    from limaflow.measures.training_seeds import arms_trained_again
    from limaflow.records import Example, Response

    asked = {example.id for example in read_records(prompts, Example)} if prompts else set()
    answered: dict[str, list[Response]] = {}
    for path in responses or []:
        for response in read_records(path, Response):
            answered.setdefault(response.model, []).append(response)
    chars = length_of(response for of_model in answered.values() for response in of_model)
    replies = Replies(instrument or ())
    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    again = arms_trained_again(further_seed or [])
    judged: list[Judged] = []
    everything = []
    for path in verdicts or ():
        held = _verdicts_of(path)
        replies.check_verdicts(path, held)
        check_responses(path, held, answered)
        records = renumbered(held)
        if pool:
            records = pooled(records, pool)
        if not any(v.first in again or v.second in again for v in records):
            everything += records
        try:
            judged += [
                (found, [v for v in records if v.annotator == found.judge])
                for found in preferences(
                    records,
                    rule=merge,
                    resampling=resampling,
                    chars=chars | lengths_in(records),
                    comparison=path.stem,
                    asked=asked,
                )
            ]
        except InputError as error:
            raise InputError(str(error), path=path) from None
    summaries = over_seeds(judged, again, resampling)
    write_json(output, [dataclasses.asdict(summary) for summary in summaries])
    if not verdicts:
        print("no responses are compared")
    for note in replies.notes():
        print(note)
    for s in summaries:
        print(_line(s))
    if strengths is not None:
        found = strengths_by_judge(everything, rule=merge, resampling=resampling)
        write_json(strengths, [dataclasses.asdict(of_judge) for of_judge in found])
        for of_judge in found:
            ranked = sorted(of_judge.estimates.items(), key=lambda model: -model[1])
            listed = ", ".join(f"{name} {strength:+.2f}" for name, strength in ranked)
            if of_judge.refused:
                refusal = of_judge.refused
                listed = f"{listed}; no intervals: {refusal}" if listed else refusal
            print(f"Bradley–Terry ({of_judge.judge}): {listed}")


def agreement(
    verdicts: VerdictFiles = None,
    *,
    output: Output,
    seed: Seed,
    merge: MergeRule = "strict",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    group: Groups = None,
    instrument: Instruments = None,
) -> None:
    """How far people, models, and a judge with itself agree on the same pairs of responses."""
    import dataclasses

    from limaflow.intervals import Resampling
    from limaflow.jsonl import write_json
    from limaflow.measures.ratings import default_groups, groups_of
    from limaflow.measures.replies import Replies
    from limaflow.measures.verdict_agreement import agreements

    verdicts = verdicts or []
    files = [_verdicts_of(path) for path in verdicts]
    replies = Replies(instrument or ())
    for path, held in zip(verdicts, files, strict=True):
        replies.check_verdicts(path, held)
    found = agreements(
        files,
        groups_of(group) or default_groups(verdict for records in files for verdict in records),
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
        merge,
    )
    write_json(output, [dataclasses.asdict(row) for row in found])
    for note in replies.notes():
        print(note)
    for row in found:
        kappa = f", kappa {row.cohen.estimate:.3f}" if row.cohen else ""
        alpha = f", alpha {row.alpha.estimate:.3f}" if row.alpha else ""
        print(
            f"{row.relation}: {row.first}, {row.second}: {row.items} items, "
            f"{row.agreement.estimate:.1%} agree, "
            f"{row.tie_discounted.estimate:.1%} tie-discounted{kappa}{alpha}"
        )
    if not found:
        print("no two verdicts are on the same item")
    _print_hasty(verdict for records in files for verdict in records)


def summarize_grades(
    grades: GradeFiles = None,
    *,
    output: Output,
    seed: Seed,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    instrument: Instruments = None,
    further_seed: FurtherSeeds = None,
) -> None:
    """Mean grade of each model with an interval over prompts, and the count of each level."""
    import dataclasses

    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.judging.instrument import known
    from limaflow.measures.grade_means import grade_summaries
    from limaflow.measures.replies import Replies
    from limaflow.measures.training_seeds import arms_trained_again
    from limaflow.records import Grade

    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    replies, records = Replies(instrument or ()), []
    for path in grades or ():
        held = list(read_records(path, Grade))
        replies.check_grades(path, held)
        records += held
    again = arms_trained_again(further_seed or [])
    summaries = grade_summaries(records, known(instrument or ()), resampling, again)
    write_json(output, [dataclasses.asdict(summary) for summary in summaries])
    if not grades:
        print("no response is graded")
    for note in replies.notes():
        print(note)
    for s in summaries:
        graded = s.errors + sum(s.counts.values())
        failed = f" ({s.errors} of {graded} grades failed)" if s.errors else ""
        print(
            f"{s.model} ({s.judge}, {s.instrument}): {s.prompts} prompts{failed}, mean "
            f"{s.mean.estimate:.2f} [{s.mean.low:.2f}, {s.mean.high:.2f}]"
        )


def agreement_of_grades(
    grades: GradeFiles = None,
    *,
    output: Output,
    seed: Seed,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    group: Groups = None,
    instrument: Instruments = None,
) -> None:
    """How far people, models, and a judge with itself agree on grades of the same responses."""
    import dataclasses

    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.judging.instrument import known
    from limaflow.measures.grade_agreement import grade_agreements
    from limaflow.measures.ratings import default_groups, groups_of
    from limaflow.measures.replies import Replies
    from limaflow.records import Grade

    grades = grades or []
    files = [list(read_records(path, Grade)) for path in grades]
    replies = Replies(instrument or ())
    for path, held in zip(grades, files, strict=True):
        replies.check_grades(path, held)
    found = grade_agreements(
        files,
        groups_of(group) or default_groups(grade for records in files for grade in records),
        known(instrument or ()),
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [dataclasses.asdict(row) for row in found])
    for note in replies.notes():
        print(note)
    for row in found:
        weighted = "" if row.weights == "none" else f"{row.weights} "
        kappa = f", {weighted}kappa {row.cohen.estimate:.3f}" if row.cohen else ""
        alpha = f", {row.metric} alpha {row.alpha.estimate:.3f}" if row.alpha else ""
        print(
            f"{row.instrument}, {row.relation}: {row.first}, {row.second}: "
            f"{row.items} responses, {row.agreement.estimate:.1%} agree{kappa}{alpha}"
        )
    if not found:
        print("no two grades are of the same response")
    _print_hasty(grade for records in files for grade in records)


def numbers_by_tag(
    *,
    prompts: Annotated[Path, typer.Option(help="The prompts that were asked, with their tags.")],
    tag: Annotated[list[str], typer.Option(help="sensitive, attack, …: each label of it; repeat.")],
    output: Output,
    seed: Seed,
    grades: Annotated[list[Path] | None, typer.Option(help="JSONL of grades; repeat.")] = None,
    verdicts: Annotated[
        list[Path] | None, typer.Option(help="JSONL of the verdicts of a comparison; repeat.")
    ] = None,
    merge: MergeRule = "strict",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
    instrument: Instruments = None,
) -> None:
    """Mean grades and win rates on the prompts of each label alone."""
    import dataclasses

    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.judging.instrument import known
    from limaflow.measures.by_tag import by_tag
    from limaflow.measures.outcomes import renumbered
    from limaflow.records import Example, Grade

    found = by_tag(
        read_records(prompts, Example),
        tag,
        grades=[grade for path in grades or () for grade in read_records(path, Grade)],
        verdicts=[(path.stem, renumbered(_verdicts_of(path))) for path in verdicts or ()],
        instruments=known(instrument or ()),
        rule=merge,
        resampling=Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [dataclasses.asdict(row) for row in found])
    for row in found:
        what = f"against {row.against}" if row.against else row.instrument
        i = row.number
        print(
            f"{row.label}: {row.arm}, {what}, {row.judge}: {i.estimate:.3f} [{i.low:.3f}, "
            f"{i.high:.3f}], {row.judged} of {row.prompts} prompts"
        )


def _print_hasty(judgments: "Iterable[Judgment]") -> None:
    """Name the annotators who judged sooner than the answers could be read."""
    from limaflow.measures.ratings import hasty_of

    held = list(judgments)
    made = Counter(judgment.annotator for judgment in held)
    for name, hasty in sorted(hasty_of(held).items()):
        print(f"warning: {name}: {hasty} of {made[name]} judgments were made in haste")


def _line(s: "Preference") -> str:
    from limaflow.measures.significance import rounded

    failed = f" ({s.errors} of {s.verdicts} verdicts failed)" if s.errors else ""
    rate, error = s.adjusted_win, s.standard_errors.adjusted_win
    spread = f", standard error {error:.1%}" if error else ""
    graded = f", graded {s.graded_win.estimate:.2%}" if s.graded_win else ""
    needed = f"; five points take {s.power.prompts_needed} prompts" if s.power else ""
    return (
        f"{s.comparison} ({s.judge}): {s.prompts} prompts{failed}, win {s.win.estimate:.1%}, "
        f"tie {s.tie.estimate:.1%}, lose {s.lose.estimate:.1%}, win + ½ tie {rate.estimate:.1%} "
        f"[{rate.low:.1%}, {rate.high:.1%}]{spread}{graded}, "
        f"p-value {rounded(s.p_value)}{needed}"
    )


def _verdicts_of(path: Path) -> "list[Verdict]":
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records
    from limaflow.records import Verdict

    try:
        return list(read_records(path, Verdict))
    except InputError as error:
        raise InputError(
            str(error), fix="`limaflow judge import` reads other formats, columns and words"
        ) from None
