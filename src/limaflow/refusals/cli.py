"""`limaflow refusals`: whether answers refuse, how often, and how far graders are to be trusted."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limaflow.measures.cli import Bootstrap, Confidence, Seed

if TYPE_CHECKING:
    from limaflow.intervals import Interval
    from limaflow.refusals.classes import Class
    from limaflow.refusals.correction import Confusion, Span

app = typer.Typer(no_args_is_help=True)

Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="OURS=THEIRS: what the table calls prompt, answer …; repeat."),
]
Words = Annotated[
    list[str] | None,
    typer.Option(
        "--word", help="THEIRS=OURS: a class by its word; XSTest's and ours are known; repeat."
    ),
]


@app.command()
def grade(
    responses: Annotated[list[Path], typer.Argument(help="Responses, JSON lines.")],
    *,
    output: Annotated[Path, typer.Option(help="Writes a grade for each, as of `refusal`.")],
) -> None:
    """Class responses by rule: the beginnings of XSTest's authors, empty text, babble."""
    from collections import Counter

    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Response
    from limaflow.refusals.classes import CLASS_OF, CLASSES
    from limaflow.refusals.rules import grades_by_rule

    found = grades_by_rule(r for path in responses for r in read_records(path, Response))
    write_records(output, found)
    counts = Counter(CLASS_OF[grade.value] for grade in found if grade.value is not None)
    named = ", ".join(f"{counts[label]} {label}" for label in CLASSES)
    print(f"{len(found)} answers by rule: {named} (rules find no partial refusal)")


