"""What each architecture does from training to lm-eval, as it is observed: `docs/models.md`.

    python tests/unit/models_table.py [NAME ...]

observes the named architectures (all without a name) and writes their rows into the page. Each is
observed in a process of its own, whose warnings and errors are its own.
"""

import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, NoReturn

from architectures import ARCHITECTURES, written
from tiny_model import written_model

from limaflow.training.settings import Attention

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
TEXTS = ["What did the person sell to the neighbours today? Nine goats and a bridge."]
WORKS = "works"
TOLERANCE = 1e-3
"""How far the logits of an opened adapter may differ from the merged model's, in their spread."""
TASK = """
task: colours
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: ["red", "blue as the sky"]
doc_to_target: right
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
"""


@dataclass(frozen=True)
class Row:
    """The cells of one architecture."""

    architecture: str
    full: str
    lora: str
    examples: str = "-"
    export: str = "-"
    adapter: str = "-"
    generation: str = "-"
    lm_eval: str = "-"

    @property
    def line(self) -> str:
        return f"| {' | '.join(astuple(self))} |"


def observed(name: str, base: Path, folder: Path, attention: Attention) -> Row:
    """Train the model of the manifest `base` both ways, and use what comes of it.

    Args:
        name: of the row.
        folder: where all of it is written; it must be empty.
    """
    full, said = outcome(lambda: _train(base, folder / "full", attention, lora=False))
    lora, _ = outcome(lambda: _train(base, folder / "lora", attention, lora=True))
    if full != WORKS:
        return Row(name, full, lora)
    exported = _export_of(folder / "full")
    return Row(
        name,
        full,
        lora,
        examples="padded" if "padded instead" in said else "packed",
        export=outcome(lambda: _open_export(exported))[0],
        adapter=outcome(lambda: _open_adapter(_export_of(folder / "lora")))[0]
        if lora == WORKS
        else "-",
        generation=outcome(lambda: _respond(exported, folder))[0],
        lm_eval=outcome(lambda: _evaluate(exported, folder))[0],
    )


def outcome(action: Callable[[], object]) -> tuple[str, str]:
    """`works`, or the reason why not, and all that was written to stderr meanwhile.

    In a process of its own: DeepSpeed starts once in one.
    """
    with tempfile.TemporaryDirectory() as folder:
        cell, log = Path(folder, "cell"), Path(folder, "log")
        child = os.fork()
        if not child:
            _run_as_child(action, cell, log)
        os.waitpid(child, 0)
        said = log.read_text()
        return cell.read_text() if cell.is_file() else f"FAULT: {said[-300:]}", said


def _run_as_child(action: Callable[[], object], cell: Path, log: Path) -> NoReturn:
    from limaflow.errors import InputError

    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        action()
        text = WORKS
    except InputError as error:
        text = f"refused: {_in_a_cell(error)}"
    except SystemExit:
        # The message stands in the log, as with every error of a training.
        sys.stderr.flush()
        lines = log.read_text().replace("\r", "\n").strip().splitlines()
        messages = [line for line in lines if line.startswith("error: ")]
        text = f"refused: {_in_a_cell((messages or lines)[-1])}"
    except BaseException as error:
        traceback.print_exc()
        text = f"FAULT: {type(error).__name__}: {_in_a_cell(error)}"
    sys.stdout.flush()
    sys.stderr.flush()
    cell.write_text(text)
    os._exit(0)


def _in_a_cell(reason: object) -> str:
    return " ".join(str(reason).split()).replace("|", "\\|")


def _export_of(folder: Path) -> Path:
    from limaflow.training.manifest import model_of_epoch

    return model_of_epoch(folder / "training.json", 1)


def _train(base: Path, folder: Path, attention: Attention, *, lora: bool) -> None:
    from limaflow.training.fine_tune import train
    from limaflow.training.job import Job
    from limaflow.training.settings import Launch, Lora, Training

    examples(folder)
    settings = Training(
        epochs=1, learning_rate=1e-3, final_learning_rate=1e-3, warmup_steps=0, batch_examples=4,
        max_tokens=120, betas=(0.9, 0.95), weight_decay=0.1, decay_norms_and_biases=True,
        gradient_clipping=0.0, residual_dropout=0.0, loss_on="responses", loss_mean="token",
        precision="fp32", max_trimmed_share=1.0, vocabulary_multiple=64,
        lora=Lora(rank=4) if lora else None,
    )  # fmt: skip
    launch = Launch(
        nodes=1, processes_per_node=1, micro_batch_examples=2, micro_batch_tokens="auto",
        zero_stage=2, gradient_checkpointing=False, checkpoint_every_steps=None,
        keep_checkpoints=1, attention=attention,
    )  # fmt: skip
    job = Job(
        arm="lima", base=base, data=folder / "train.jsonl", dev=folder / "train.jsonl",
        settings=settings, launch=launch, export_epochs=(1,), seed=1,
        run_folder=folder / "runs", output=folder / "training.json",
    )  # fmt: skip
    train(job)


