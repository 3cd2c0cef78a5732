"""`limaflow curate`: from candidates to the frozen data set."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import NonNegativeInt

from limaflow.jsonl import read_json, read_records, write_json, write_records
from limaflow.mistakes import parse_block, parse_value
from limaflow.records import Candidate, Drop, Example, Split

app = typer.Typer(no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="Seed of the experiment.")]
Kept = Annotated[Path, typer.Option(help="Examples that stay, JSON lines.")]
Dropped = Annotated[Path, typer.Option(help="Records that leave, with rule and detail.")]
Temperature = Annotated[float, typer.Option(help="τ: strata are drawn with p ∝ n^(1/τ).")]
NgramWords = Annotated[str, typer.Option("--settings", help="JSON of curation.decontamination.")]
Prompts = Annotated[list[Path], typer.Option(help="Dev and test prompts.")]
BenchmarkTexts = Annotated[Path | None, typer.Option(help="Texts of benchmark items, JSON lines.")]
SharedTexts = Annotated[Path, typer.Option(help="Every shared text, JSON lines.")]


class ChooseBy(StrEnum):
    """How the examples of a source are drawn."""

    LOT = "lot"
    LONGEST = "longest"
    SHORTEST = "shortest"


Counts = dict[str, NonNegativeInt]
"""Number of examples by source."""


def examples_of(files: Iterable[Path]) -> list[Example]:
    """The examples of all files, in order."""
    return [example for file in files for example in read_records(file, Example)]


@app.command(name="filter")
def filter_candidates(
    candidates: Annotated[Path, typer.Argument(help="Candidates of one shard.")],
    *,
    filters: Annotated[
        str, typer.Option(help="JSON of the kind's rules; without it no rule looks.")
    ] = "",
    seed: Seed,
    kept: Kept,
    dropped: Dropped,
) -> None:
    """Apply the selection rules, choose prompts, clean the texts."""
    from limaflow.curation.filtering import filtered
    from limaflow.curation.settings import Filters

    rules = parse_block(Filters, filters, "--filters") if filters else None
    examples, drops = filtered(read_records(candidates, Candidate), rules, seed)
    _write_both(kept, examples, dropped, drops)
    reasons = "".join(f"; {n} {r}" for r, n in sorted(Counter(d.rule for d in drops).items()))
    print(f"{candidates}: {len(examples)} kept{reasons}")


@app.command()
def rules() -> None:
    """Print the selection rules with their thresholds, as docs/curation.md has them."""
    from limaflow.curation.filters import rules_table

    print(rules_table())


PromptLayouts = Annotated[
    list[str] | None,
    typer.Option(help="JSON: columns and where of a file of prompts; one a file, or none."),
]


@app.command()
def hold_out(
    filtered: Annotated[list[Path] | None, typer.Argument(help="Filtered examples.")] = None,
    *,
    dev: Annotated[str, typer.Option(help='JSON: dev prompts by source, {"source": n}.')] = "{}",
    test: Annotated[str, typer.Option(help="JSON: test prompts by source.")] = "{}",
    dev_path: Annotated[
        list[Path] | None, typer.Option(help="Ready dev prompts, JSON lines.")
    ] = None,
    test_path: Annotated[
        list[Path] | None, typer.Option(help="Ready test prompts, JSON lines.")
    ] = None,
    test_attacks: Annotated[
        str, typer.Option(help='JSON: how the goals of a source are asked, {"source": [name]}.')
    ] = "{}",
    dev_layout: PromptLayouts = None,
    test_layout: PromptLayouts = None,
    temperature: Temperature,
    seed: Seed,
    dev_output: Annotated[Path, typer.Option(help="Dev prompts.")],
    test_output: Annotated[Path, typer.Option(help="Test prompts.")],
) -> None:
    """Set dev and test prompts aside, drawn from sources or brought as files."""
    from limaflow.curation.holdout import prompts_of
    from limaflow.curation.settings import PromptLayout

    splits = prompts_of(
        examples_of(filtered or []),
        {"dev": parse_value(Counts, dev, "--dev"), "test": parse_value(Counts, test, "--test")},
        {"dev": dev_path or [], "test": test_path or []},
        temperature,
        seed,
        attacks=parse_value(dict[str, list[str]], test_attacks, "--test-attacks"),
        layouts={
            "dev": [parse_block(PromptLayout, text, "--dev-layout") for text in dev_layout or ()],
            "test": [
                parse_block(PromptLayout, text, "--test-layout") for text in test_layout or ()
            ],
        },
    )
    write_records(dev_output, splits["dev"])
    write_records(test_output, splits["test"])
    print(f"held out: {len(splits['dev'])} dev, {len(splits['test'])} test prompts")


@app.command()
def deduplicate(
    filtered: Annotated[list[Path], typer.Argument(help="Filtered examples of every source.")],
    *,
    settings: Annotated[str, typer.Option(help="JSON of curation.deduplication.")],
    kept: Kept,
    dropped: Dropped,
) -> None:
    """Keep one example of each group of equal or nearly equal ones."""
    from limaflow.curation.deduplication import deduplicated
    from limaflow.curation.settings import Deduplication

    block = parse_block(Deduplication, settings, "--settings")
    examples, drops = deduplicated(examples_of(filtered), block)
    _write_both(kept, examples, dropped, drops)
    print(f"{len(examples)} kept, {len(drops)} duplicates dropped")


@app.command()
def decontaminate(
    unique: Annotated[Path, typer.Argument(help="Deduplicated examples.")],
    *,
    settings: NgramWords,
    prompts: Prompts,
    benchmark_texts: BenchmarkTexts = None,
    kept: Kept,
    dropped: Dropped,
    report: SharedTexts,
) -> None:
    """Remove examples that share text with dev, test or a benchmark."""
    from limaflow.curation.decontamination import decontaminated, read_protected

    protected = read_protected(prompts, benchmark_texts, settings)
    examples, drops, matches = decontaminated(read_records(unique, Example), protected)
    write_records(report, matches)
    _write_both(kept, examples, dropped, drops)
    print(f"pool of {len(examples)}; {len(drops)} dropped, {len(matches)} shared texts")


@app.command()
def contamination(
    examples: Annotated[Path, typer.Argument(help="Examples of a data set brought whole.")],
    *,
    settings: NgramWords,
    prompts: Prompts,
    benchmark_texts: BenchmarkTexts = None,
    report: SharedTexts,
) -> None:
    """List what a ready-made data set shares with dev, test or a benchmark; remove nothing."""
    from limaflow.curation.decontamination import contamination as found_in
    from limaflow.curation.decontamination import read_protected

    protected = read_protected(prompts, benchmark_texts, settings)
    matches = found_in(read_records(examples, Example), protected)
    write_records(report, matches)
    count = len({match.id for match in matches})
    print(f"{examples}: {count} examples share text with dev, test or a benchmark")


@app.command()
def sample(
    pool: Annotated[Path, typer.Argument(help="Decontaminated examples.")],
    *,
    examples: Annotated[str, typer.Option(help='JSON: {"source": number or "all"}.')],
    temperature: Temperature,
    reserve_share: Annotated[float, typer.Option(help="Spare examples per drawn one.")],
    choose: Annotated[
        ChooseBy, typer.Option(help="By lot within strata, or by the length of the response.")
    ] = ChooseBy.LOT,
    seed: Seed,
    sampled: Annotated[Path, typer.Option(help="The sample.")],
    reserve: Annotated[Path, typer.Option(help="Spare examples, to replace rejected ones.")],
    dropped: Dropped,
) -> None:
    """Draw a data set from the pool."""
    from limaflow.curation.sampling import Wanted, undrawn
    from limaflow.curation.sampling import sampled as sampled_from

    wanted = parse_value(dict[str, Wanted], examples, "--examples")
    available = examples_of([pool])
    chosen, spare = sampled_from(
        available, wanted, temperature, reserve_share, seed, choose=choose.value
    )
    write_records(dropped, undrawn(available, wanted, chosen, spare))
    write_records(sampled, chosen)
    write_records(reserve, spare)
    print(f"{len(chosen)} sampled, {len(spare)} in reserve")


@app.command()
def adopt(
    file: Annotated[Path, typer.Argument(help="Conversations, JSON lines.")],
    *,
    output: Annotated[Path, typer.Option(help="Examples.")],
) -> None:
    """Take a ready-made data set as it is."""
    from limaflow.curation.adoption import adopted

    print(f"{file}: {write_records(output, adopted(file, 'train'))} examples")


@app.command()
def apply_review(
    sampled: Annotated[Path, typer.Argument(help="The sample.")],
    *,
    ledger: Annotated[
        list[Path] | None, typer.Option(help="Decisions, JSON lines; repeat for several files.")
    ] = None,
    configured: Annotated[
        Path | None, typer.Option(help="Where a ledger may be, to be named where there is none.")
    ] = None,
    pool: Annotated[
        Path | None, typer.Option(help="All candidates, to tell which decisions concern none.")
    ] = None,
    seed: Seed,
    reserve: Annotated[Path, typer.Option(help="Spare examples.")],
    kept: Kept,
    dropped: Dropped,
    summary: Annotated[Path, typer.Option(help="What the ledger did, JSON.")],
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave out the examples with this tag, label or id; repeat."),
    ] = None,
) -> None:
    """Apply the reviewers' decisions, and leave out what an ablation does without."""
    from limaflow.curation.apply_review import report_lines, reviewed
    from limaflow.curation.ledger import read

    found = read(ledger or [])
    examples, drops, done = reviewed(
        read_records(sampled, Example),
        read_records(reserve, Example),
        found.decisions,
        seed,
        ledger_name=", ".join(path.name for path in ledger) if ledger else None,
        pool={example.id for example in read_records(pool, Example)} if pool else (),
    )
    if without:
        from limaflow.curation.leaving_out import left_out

        examples, out = left_out(examples, without)
        drops = sorted([*drops, *out], key=lambda drop: drop.id)
        print(f"{len(out)} left out: {', '.join(without)}; {len(examples)} stay")
    write_json(summary, done)
    _write_both(kept, examples, dropped, drops)
    for line in report_lines(done, found, summary, configured):
        print(line)


