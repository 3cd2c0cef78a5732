"""`limaflow curate`: from candidates to the frozen data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from limaflow.curation.sampling import Wanted

app = typer.Typer(no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="Seed of the experiment.")]
Kept = Annotated[Path, typer.Option(help="Examples that stay, JSON lines.")]
Dropped = Annotated[Path, typer.Option(help="Records that leave, with rule and detail.")]
Temperature = Annotated[float, typer.Option(help="τ: strata are drawn with p ∝ n^(1/τ).")]


def counts_of(text: str, flag: str) -> dict[str, int]:
    """`{"source": number}` from a flag.

    Raises:
        InputError: not a JSON object of whole numbers ≥ 0.
    """
    import json

    from limaflow.errors import InputError

    try:
        counts = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{flag} is not JSON: {error}") from None
    if not isinstance(counts, dict) or not all(
        type(count) is int and count >= 0 for count in counts.values()
    ):
        raise InputError(f'{flag} must be {{"source": number}}, got {text}')
    return counts


def wanted_of(text: str, flag: str) -> "dict[str, Wanted]":
    """The same, where a number may also be "all": whatever the source has."""
    import json

    try:
        counts = json.loads(text)
    except json.JSONDecodeError:
        counts = None
    whole = [key for key, n in counts.items() if n == "all"] if isinstance(counts, dict) else []
    numbers = text if not whole else json.dumps({k: counts[k] for k in counts if k not in whole})
    return {**counts_of(numbers, flag), **dict.fromkeys(whole, "all")}


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
    from collections import Counter

    from limaflow.curation.filtering import filtered
    from limaflow.curation.settings import Filters
    from limaflow.jsonl import read_records, write_records
    from limaflow.mistakes import parse_block
    from limaflow.records import Candidate

    rules = parse_block(Filters, filters, "--filters") if filters else None
    examples, drops = filtered(read_records(candidates, Candidate), rules, seed)
    write_records(dropped, drops)
    write_records(kept, examples)
    reasons = "".join(f"; {n} {r}" for r, n in sorted(Counter(d.rule for d in drops).items()))
    print(f"{candidates}: {len(examples)} kept{reasons}")


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
    temperature: Temperature,
    seed: Seed,
    dev_output: Annotated[Path, typer.Option(help="Dev prompts.")],
    test_output: Annotated[Path, typer.Option(help="Test prompts.")],
) -> None:
    """Set dev and test prompts aside, drawn from sources or brought as files."""
    from limaflow.curation.holdout import prompts_of
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example

    examples = [example for path in filtered or [] for example in read_records(path, Example)]
    splits = prompts_of(
        examples,
        {"dev": counts_of(dev, "--dev"), "test": counts_of(test, "--test")},
        {"dev": dev_path or [], "test": test_path or []},
        temperature,
        seed,
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
    from limaflow.jsonl import read_records, write_records
    from limaflow.mistakes import parse_block
    from limaflow.records import Example

    examples, drops = deduplicated(
        (example for path in filtered for example in read_records(path, Example)),
        parse_block(Deduplication, settings, "--settings"),
    )
    write_records(dropped, drops)
    write_records(kept, examples)
    print(f"{len(examples)} kept, {len(drops)} duplicates dropped")


@app.command()
def decontaminate(
    unique: Annotated[Path, typer.Argument(help="Deduplicated examples.")],
    *,
    settings: Annotated[str, typer.Option(help="JSON of curation.decontamination.")],
    prompts: Annotated[list[Path], typer.Option(help="Dev and test prompts.")],
    benchmark_texts: Annotated[
        Path | None, typer.Option(help="Texts of benchmark items, JSON lines.")
    ] = None,
    kept: Kept,
    dropped: Dropped,
    report: Annotated[Path, typer.Option(help="Every shared text, JSON lines.")],
) -> None:
    """Remove examples that share text with dev, test or a benchmark."""
    from limaflow.curation.decontamination import decontaminated
    from limaflow.curation.protected_text import GuardedText
    from limaflow.curation.settings import Decontamination
    from limaflow.jsonl import read_records, write_records
    from limaflow.mistakes import parse_block
    from limaflow.records import Example

    examples, drops, matches = decontaminated(
        read_records(unique, Example),
        [example for path in prompts for example in read_records(path, Example)],
        read_records(benchmark_texts, GuardedText) if benchmark_texts else (),
        parse_block(Decontamination, settings, "--settings").ngram_words,
    )
    write_records(dropped, drops)
    write_records(report, matches)
    write_records(kept, examples)
    print(f"pool of {len(examples)}; {len(drops)} dropped, {len(matches)} shared texts")


@app.command()
def contamination(
    examples: Annotated[Path, typer.Argument(help="Examples of a data set brought whole.")],
    *,
    settings: Annotated[str, typer.Option(help="JSON of curation.decontamination.")],
    prompts: Annotated[list[Path], typer.Option(help="Dev and test prompts.")],
    benchmark_texts: Annotated[
        Path | None, typer.Option(help="Texts of benchmark items, JSON lines.")
    ] = None,
    report: Annotated[Path, typer.Option(help="Every shared text, JSON lines.")],
) -> None:
    """List what a ready-made data set shares with dev, test or a benchmark; remove nothing."""
    from limaflow.curation.decontamination import contamination as found_in
    from limaflow.curation.protected_text import GuardedText
    from limaflow.curation.settings import Decontamination
    from limaflow.jsonl import read_records, write_records
    from limaflow.mistakes import parse_block
    from limaflow.records import Example

    matches = found_in(
        read_records(examples, Example),
        [example for path in prompts for example in read_records(path, Example)],
        read_records(benchmark_texts, GuardedText) if benchmark_texts else (),
        parse_block(Decontamination, settings, "--settings").ngram_words,
    )
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
    seed: Seed,
    sampled: Annotated[Path, typer.Option(help="The sample.")],
    reserve: Annotated[Path, typer.Option(help="Spare examples, to replace rejected ones.")],
    dropped: Dropped,
) -> None:
    """Draw a data set from the pool."""
    from limaflow.curation.sampling import sampled as sampled_from
    from limaflow.curation.sampling import undrawn
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example

    wanted = wanted_of(examples, "--examples")
    chosen, spare = sampled_from(
        read_records(pool, Example),
        wanted,
        temperature,
        reserve_share,
        seed,
    )
    write_records(dropped, undrawn(read_records(pool, Example), wanted, chosen, spare))
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
    from limaflow.jsonl import write_records

    print(f"{file}: {write_records(output, adopted(file, 'train'))} examples")


@app.command()
def apply_review(
    sampled: Annotated[Path, typer.Argument(help="The sample.")],
    *,
    ledger: Annotated[
        list[Path] | None, typer.Option(help="Decisions, JSON lines; repeat for several files.")
    ] = None,
    pool: Annotated[
        Path | None, typer.Option(help="All candidates: tells decisions that meet none.")
    ] = None,
    seed: Seed,
    reserve: Annotated[Path, typer.Option(help="Spare examples.")],
    kept: Kept,
    dropped: Dropped,
    summary: Annotated[Path, typer.Option(help="What the ledger did, JSON.")],
) -> None:
    """Apply the reviewers' decisions."""
    from limaflow.curation.apply_review import reviewed
    from limaflow.curation.ledger import read
    from limaflow.jsonl import read_records, write_json, write_records
    from limaflow.records import Example

    found = read(ledger or [])
    examples, drops, done = reviewed(
        read_records(sampled, Example),
        read_records(reserve, Example),
        found.decisions,
        seed,
        ledger_name=", ".join(path.name for path in ledger) if ledger else None,
        pool={example.id for example in read_records(pool, Example)} if pool else (),
    )
    write_records(dropped, drops)
    write_json(summary, done)
    write_records(kept, examples)
    for warning in found.warnings:
        print(f"warning: {warning}")
    if ledger is None:
        print(f"{done.kept} kept: there is no ledger, so no one has reviewed them")
        return
    print(
        f"{done.kept} kept, {done.edited} of them edited; {done.rejected} rejected and "
        f"replaced; {done.unreviewed} without a decision"
    )
    if done.undrawn:
        print(f"{done.undrawn} decisions are on candidates that this sample did not draw")
    met = {decision.id: decision for decision in found.decisions}
    for id in done.unmet[:20]:
        print(f"no candidate meets the decision on {id} ({met[id].decision}): {met[id].prompt}")
    if done.unmet[20:]:
        print(f"nor {len(done.unmet) - 20} more, which {summary} lists")


