"""`limaflow analyze`: statistics, claims, figures and tables."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)
figure = typer.Typer(no_args_is_help=True)
table = typer.Typer(no_args_is_help=True)
app.add_typer(figure, name="figure", help="One figure as SVG, with a CSV of its numbers beside.")
app.add_typer(table, name="table", help="One table as CSV.")

Bootstrap = Annotated[int, typer.Option(min=100, help="Rounds of the bootstrap.")]
Confidence = Annotated[float, typer.Option(min=0.5, max=0.999, help="Confidence of intervals.")]
Seed = Annotated[int, typer.Option(help="Seed of the bootstrap.")]
Preferences = Annotated[Path, typer.Option(help="preferences.json of `limaflow judge summarize`.")]
Tax = Annotated[Path, typer.Option(help="tax.json of `limaflow analyze tax`.")]
Svg = Annotated[Path, typer.Option(help="Writes this SVG file, and a .csv beside it.")]
Csv = Annotated[Path, typer.Option(help="Writes this CSV file.")]
Miniature = Annotated[bool, typer.Option("--miniature", help="Label it as the invented world's.")]
Lima = Annotated[str, typer.Option(help="The arm whose view is taken: analysis.lima_arm.")]


@app.command()
def tax(
    *,
    tuned: Annotated[list[Path], typer.Argument(help="items.jsonl of the tuned arms.")],
    base: Annotated[Path, typer.Option(help="items.jsonl of the base.")],
    bootstrap: Bootstrap,
    confidence: Confidence,
    seed: Seed,
    output: Annotated[Path, typer.Option(help="Writes tax.json.")],
) -> None:
    """Benchmarks before and after tuning, with paired differences."""
    from dataclasses import asdict

    from limaflow.analysis.tax import alignment_tax
    from limaflow.jsonl import write_json

    rows = alignment_tax(base, tuned, rounds=bootstrap, confidence=confidence, seed=seed)
    write_json(output, [asdict(row) for row in rows])
    for row in rows:
        d = row.difference
        print(f"{row.arm}: {row.task}: {d.estimate:+.4f} [{d.low:+.4f}, {d.high:+.4f}]")


@app.command()
def claims(
    *,
    lima: Lima,
    bootstrap: Bootstrap,
    confidence: Confidence,
    seed: Seed,
    output: Annotated[Path, typer.Option(help="Writes claims.json.")],
    preferences: Annotated[Path | None, typer.Option(help="preferences.json.")] = None,
    agreement: Annotated[Path | None, typer.Option(help="agreement.json.")] = None,
    base: Annotated[list[str] | None, typer.Option(help="Arm of kind base; repeat.")] = None,
    in_context: Annotated[
        list[str] | None, typer.Option(help="Arm of kind in-context; repeat.")
    ] = None,
    ablation: Annotated[
        list[str] | None,
        typer.Option(help="Arm tuned on another number of examples (Figure 6); repeat."),
    ] = None,
    unfiltered: Annotated[
        list[str] | None, typer.Option(help="Arm tuned on unfiltered examples (Figure 5); repeat.")
    ] = None,
    grades: Annotated[
        list[Path] | None, typer.Option(help="Grades of test responses (JSONL); repeat.")
    ] = None,
    tax: Annotated[Path | None, typer.Option(help="tax.json.")] = None,
    tax_margin: Annotated[
        float, typer.Option(min=0, help="Loss that counts as none, in the tasks' scores.")
    ] = 0.02,
    training: Annotated[
        Path | None, typer.Option(help="training.json of the LIMA arm (dev perplexities).")
    ] = None,
    dev_grades: Annotated[
        list[Path] | None,
        typer.Option(help="Dev grades of the LIMA arm, whose models are ARM@epoch-NUMBER; repeat."),
    ] = None,
    miniature: Miniature = False,
) -> None:
    """Hold the claims of the paper and of its critics against what was measured."""
    from dataclasses import asdict

    from limaflow.analysis.absolute_quality import absolute_quality
    from limaflow.analysis.claims import Evidence, Roles
    from limaflow.analysis.epochs import after_lowest_perplexity
    from limaflow.analysis.grades import grade_gaps
    from limaflow.analysis.objections import objections
    from limaflow.analysis.paper import paper
    from limaflow.analysis.paper_claims import paper_claims
    from limaflow.analysis.untested import untested_claims
    from limaflow.jsonl import read_json, write_json
    from limaflow.measures.summaries import Agreement, Preference, TaskTax

    after_lowest = None
    if training is not None:
        after_lowest = after_lowest_perplexity(
            training, dev_grades or [], rounds=bootstrap, confidence=confidence, seed=seed
        )
    evidence = Evidence(
        roles=Roles(
            lima=lima,
            base=tuple(base or ()),
            in_context=tuple(in_context or ()),
            ablation=tuple(ablation or ()),
            unfiltered=tuple(unfiltered or ()),
        ),
        preferences=[] if preferences is None else read_json(preferences, list[Preference]),
        agreements=[] if agreement is None else read_json(agreement, list[Agreement]),
        gaps=grade_gaps(grades or [], lima, rounds=bootstrap, confidence=confidence, seed=seed),
        tax=[] if tax is None else read_json(tax, list[TaskTax]),
        after_lowest=after_lowest,
        tax_margin=tax_margin,
    )
    found = [
        *paper_claims(evidence, paper()),
        absolute_quality(
            grades or [], lima, paper(), rounds=bootstrap, confidence=confidence, seed=seed
        ),
        *objections(evidence, paper()),
        *untested_claims(paper()),
    ]
    write_json(
        output,
        {
            "miniature": miniature,
            "confidence": confidence,
            "claims": [asdict(claim) for claim in found],
        },
    )
    for claim in found:
        print(f"{claim.verdict:>15}  {claim.id}")


@figure.command("preferences")
def figure_preferences(
    *, preferences: Preferences, lima: Lima, output: Svg, miniature: Miniature = False
) -> None:
    """Win, tie and lose bars, beside the paper's Figures 1 and 2."""
    from limaflow.analysis.figures.preferences import bars
    from limaflow.analysis.figures.stacks import draw
    from limaflow.analysis.paper import paper
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import Preference

    rows = bars(read_json(preferences, list[Preference]), lima, paper())
    draw(rows, output, nothing="no comparisons", miniature=miniature)