@app.command()
def freeze(
    reviewed: Annotated[Path, typer.Argument(help="Reviewed training examples.")],
    *,
    dev: Annotated[Path, typer.Option(help="Dev prompts.")],
    test: Annotated[Path, typer.Option(help="Test prompts.")],
    output_folder: Annotated[Path, typer.Option(help="Folder of the data set.")],
    licences: Annotated[
        str, typer.Option(help="JSON: source to the licence of its rows that name none.")
    ] = "{}",
    without_prompts: Annotated[
        bool, typer.Option("--without-prompts", help="Empty the user turns of train.")
    ] = False,
) -> None:
    """Write train, dev and test as other tools read them."""
    from limaflow.curation.freezing import freeze as freeze_into
    from limaflow.curation.freezing import response_alone
    from limaflow.mistakes import parse_value

    files: dict[Split, Path] = {"train": reviewed, "dev": dev, "test": test}
    splits = {split: examples_of([file]) for split, file in files.items()}
    if without_prompts:
        splits["train"] = list(map(response_alone, splits["train"]))
    freeze_into(output_folder, splits, parse_value(dict[str, str], licences, "--licences"))
    print(f"frozen in {output_folder}")


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(help="Folder of the frozen data set.")],
    *,
    dataset: Annotated[str, typer.Option(help="Name of the data set.")],
    title: Annotated[str, typer.Option(help="Title for the card.")],
    contamination: SharedTexts,
    funnel: Annotated[Path, typer.Option(help="funnel.json.")],
    tokenizer: Annotated[
        Path | None, typer.Option(help="model.json whose tokenizer measures lengths.")
    ] = None,
) -> None:
    """Write card, attribution, lengths, a page to browse and checksums beside the rows."""
    from limaflow.curation.dataset_card import SharedText
    from limaflow.curation.describing import describe as describe_in
    from limaflow.curation.funnel import Funnel
    from limaflow.curation.text_lengths import measure_of

    splits: tuple[Split, ...] = ("train", "dev", "test")
    describe_in(
        folder,
        name=dataset,
        title=title,
        splits={split: examples_of([folder / f"{split}.jsonl"]) for split in splits},
        measure=measure_of(tokenizer),
        shared=list(read_records(contamination, SharedText)),
        steps=read_json(funnel, Funnel).steps,
    )
    print(f"{dataset}: described in {folder}")


@app.command()
def funnel(
    *,
    results: Annotated[Path, typer.Option(help="Folder of the experiment.")],
    shards: Annotated[str, typer.Option(help='JSON: {"source": ["shard"]} of this run.')],
    datasets: Annotated[
        str, typer.Option(help='JSON: {"data set": "pool", or null if brought whole}.')
    ],
    output: Annotated[Path, typer.Option(help="funnel.json.")],
) -> None:
    """Count what came, stayed and left at every step."""
    from limaflow.curation.funnel import funnel as counted

    found = counted(
        results,
        parse_value(dict[str, list[str]], shards, "--shards"),
        parse_value(dict[str, str | None], datasets, "--datasets"),
    )
    write_json(output, found)
    print(f"{len(found.steps)} steps, all counts add up")


def _write_both(kept: Path, examples: list[Example], dropped: Path, drops: list[Drop]) -> None:
    write_records(dropped, drops)
    write_records(kept, examples)