@app.command()
def rates(
    responses: Annotated[list[Path], typer.Argument(help="Responses of the arms, JSON lines.")],
    *,
    prompts: Annotated[Path, typer.Option(help="The prompts, with their tags.")],
    output: Annotated[Path, typer.Option(help="Writes the table as JSON.")],
    seed: Seed,
    table: Annotated[Path | None, typer.Option(help="Writes it as CSV too.")] = None,
    grades: Annotated[
        list[Path] | None,
        typer.Option(help="Grades by the instrument `refusal`; the rules grade too; repeat."),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(help="ARM=PATH: a table of its answers that people labelled; repeat."),
    ] = None,
    column: Columns = None,
    word: Words = None,
    truth: Annotated[str, typer.Option(help="Whose grades are true, where not --labels.")] = "",
    known: Annotated[
        list[Path] | None,
        typer.Option(help="What `limaflow refusals agreement` wrote of other arms; repeat."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Tags whose labels get rows; contrast, sensitive, attack; repeat."),
    ] = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """How often each arm refuses, raw and corrected for the grader, by what prompts test."""
    import csv
    import dataclasses

    from limaflow.errors import InputError
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, replacing, write_json
    from limaflow.records import Example, Grade, Response
    from limaflow.refusals.labelled import (
        COLUMNS,
        PEOPLE,
        labels_as_grades,
        pairs_by_name,
        read_labelled,
        words_by_class,
    )
    from limaflow.refusals.rates import refusal_rates, table_rows
    from limaflow.refusals.rules import grades_by_rule

    if labels and truth:
        raise InputError("--labels and --truth both say what is true", fix="give one of them")
    asked = {prompt.id: prompt for prompt in read_records(prompts, Example)}
    answers = [r for path in responses for r in read_records(path, Response)]
    if lost := [r for r in answers if r.prompt_id not in asked]:
        raise InputError(
            f"lacks the prompt {lost[0].prompt_id}, which '{lost[0].model}' answers", path=prompts
        )
    given = [g for path in grades or () for g in read_records(path, Grade)]
    if truth and truth not in {g.annotator for g in given}:
        raise InputError(f"no grade is by '{truth}'", fix="--truth names an annotator of --grades")
    if again := sum(g.reading > 0 for g in given):
        print(f"left out: {again} further readings; the first one counts")
    columns, words = (
        pairs_by_name(column or (), "--column", COLUMNS),
        dict(words_by_class(word or ())),
    )
    arms = list(dict.fromkeys(answer.model for answer in answers))
    for arm, path in pairs_by_name(labels or (), "--labels", arms).items():
        held = read_labelled(Path(path), columns, words)
        own = [answer for answer in answers if answer.model == arm]
        found = labels_as_grades(Path(path), held, asked, own)
        print(f"{path}: {len(held)} rows, {len(found)} of {len(own)} answers of {arm} labelled")
        given += found
    given += grades_by_rule(answers)
    rows = refusal_rates(
        asked,
        answers,
        given,
        truth=truth or PEOPLE,
        known=_matrices(known or ()),
        tags=tag or ("contrast", "sensitive", "attack"),
        resampling=Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [dataclasses.asdict(row) for row in rows])
    if table is not None:
        cells = list(table_rows(rows))
        with replacing(table) as file:
            writer = csv.DictWriter(file, list(cells[0]) if cells else [])
            writer.writeheader()
            writer.writerows(cells)
    for row in rows:
        raw = f"raw {_shown(row.raw)}" if row.raw else "no readable grade"
        if row.corrected:
            cut = " (cut to the scale)" if row.corrected.clipped else ""
            raw += f", corrected {_shown(row.corrected.rate)}{cut}"
        if row.span:
            raw += f", {_spanned(row.span)}"
        failed = row.unreadable + row.grader_refused + row.ungraded
        lost_too = f"; {failed} without a class" if failed else ""
        empty, kind = row.classes["no-answer"], "over-refusal" if row.over_refusal else "refusal"
        print(
            f"{row.arm}, {row.label or 'all prompts'}, by {row.grader}: "
            f"{kind} {raw}; {empty} no answer{lost_too}"
        )


@app.command()
def safety(
    responses: Annotated[list[Path], typer.Argument(help="Responses of the arms, JSON lines.")],
    *,
    prompts: Annotated[Path, typer.Option(help="The prompts, with their tags.")],
    output: Annotated[Path, typer.Option(help="Writes the shares as JSON.")],
    seed: Seed,
    grades: Annotated[
        list[Path] | None,
        typer.Option(help="Grades by the instruments `safety` and `refusal`; repeat."),
    ] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option(
            help="ARM=PATH: training examples, whose refusals are counted, of arms that differ in "
            "these alone; repeat."
        ),
    ] = None,
    dose: Annotated[
        list[str] | None, typer.Option(help="ARM=NUMBER of refusals, not to be counted; repeat.")
    ] = None,
    further_seed: Annotated[
        list[str] | None,
        typer.Option(help="AGAIN=ARM: an arm once more, with another training seed; repeat."),
    ] = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """Sensitive prompts that are answered safely, harmless ones refused, attacks complied with."""
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.measures.training_seeds import arms_trained_again
    from limaflow.records import Example, Grade, Response
    from limaflow.refusals.labelled import pairs_by_name
    from limaflow.refusals.safety import refusals_among, safety_of

    asked = {prompt.id: prompt for prompt in read_records(prompts, Example)}
    answers = [
        answer
        for path in responses
        for answer in read_records(path, Response)
        if answer.prompt_id in asked
    ]
    arms = list(dict.fromkeys(answer.model for answer in answers))
    counted = {
        arm: refusals_among(read_records(Path(path), Example))
        for arm, path in pairs_by_name(trained or (), "--trained", arms).items()
    }
    said = {a: int(n) for a, n in pairs_by_name(dose or (), "--dose", arms).items()}
    found = safety_of(
        asked,
        answers,
        [grade for path in grades or () for grade in read_records(path, Grade)],
        doses=counted | said,
        again=arms_trained_again(further_seed or []),
        resampling=Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, found)
    for row in found.shares:
        dosed = "" if row.dose is None else f" ({row.dose} refusals in training)"
        shown = _shown(row.share) if row.share else "no readable grade"
        rest = f"; {row.no_answer} no answer" * bool(row.no_answer)
        rest += f"; {row.failed} without a grade" * bool(row.failed)
        print(f"{row.arm}{dosed}, {row.what}, {row.label}, by {row.grader}: {shown}{rest}")
    if not found.shares:
        print("no prompt has a tag that tests safety")


@app.command()
def agreement(
    table: Annotated[Path, typer.Argument(help="Labelled answers: CSV, TSV, Parquet, JSON lines.")],
    *,
    truth: Annotated[str, typer.Option(help="The column whose labels are taken for true.")],
    grader: Annotated[
        str, typer.Option(help="The column of the other labels; `rules` classes the answers.")
    ],
    arm: Annotated[str, typer.Option(help="Whose answers they are.")],
    output: Annotated[Path, typer.Option(help="Writes the comparison as JSON.")],
    seed: Seed,
    name: Annotated[
        str, typer.Option(help="Who the grader is, as its grades name it; by default the column.")
    ] = "",
    column: Columns = None,
    word: Words = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """Compare two labelings of the same answers: confusion, recall by class, κ and AC1."""
    from limaflow.intervals import Resampling
    from limaflow.jsonl import write_json
    from limaflow.refusals.agreement import Pair
    from limaflow.refusals.agreement import agreement as compare
    from limaflow.refusals.labelled import COLUMNS, pairs_by_name, read_labelled, words_by_class
    from limaflow.refusals.rules import RULES, class_by_rule

    columns, words = (
        pairs_by_name(column or (), "--column", COLUMNS[:2]),
        dict(words_by_class(word or ())),
    )
    true = read_labelled(table, {**columns, "label": truth}, words)
    said: list[Class | None] = (
        [class_by_rule(row.answer) for row in true]
        if grader == RULES
        else [row.label for row in read_labelled(table, {**columns, "label": grader}, words)]
    )
    pairs = [
        Pair(prompt=row.prompt, true=row.label, graded=graded)
        for row, graded in zip(true, said, strict=True)
        if row.label is not None
    ]
    if unlabelled := len(true) - len(pairs):
        print(f"left out: {unlabelled} answers without a label in '{truth}'")
    resampling = Resampling(rounds=bootstrap, confidence=confidence, seed=seed)
    found = compare(pairs, resampling, arm=arm, truth=truth, grader=name or grader)
    write_json(output, found)
    lost = f", {found.unreadable} without a class by the grader" if found.unreadable else ""
    print(f"{found.answers} answers of {arm}, '{truth}' against '{found.grader}'{lost}")
    for title, agreed, kappa, ac1 in (
        ("classes", found.agreement, found.kappa, found.ac1),
        ("any refusal", found.binary_agreement, found.binary_kappa, found.binary_ac1),
    ):
        print(f"{title}: {_shown(agreed)} agree, kappa {_number(kappa)}, AC1 {_number(ac1)}")
    for recall in found.recalls:
        print(f"{recall.label}: {recall.found} of {recall.answers} found, {_shown(recall.recall)}")


@app.command()
def resistance(
    responses: Annotated[list[Path], typer.Argument(help="Responses of the arms, JSON lines.")],
    *,
    prompts: Annotated[Path, typer.Option(help="The prompts, with their tags.")],
    output: Annotated[Path, typer.Option(help="Writes all tables as JSON.")],
    seed: Seed,
    grades: Annotated[
        list[Path] | None,
        typer.Option(help="Grades by the instrument `refusal`; the rules grade too; repeat."),
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="FIRST=SECOND: arms to be compared on the same prompts; repeat."),
    ] = None,
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """How far refusals hold: by words of a prefilled answer, on contrast pairs, and arm by arm."""
    from limaflow.errors import InputError
    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.records import Example, Grade, Response
    from limaflow.refusals.resistance import resistance as measured
    from limaflow.refusals.rules import grades_by_rule

    asked = {prompt.id: prompt for prompt in read_records(prompts, Example)}
    answers = [r for path in responses for r in read_records(path, Response)]
    arms = {answer.model for answer in answers}
    pairs = [(first, second) for word in pair or () for first, _, second in [word.partition("=")]]
    for names in pairs:
        if unknown := [name for name in names if name not in arms]:
            raise InputError(f"--pair {'='.join(names)}: no responses of '{unknown[0]}'")
    given = [g for path in grades or () for g in read_records(path, Grade)]
    found = measured(
        asked,
        answers,
        [*given, *grades_by_rule(answers)],
        pairs,
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, found)
    for depth in found.depths:
        print(
            f"{depth.arm}, {depth.words} words given, by {depth.grader}: refused "
            f"{_shown(depth.refused)} of {depth.answers} answers ({depth.goals} goals)"
        )
    for row in found.contrasts:
        print(
            f"{row.arm}, {row.group or 'all types'}, by {row.grader}: refused "
            f"{_shown(row.unsafe)} of unsafe, {_shown(row.safe)} of safe, apart "
            f"{_shown(row.discrimination)}"
        )
    for apart in found.differences:
        print(
            f"{apart.first} minus {apart.second}, {apart.prompts_of}, by {apart.grader}: refusals "
            f"{_shown(apart.refusals)}, compliance {_shown(apart.compliance)} "
            f"({apart.prompts} prompts of {apart.goals} goals)"
        )


@app.command()
def classify(
    responses: Annotated[list[Path], typer.Argument(help="Responses, JSON lines.")],
    *,
    prompts: Annotated[
        Path | None, typer.Option(help="The prompts; where given, the model reads them too.")
    ] = None,
    model: Annotated[
        Path, typer.Option(help="Folder of a transformers sequence classifier (safetensors).")
    ],
    label: Annotated[
        list[str], typer.Option(help="THEIRS=OURS: the class that a label stands for; repeat.")
    ],
    name: Annotated[str, typer.Option(help="Who grades; by default the folder's name.")] = "",
    batch: Annotated[int, typer.Option(min=1, help="Answers read at once.")] = 16,
    output: Annotated[Path, typer.Option(help="Writes a grade for each, as of `refusal`.")],
) -> None:
    """Class responses by a classifier of one's own."""
    from collections import Counter

    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example, Response
    from limaflow.refusals.classes import CLASS_OF, CLASSES
    from limaflow.refusals.classifier import grades_by_classifier
    from limaflow.refusals.labelled import words_by_class

    asked = {p.id: p for p in read_records(prompts, Example)} if prompts else None
    found = grades_by_classifier(
        [r for path in responses for r in read_records(path, Response)],
        asked,
        model,
        dict(words_by_class(label)),
        name=name or model.resolve().name,
        batch=batch,
    )
    write_records(output, found.grades)
    counts = Counter(CLASS_OF[grade.value] for grade in found.grades if grade.value is not None)
    named = ", ".join(f"{counts[word]} {word}" for word in CLASSES)
    cut = f"; {found.cut} longer than the model reads, cut at their end" if found.cut else ""
    print(f"{len(found.grades)} answers by {name or model.resolve().name}: {named}{cut}")


@app.command()
def dices(
    file: Annotated[Path, typer.Argument(help="A file of DICES: its authors' or JUDGE-BENCH's.")],
    *,
    output: Annotated[
        Path, typer.Option(help="Folder for prompts.jsonl, responses.jsonl and grades.jsonl.")
    ],
) -> None:
    """Take conversations whose last answer people labelled as safe or not."""
    from collections import Counter

    from limaflow.errors import InputError
    from limaflow.jsonl import write_records
    from limaflow.refusals.dices import grades_of, prompt_of, read_dices, response_of

    read = read_dices(file)
    try:
        prompts = [prompt_of(one) for one in read]
    except InputError as error:
        raise InputError(str(error), path=file) from None
    grades = [grade for one in read for grade in grades_of(one)]
    write_records(output / "prompts.jsonl", prompts, key=lambda prompt: prompt.id)
    write_records(
        output / "responses.jsonl", map(response_of, read), key=lambda response: response.prompt_id
    )
    write_records(output / "grades.jsonl", grades)
    named = Counter(g.annotator for g in grades if not g.annotator.startswith("rater-"))
    raters = len({g.annotator for g in grades}) - len(named)
    by = ", ".join(f"{count} by {name}" for name, count in named.items())
    print(f"{len(read)} conversations; labels: {by}, {raters} raters by name")


@app.command()
def graders(
    grades: Annotated[list[Path], typer.Argument(help="Grades by one instrument, JSON lines.")],
    *,
    truth: Annotated[str, typer.Option(help="The annotator whose grades are taken for true.")],
    output: Annotated[Path, typer.Option(help="Writes a row for each other annotator as JSON.")],
    seed: Seed,
    instrument: Annotated[
        str, typer.Option(help="By which they graded: one of ours, or a path.")
    ] = "safety",
    bootstrap: Bootstrap = 2000,
    confidence: Confidence = 0.95,
) -> None:
    """Hold graders against one whose grades are true: agreement, κ, AC1, recall of each word."""
    import dataclasses

    from limaflow.intervals import Resampling
    from limaflow.jsonl import read_records, write_json
    from limaflow.judging.instrument import load
    from limaflow.records import Grade
    from limaflow.refusals.graders import against

    found = against(
        [grade for path in grades for grade in read_records(path, Grade)],
        truth,
        load(instrument).head.words,
        Resampling(rounds=bootstrap, confidence=confidence, seed=seed),
    )
    write_json(output, [dataclasses.asdict(one) for one in found])
    for one in found:
        recalls = ", ".join(
            f"{of.label} {of.found} of {of.answers} ({_shown(of.recall)})" for of in one.recalls
        )
        print(
            f"{one.grader}: {one.answers} answers, {_shown(one.agreement)} agree, "
            f"kappa {_number(one.kappa)}, AC1 {_number(one.ac1)}; found: {recalls}"
            + f"; {one.unreadable} without a grade"
            * bool(one.unreadable)
        )


def _matrices(paths: "Iterable[Path]") -> "dict[str, list[Confusion]]":
    """Grader → the matrices in these files."""
    from limaflow.jsonl import read_json
    from limaflow.refusals.agreement import Agreement

    found: dict[str, list[Confusion]] = {}
    for path in paths:
        held = read_json(path, Agreement)
        found.setdefault(held.grader, []).append(held.confusion)
    return found


def _shown(share: "Interval") -> str:
    return f"{share.estimate:.1%} [{share.low:.1%}, {share.high:.1%}]"


def _spanned(span: "Span") -> str:
    noun = "matrix" if span.matrices == 1 else "matrices"
    cut = f" ({span.clipped} off the scale, cut to it)" if span.clipped else ""
    return f"{span.low:.1%} to {span.high:.1%} by {span.matrices} {noun} of other arms{cut}"


def _number(found: "Interval | None") -> str:
    return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]" if found else "not estimable"
