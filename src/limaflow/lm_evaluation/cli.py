"""`limaflow benchmark`: lm-eval before and after tuning."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limaflow.generation.cli import ChooseBy

if TYPE_CHECKING:
    from limaflow.lm_evaluation.evaluate import Format

app = typer.Typer(no_args_is_help=True)


class Precision(StrEnum):
    """Of the weights and the computation."""

    FP32 = "fp32"
    BF16 = "bf16"


class PromptFormat(StrEnum):
    """How a task is put to a model."""

    PLAIN = "plain"
    CHAT = "chat"


Tasks = Annotated[
    list[str],
    typer.Option(
        "--task", help="lm-eval task, group or tag, or the path of a task's YAML; repeat."
    ),
]
DataRoot = Annotated[
    Path, typer.Option(help="Where relative paths of data in task files count from.")
]
Copies = Annotated[
    Path | None,
    typer.Option("--local-copies", help="Folder of local copies of the hub's data sets."),
]
Include = Annotated[Path | None, typer.Option(help="Folder of local task YAML files.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first items of each task.")]
Seed = Annotated[int, typer.Option(help="Seed of few-shot sampling.")]
FewShot = Annotated[
    list[str] | None,
    typer.Option(help="Examples before an item: a number for all, or TASK=NUMBER; repeat."),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="TASK=METRIC or TASK=METRIC,FILTER: what stands for it; repeat."),
]
UnsafeCode = Annotated[
    bool, typer.Option("--unsafe-code", help="Allow tasks that run code which the model writes.")
]


@app.command()
def check(
    *,
    task: Tasks,
    include: Include = None,
    data_root: DataRoot = Path(),
    copies: Copies = None,
    limit: Limit = None,
    seed: Seed = 0,
    few_shot: FewShot = None,
    metric: Metrics = None,
    unsafe_code: UnsafeCode = False,
) -> None:
    """Load the tasks, build every prompt and score some made-up answers; no model is needed."""
    from limaflow.lm_evaluation.evaluate import EvaluationSettings, checked
    from limaflow.lm_evaluation.task_options import few_shot_options, metric_options

    default, by_task = few_shot_options(few_shot or [])
    settings = EvaluationSettings(
        limit=limit,
        batch=1,
        seed=seed,
        few_shot=default,
        few_shot_by_task=by_task,
        metrics=metric_options(metric or []),
        unsafe_code=unsafe_code,
        data_root=data_root,
        copies=copies,
    )
    selection, prompts, results = checked(task, include, settings)
    for asked in selection.asked:
        result, count = results[asked.name], sum(len(prompts[part]) for part in asked.parts)
        print(f"{asked.name}: {count} items, {result.description}")


@app.command()
def run(
    *,
    model: Annotated[Path, typer.Option(help="The model's manifest (model.json, chosen.json).")],
    name: Annotated[str, typer.Option(help="Name of the model in the results: its arm.")],
    task: Tasks,
    results: Annotated[Path, typer.Option(help="Writes every metric of every task (JSON).")],
    items: Annotated[Path, typer.Option(help="Writes the main metric of every item (JSONL).")],
    batch: Annotated[int, typer.Option(min=1, help="Items at once; changes scores slightly.")],
    seed: Seed,
    include: Include = None,
    data_root: DataRoot = Path(),
    copies: Copies = None,
    few_shot: FewShot = None,
    metric: Metrics = None,
    limit: Limit = None,
    format: Annotated[
        list[PromptFormat] | None,
        typer.Option(
            help="plain (by default), or chat: in the model's chat template. Repeat for both: one "
            "load of the model answers them, and the second has rows of its own."
        ),
    ] = None,
    precision: Annotated[Precision, typer.Option()] = Precision.FP32,
    unsafe_code: UnsafeCode = False,
    gpus: Annotated[
        int, typer.Option(min=0, help="Free GPUs to take, if there are any; 0: the CPU.")
    ] = 1,
    examples: Annotated[
        Path | None, typer.Option(help="Training examples, of an in-context arm.")
    ] = None,
    shots: Annotated[int, typer.Option(min=1, help="How many of them stand before a prompt.")] = 3,
    choose: Annotated[ChooseBy, typer.Option(help="Which of them are tried first.")] = (
        ChooseBy.SEED
    ),
    given: Annotated[
        list[str] | None, typer.Option(help="Id of one of them; repeat, in their order.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="The test prompts, before which the examples must fit.")
    ] = None,
    response_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens that the examples leave for a response.")
    ] = 2048,
) -> None:
    """Run lm-eval tasks on one model; goes on where a kill cut it off.

    Answers to requests are kept in `answered/` beside the results. No arm, task, batch or limit is
    part of what they depend on.
    """
    from limaflow.cards import take_cards

    # Before CUDA is looked at.
    cards = take_cards(gpus)
    from limaflow.errors import InputError
    from limaflow.jsonl import write_json, write_records
    from limaflow.lm_evaluation.evaluate import EvaluationSettings, Shots, evaluate
    from limaflow.lm_evaluation.task_options import few_shot_options, metric_options

    if (examples is None) != (prompts is None):
        raise InputError("--examples and --prompts belong together")
    default, by_task = few_shot_options(few_shot or [])
    settings = EvaluationSettings(
        limit=limit,
        batch=batch,
        formats=_formats(format or [PromptFormat.PLAIN], behind_examples=examples is not None),
        precision=precision.value,
        seed=seed,
        few_shot=default,
        few_shot_by_task=by_task,
        metrics=metric_options(metric or []),
        unsafe_code=unsafe_code,
        gpus=max(1, len(cards)),
        shots=Shots(
            examples=examples,
            count=shots,
            prompts=prompts,
            max_tokens=response_tokens,
            choose=choose.value,
            given=tuple(given or ()),
        )
        if examples and prompts
        else None,
        data_root=data_root,
        copies=copies,
    )
    keep = results.parent / "answered"
    found, scores = evaluate(model, name, task, include, settings, keep=keep)
    write_records(items, scores, key=lambda item: (item.format, item.task, item.item_id))
    write_json(results, found)
    by_format = {found["run"]["format"]: found} | found["also"]
    for way, answered in by_format.items():
        for asked, score in answered["scores"].items():
            value = "no value" if score["value"] is None else f"{score['value']:.4f}"
            note = f"; not paired: {score['unpaired']}" if score["unpaired"] else ""
            unread = f", {score['unread_items']} unread" if score["unread_items"] else ""
            print(
                f"{name}: {asked} ({way}): {score['metric']} {value} of {score['items']} items"
                f"{unread}{note}"
            )
            if others := score["other_metrics"]:
                print(f"  it also reports {', '.join(others)} (benchmarks.metrics)")


def _formats(asked: list[PromptFormat], *, behind_examples: bool) -> "tuple[Format, ...]":
    if len(set(asked)) < len(asked):
        raise typer.BadParameter(f"'{asked[0].value}' stands twice", param_hint="--format")
    named: dict[PromptFormat, Format] = (
        {PromptFormat.PLAIN: "in-context", PromptFormat.CHAT: "in-context-chat"}
        if behind_examples
        else {PromptFormat.PLAIN: "plain", PromptFormat.CHAT: "chat"}
    )
    return tuple(named[format] for format in asked)


@app.command()
def adopt(
    files: Annotated[
        list[Path],
        typer.Argument(help="lm-eval's samples_*.jsonl, or .csv, .tsv, .parquet, JSON (lines)."),
    ],
    *,
    name: Annotated[str, typer.Option(help="Name of the model in the results: its arm.")],
    results: Annotated[Path, typer.Option(help="Writes the mean of every task (JSON).")],
    items: Annotated[Path, typer.Option(help="Writes the score of every item (JSONL).")],
    task: Annotated[
        str, typer.Option(help="The task, where neither file nor column says it.")
    ] = "",
    metric: Annotated[
        str, typer.Option(help="What the score is; of samples METRIC or METRIC,FILTER.")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="OURS=THEIRS: what a table calls item, task, score, right, answer, choices, "
            "reply, question or prompt; repeat."
        ),
    ] = None,
    separator: Annotated[
        str, typer.Option(help="Between several right answers in one cell of a table.")
    ] = "",
    normalize: Annotated[
        bool,
        typer.Option("--normalize", help="Compare answers without case, articles, punctuation."),
    ] = False,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            help="How one file is laid out, as JSON (config: benchmarks.recorded), in "
            "place of these options; one for each file, in order."
        ),
    ] = None,
) -> None:
    """Take in results by item that were measured elsewhere; no model is needed."""
    from limaflow.errors import InputError
    from limaflow.jsonl import write_json, write_records
    from limaflow.lm_evaluation.adopted_items import adopted
    from limaflow.lm_evaluation.settings import ItemLayout
    from limaflow.mistakes import parse_block, validated
    from limaflow.verdict_import.column_mapping import named

    if layout and (task or metric or column or separator or normalize):
        raise InputError("--layout says all that the options for one layout do")
    if layout and len(layout) != len(files):
        raise InputError(f"there are {len(files)} files and {len(layout)} times --layout")
    given = {
        "task": task,
        "metric": metric,
        "separator": separator,
        "normalize": normalize,
        "columns": named(column, "--column"),
    }
    layouts = [parse_block(ItemLayout, text, "--layout") for text in layout or ()]
    layouts = layouts or [validated(ItemLayout, given, "--column")] * len(files)
    found, scores = adopted(list(zip(files, layouts, strict=True)), name)
    write_records(items, scores, key=lambda item: (item.task, item.item_id))
    write_json(results, found)
    for asked, score in found["scores"].items():
        unread = f"; {score['unread_items']} unread" if score["unread_items"] else ""
        print(
            f"{name}: {asked}: {score['metric']} {score['value']:.4f} of {score['items']} items"
            f"{unread}"
        )


@app.command()
def adopt_grades(
    files: Annotated[
        list[Path], typer.Argument(help="People's judgments: .csv, .tsv, .parquet, JSON (lines).")
    ],
    *,
    items: Annotated[list[Path], typer.Option(help="items.jsonl of an arm; repeat.")],
    layout: Annotated[
        list[str],
        typer.Option(
            help="task, arm, format, reader, columns and words of one file as JSON (config: "
            "benchmarks.human_grades); one for each file, in order."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Writes one judgment a line (JSONL).")],
) -> None:
    """Take in what people said of replies to benchmark items."""
    from collections import Counter

    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_records
    from limaflow.lm_evaluation.adopted_grades import adopted_grades
    from limaflow.lm_evaluation.settings import GradeLayout
    from limaflow.mistakes import parse_block
    from limaflow.records import BenchmarkItem

    if len(layout) != len(files):
        raise InputError(f"there are {len(files)} files and {len(layout)} times --layout")
    layouts = [parse_block(GradeLayout, text, "--layout") for text in layout]
    found = adopted_grades(
        list(zip(files, layouts, strict=True)),
        (item for path in items for item in read_records(path, BenchmarkItem)),
    )
    write_records(output, found)
    counts = Counter((grade.annotator, grade.model) for grade in found)
    unsure = Counter((g.annotator, g.model) for g in found if g.right is None)
    for who, count in sorted(counts.items()):
        print(f"{who[0]}: {count} replies of {who[1]}, {unsure[who]} unsure")


@app.command()
def texts(
    *,
    task: Tasks,
    output: Annotated[Path, typer.Option(help="Writes one text an item (JSONL).")],
    include: Include = None,
    data_root: DataRoot = Path(),
    copies: Copies = None,
    limit: Limit = None,
) -> None:
    """Write the text of every benchmark item, for decontamination."""
    from limaflow.jsonl import write_records
    from limaflow.lm_evaluation.item_texts import item_texts

    texts_of_items = item_texts(task, include, limit, data_root, copies)
    count = write_records(output, texts_of_items, key=lambda text: (text.task, text.item_id))
    print(f"{count} benchmark items")


@app.command()
def fetch(
    *,
    task: Tasks,
    output: Annotated[Path, typer.Option(help="Writes what was read from where (JSON).")],
    include: Include = None,
    data_root: DataRoot = Path(),
    copies: Copies = None,
    few_shot: FewShot = None,
    metric: Metrics = None,
    unsafe_code: UnsafeCode = False,
) -> None:
    """Fetch the tasks' data, metrics and nltk's files; see that no network is needed any more."""
    from dataclasses import asdict

    from limaflow.jsonl import write_json
    from limaflow.lm_evaluation.fetching import fetch as fetch_all
    from limaflow.lm_evaluation.fetching import works_offline

    data = fetch_all(task, include, data_root=data_root, copies=copies)
    for read in data:
        rows = ", ".join(f"{split} {count}" for split, count in read.rows.items())
        print(f"{' '.join(filter(None, (read.name, read.configuration)))}: {read.place}: {rows}")
    options = [f"--task={name}" for name in task] + [f"--data-root={data_root}"]
    options += [f"--include={include}"] if include else []
    options += [f"--local-copies={copies}"] if copies else []
    options += [f"--few-shot={value}" for value in few_shot or []]
    options += [f"--metric={value}" for value in metric or []]
    options += ["--unsafe-code"] if unsafe_code else []
    works_offline(options)
    write_json(output, {"tasks": task, "data": [asdict(read) for read in data]})
    print(f"{len(task)} tasks were put together and scored without a network")