def examples(folder: Path) -> None:
    """Write train.jsonl, twelve conversations, and asked.jsonl, five prompts."""
    from limaflow.jsonl import write_records
    from limaflow.records import Example, Message

    def conversation(number: int, *, answered: bool) -> Example:
        asked = f"What did person {number} " + "sell to the neighbours " * (number % 5) + "today?"
        messages = [Message(role="user", content=asked)]
        if answered:
            told = f"{number} goats and a bridge, naïve as ever. " * (1 + number % 3)
            messages.append(Message(role="assistant", content=told))
        return Example(id=f"e{number}", messages=tuple(messages), source="test", split="train")

    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / "train.jsonl", [conversation(n, answered=True) for n in range(12)])
    write_records(folder / "asked.jsonl", [conversation(n, answered=False) for n in range(5)])


def _open_export(manifest: Path) -> None:
    """What the training has compared already names its end of turn wherever it is looked for."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    from limaflow.training.conversation import END_OF_TURN

    model = manifest.parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(model)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    for config in (
        AutoConfig.from_pretrained(model).get_text_config(),
        GenerationConfig.from_pretrained(model),
    ):
        assert end in _listed(config.eos_token_id), type(config).__name__
    assert tokenizer.eos_token == END_OF_TURN


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _open_adapter(manifest: Path) -> None:
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read: Any = AutoModelForCausalLM.from_pretrained
    tokens = torch.arange(5, 45)[None]
    with torch.inference_mode():
        merged = read(manifest.parent / "model")(tokens).logits
        adapted = AutoPeftModelForCausalLM.from_pretrained(manifest.parent / "adapter")
        # An export has rows beyond those of its tokenizer.
        merged = merged[..., : len(AutoTokenizer.from_pretrained(manifest.parent / "model"))]
        found = adapted(tokens).logits[..., : merged.shape[-1]]
        difference = (found - merged).square().mean().sqrt() / merged.std()
    assert difference < TOLERANCE, f"logits differ by {difference:.1g}"


def _respond(manifest: Path, folder: Path) -> None:
    """The same responses whatever the batch, in fp32."""
    from limaflow.generation.respond import ResponseJob, respond
    from limaflow.generation.settings import Decoding
    from limaflow.jsonl import read_records
    from limaflow.records import Response

    decoding = Decoding(
        top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=20, samples=2
    )
    found = []
    for batch in (1, 4):
        output = folder / f"batch-{batch}.jsonl"
        respond(
            ResponseJob(
                model=manifest,
                name="m",
                style="chat",
                examples=None,
                shots=0,
                prompts=folder / "full" / "asked.jsonl",
                decoding=decoding,
                samples=2,
                seed=1,
                batch=batch,
                precision="fp32",
                engine="transformers",
                vllm="vllm",
                max_length_share=1.0,
                output=output,
            )
        )
        found.append([response.text for response in read_records(output, Response)])
    equal = sum(one == other for one, other in zip(*found, strict=True))
    assert found[0] == found[1], f"{equal} of {len(found[0])} responses are the same in a batch"


def _evaluate(manifest: Path, folder: Path) -> None:
    from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate

    tasks = folder / "tasks"
    tasks.mkdir()
    rows = [{"question": f"The colour of {n} roses is", "right": n % 2} for n in range(4)]
    (tasks / "colours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tasks / "colours.yaml").write_text(TASK.format(data=tasks / "colours.jsonl"))
    settings = EvaluationSettings(batch=4, seed=0)
    results, _ = evaluate(manifest, "m", ["colours"], tasks, settings)
    assert results["scores"]["colours"]["items"] == len(rows)


def rows_of(bases: dict[str, tuple[Callable[[Path], object], Attention]]) -> Iterator[Row]:
    """The row of each architecture; what writes its base model into a folder is given."""
    # Read once, before there is a process for each.
    for module in ("torch.distributed", "deepspeed", "lm_eval.models.huggingface", "peft"):
        importlib.import_module(module)
    for name, (write_base, attention) in bases.items():
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder, "base")
            made, log = outcome(lambda write=write_base, base=base: write(base))
            assert made == WORKS, log
            yield observed(name, base / "model.json", Path(folder), attention)


def written_rows() -> dict[str, Row]:
    """The rows of the page, by architecture."""
    table = PAGE.read_text().split("| architecture ")[1].split("\n\n")[0]
    lines = table.splitlines()[2:]
    rows = (Row(*(cell.strip() for cell in line[1:-1].split(" | "))) for line in lines)
    return {row.architecture: row for row in rows}


def bases(
    names: Iterable[str], folder: Path
) -> dict[str, tuple[Callable[[Path], object], Attention]]:
    """What writes the tiny base model of each architecture, with a tokenizer made in `folder`."""
    like = written_model(folder, texts=TEXTS, context=256).parent / "model"

    def write(name: str) -> Callable[[Path], object]:
        return lambda base: written(name, base, like)

    return {name: (write(name), ARCHITECTURES[name].attention) for name in names}


def main(names: Sequence[str]) -> None:
    """Observe architectures and write their rows into the page."""
    with tempfile.TemporaryDirectory() as folder:
        for row in rows_of(bases(names or list(ARCHITECTURES), Path(folder))):
            rows = written_rows() | {row.architecture: row}
            text = PAGE.read_text()
            start = text.index("| architecture ")
            head = text[start:].splitlines()[:2]
            end = start + len(text[start:].split("\n\n", 1)[0])
            order = [name for name in ARCHITECTURES if name in rows]
            table = "\n".join([*head, *(rows[name].line for name in order)])
            PAGE.write_text(text[:start] + table + text[end:])
            print(row.line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
