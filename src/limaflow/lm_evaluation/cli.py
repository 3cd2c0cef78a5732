"""`limaflow benchmark`: lm-eval before and after tuning."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Tasks = Annotated[
    list[str],
    typer.Option(
        "--task", help="lm-eval task, group or tag, or the path of a task's YAML; repeat."
    ),
]
Include = Annotated[Path | None, typer.Option(help="Folder of local task YAML files.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first items of each task.")]


@app.command()
def run(
    *,
    model: Annotated[Path, typer.Option(help="The model's manifest (model.json, chosen.json).")],
    name: Annotated[str, typer.Option(help="Name of the model in the results: its arm.")],
    task: Tasks,
    results: Annotated[Path, typer.Option(help="Writes every metric of every task (JSON).")],
    items: Annotated[Path, typer.Option(help="Writes the main metric of every item (JSONL).")],
    batch: Annotated[int, typer.Option(min=1, help="Items at once; changes scores slightly.")],
    seed: Annotated[int, typer.Option(help="Seed of few-shot sampling.")],
    include: Include = None,
    few_shot: Annotated[int | None, typer.Option(min=0, help="Examples before an item.")] = None,
    limit: Limit = None,
    chat_template: Annotated[bool, typer.Option("--chat-template")] = False,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
) -> None:
    """Run lm-eval tasks on one model."""
    from limaflow.errors import InputError
    from limaflow.jsonl import write_json, write_records
    from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate

    if precision not in ("fp32", "bf16"):
        raise InputError(f"--precision is fp32 or bf16, not '{precision}'")
    settings = EvaluationSettings(
        few_shot=few_shot,
        limit=limit,
        batch=batch,
        chat_template=chat_template,
        precision=precision,
        seed=seed,
    )
    found, scores = evaluate(model, name, task, include, settings, kept=items.parent / ".kept")
    write_records(items, scores, key=lambda item: (item.task, item.item_id))
    write_json(results, found)
    for asked, score in found["scores"].items():
        print(f"{name}: {asked}: {score['metric']} {score['value']:.4f} of {score['items']} items")


@app.command()
def texts(
    *,
    task: Tasks,
    output: Annotated[Path, typer.Option(help="Writes one text an item (JSONL).")],
    include: Include = None,
    limit: Limit = None,
) -> None:
    """Write the text of every benchmark item, for decontamination."""
    from limaflow.jsonl import write_records
    from limaflow.lm_evaluation.item_texts import item_texts

    count = write_records(
        output, item_texts(task, include, limit), key=lambda text: (text.task, text.item_id)
    )
    print(f"{count} benchmark items")