@app.command()
def freeze(
    reviewed: Annotated[Path, typer.Argument(help="Reviewed training examples.")],
    *,
    dev: Annotated[Path, typer.Option(help="Dev prompts.")],
    test: Annotated[Path, typer.Option(help="Test prompts.")],
    output_folder: Annotated[Path, typer.Option(help="Folder of the data set.")],
) -> None:
    """Write train, dev and test as other tools read them."""
    from limaflow.curation.freezing import freeze as freeze_into
    from limaflow.jsonl import read_records
    from limaflow.records import Example

    freeze_into(
        output_folder,
        {
            "train": list(read_records(reviewed, Example)),
            "dev": list(read_records(dev, Example)),
            "test": list(read_records(test, Example)),
        },
    )
    print(f"frozen in {output_folder}")


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(help="Folder of the frozen data set.")],
    *,
    dataset: Annotated[str, typer.Option(help="Name of the data set.")],
    title: Annotated[str, typer.Option(help="Title for the card.")],
    contamination: Annotated[Path, typer.Option(help="Every shared text, JSON lines.")],
    funnel: Annotated[Path, typer.Option(help="funnel.json.")],
    tokenizer: Annotated[
        Path | None, typer.Option(help="model.json whose tokenizer measures lengths.")
    ] = None,
) -> None:
    """Write card, attribution, lengths, a page to browse and checksums beside the rows."""
    from limaflow.curation.dataset_card import CountedSteps, SharedText
    from limaflow.curation.describing import describe as describe_in
    from limaflow.curation.text_lengths import measure_of
    from limaflow.jsonl import read_json, read_records
    from limaflow.records import Example

    describe_in(
        folder,
        name=dataset,
        title=title,
        splits={
            "train": list(read_records(folder / "train.jsonl", Example)),
            "dev": list(read_records(folder / "dev.jsonl", Example)),
            "test": list(read_records(folder / "test.jsonl", Example)),
        },
        measure=measure_of(tokenizer),
        shared=list(read_records(contamination, SharedText)),
        steps=read_json(funnel, CountedSteps).steps,
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
    import json

    from limaflow.curation.funnel import funnel as counted
    from limaflow.jsonl import write_json

    found = counted(results, json.loads(shards), json.loads(datasets))
    write_json(output, found)
    print(f"{len(found.steps)} steps, all counts add up")
