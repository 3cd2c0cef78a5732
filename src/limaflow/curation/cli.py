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

    from limaflow.config import Filters, parse_block
    from limaflow.curation.filtering import filtered
    from limaflow.jsonl import read_records, write_records
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
    from limaflow.config import Deduplication, parse_block
    from limaflow.curation.deduplication import deduplicated
    from limaflow.jsonl import read_records, write_records
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
    from limaflow.config import Decontamination, parse_block
    from limaflow.curation.decontamination import BenchmarkText, decontaminated
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example

    examples, drops, matches = decontaminated(
        read_records(unique, Example),
        [example for path in prompts for example in read_records(path, Example)],
        read_records(benchmark_texts, BenchmarkText) if benchmark_texts else (),
        parse_block(Decontamination, settings, "--settings").ngram_words,
    )
    write_records(dropped, drops)
    write_records(report, matches)
    write_records(kept, examples)
    print(f"pool of {len(examples)}; {len(drops)} dropped, {len(matches)} shared texts")


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
) -> None:
    """Draw a data set from the pool."""
    from limaflow.curation.sampling import sampled as sampled_from
    from limaflow.jsonl import read_records, write_records
    from limaflow.records import Example

    chosen, spare = sampled_from(
        read_records(pool, Example),
        wanted_of(examples, "--examples"),
        temperature,
        reserve_share,
        seed,
    )
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
    ledger: Annotated[Path | None, typer.Option(help="Decisions, JSON lines.")] = None,
    seed: Seed,
    reserve: Annotated[Path, typer.Option(help="Spare examples.")],
    kept: Kept,
    dropped: Dropped,
    summary: Annotated[Path, typer.Option(help="What the ledger did, JSON.")],
) -> None:
    """Apply the reviewer's decisions."""
    from limaflow.curation.review import Decision, reviewed
    from limaflow.jsonl import read_records, write_json, write_records
    from limaflow.records import Example

    examples, drops, done = reviewed(
        read_records(sampled, Example),
        read_records(reserve, Example),
        read_records(ledger, Decision) if ledger else (),
        seed,
        ledger.name if ledger else None,
    )
    write_records(dropped, drops)
    write_json(summary, done)
    write_records(kept, examples)
    if ledger is None:
        print(f"{done.kept} kept: there is no ledger, so no one has reviewed them")
    else:
        print(
            f"{done.kept} kept, {done.edited} of them edited; {done.rejected} rejected and "
            f"replaced; {done.unreviewed} without a decision; "
            f"{len(done.unmet)} decisions meet no candidate"
        )


@app.command()
def freeze(
    reviewed: Annotated[Path, typer.Argument(help="Reviewed training examples.")],
    *,
    dataset: Annotated[str, typer.Option(help="Name of the data set.")],
    title: Annotated[str, typer.Option(help="Title for the card.")],
    dev: Annotated[Path, typer.Option(help="Dev prompts.")],
    test: Annotated[Path, typer.Option(help="Test prompts.")],
    tokenizer: Annotated[
        Path | None, typer.Option(help="model.json whose tokenizer measures lengths.")
    ] = None,
    output_folder: Annotated[Path, typer.Option(help="Folder of the data set.")],
) -> None:
    """Write the data set with its card and checksums."""
    from limaflow.curation.freezing import freeze as freeze_into
    from limaflow.curation.freezing import token_length
    from limaflow.jsonl import read_records
    from limaflow.records import Example

    freeze_into(
        output_folder,
        name=dataset,
        title=title,
        splits={
            "train": list(read_records(reviewed, Example)),
            "dev": list(read_records(dev, Example)),
            "test": list(read_records(test, Example)),
        },
        length=token_length(tokenizer) if tokenizer else len,
        unit="tokens" if tokenizer else "characters",
    )
    print(f"{dataset}: frozen in {output_folder}")


@app.command()
def funnel(
    *,
    curation: Annotated[Path, typer.Option(help="Folder of the shared steps.")],
    datasets: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    shards: Annotated[
        str, typer.Option(help='JSON: {"source": ["shard"]} of this run; else all found.')
    ] = "",
    dataset: Annotated[
        list[str] | None, typer.Option(help="Data set of this run; else all found.")
    ] = None,
    output: Annotated[Path, typer.Option(help="funnel.json.")],
) -> None:
    """Count what came, stayed and left at every step."""
    import json

    from limaflow.curation.funnel import funnel as counted
    from limaflow.jsonl import write_json

    found = counted(curation, datasets, json.loads(shards) if shards else None, dataset)
    write_json(output, found)
    print(f"{len(found.steps)} steps, all counts add up")