@figure.command("absolute")
def figure_absolute(
    *,
    grades: Annotated[Path, typer.Option(help="grades.json of `limaflow judge …`.")],
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Shares of excellent, passing and failing answers, beside the paper's Figure 3."""
    from limaflow.analysis.figures.absolute import draw
    from limaflow.analysis.paper import paper
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import GradeSummary

    draw(read_json(grades, list[GradeSummary]), paper(), output, miniature=miniature)


@figure.command("quality")
def figure_quality(
    *,
    grades: Annotated[Path, typer.Option(help="grades.json of `limaflow judge …`.")],
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Mean grades of the arms, beside the paper's Figures 5 and 6."""
    from limaflow.analysis.figures.quality import draw
    from limaflow.analysis.paper import paper
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import GradeSummary

    draw(read_json(grades, list[GradeSummary]), paper(), output, miniature=miniature)


@figure.command("epochs")
def figure_epochs(
    *,
    grades: Annotated[
        list[Path] | None, typer.Argument(help="Dev grades of models ARM@epoch-NUMBER.")
    ] = None,
    training: Annotated[Path, typer.Option(help="training.json of the same arm.")],
    bootstrap: Bootstrap,
    confidence: Confidence,
    seed: Seed,
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Dev perplexity and dev quality over epochs, beside the paper's Figure 9."""
    from limaflow.analysis.epochs import epoch_curve
    from limaflow.analysis.figures.epochs import draw
    from limaflow.analysis.paper import paper

    points = epoch_curve(training, grades or [], rounds=bootstrap, confidence=confidence, seed=seed)
    draw(points, paper(), output, miniature=miniature)


@figure.command("tax")
def figure_tax(*, tax: Tax, output: Svg, miniature: Miniature = False) -> None:
    """Benchmarks before and after tuning."""
    from limaflow.analysis.figures.tax import draw
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import TaskTax

    draw(read_json(tax, list[TaskTax]), output, miniature=miniature)


@figure.command("funnel")
def figure_funnel(
    *,
    funnel: Annotated[Path, typer.Option(help="funnel.json of `limaflow curate funnel`.")],
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Candidates left after each step of curation."""
    from limaflow.analysis.figures.funnel import Funnel, draw
    from limaflow.jsonl import read_json

    draw(read_json(funnel, Funnel), output, miniature=miniature)


@figure.command("lengths")
def figure_lengths(
    *,
    train: Annotated[Path, typer.Argument(help="train.jsonl of the frozen set.")],
    dev: Annotated[Path, typer.Option(help="dev.jsonl.")],
    test: Annotated[Path, typer.Option(help="test.jsonl.")],
    tokenizer: Annotated[Path, typer.Option(help="Manifest of the model whose tokens count.")],
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Tokens of prompts and training responses."""
    from limaflow.curation.length_figure import draw, write_lengths
    from limaflow.curation.text_lengths import measure_of
    from limaflow.jsonl import read_records
    from limaflow.records import Example, Split

    files: dict[Split, Path] = {"train": train, "dev": dev, "test": test}
    splits = {split: list(read_records(path, Example)) for split, path in files.items()}
    measure = measure_of(tokenizer)
    draw(splits, measure, output, miniature=miniature)
    write_lengths(splits, measure, output.with_suffix(".csv"))


@figure.command("training")
def figure_training(
    *,
    training: Annotated[list[Path], typer.Argument(help="training.json of each tuned arm.")],
    output: Svg,
    miniature: Miniature = False,
) -> None:
    """Loss, learning rate, gradient norm and dev perplexity of each run."""
    from limaflow.analysis.figures.training import draw, read_logs

    draw(read_logs(training), output, miniature=miniature)


@table.command("sources")
def table_sources(
    *,
    data: Annotated[list[Path], typer.Argument(help="train, dev and test of the frozen set.")],
    output: Csv,
    tokenizer: Annotated[
        Path | None, typer.Option(help="A model's manifest: lengths in its tokens too.")
    ] = None,
) -> None:
    """Table 1: sources, examples and lengths, beside the paper's."""
    from limaflow.analysis.paper import paper
    from limaflow.analysis.tables import source_rows
    from limaflow.plot_style import write_csv

    write_csv(output, source_rows(data, tokenizer, paper()))


@table.command("preferences")
def table_preferences(*, preferences: Preferences, output: Csv) -> None:
    """Every comparison with its intervals."""
    from limaflow.analysis.tables import preference_rows
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import Preference
    from limaflow.plot_style import write_csv

    write_csv(output, preference_rows(read_json(preferences, list[Preference])))


@table.command("agreement")
def table_agreement(
    *,
    agreement: Annotated[Path, typer.Argument(help="agreement.json of `limaflow judge …`.")],
    output: Csv,
) -> None:
    """Who agrees with whom, beside the paper's tie-discounted accuracies."""
    from limaflow.analysis.paper import paper
    from limaflow.analysis.tables import agreement_rows
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import Agreement
    from limaflow.plot_style import write_csv

    write_csv(output, agreement_rows(read_json(agreement, list[Agreement]), paper()))


@table.command("tax")
def table_tax(*, tax: Tax, output: Csv) -> None:
    """Every benchmark before and after tuning."""
    from limaflow.analysis.tables import tax_rows
    from limaflow.jsonl import read_json
    from limaflow.measures.summaries import TaskTax
    from limaflow.plot_style import write_csv

    write_csv(output, tax_rows(read_json(tax, list[TaskTax])))
