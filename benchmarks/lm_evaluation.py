"""What our harness adds to lm-eval's own time: the same tasks, model and batch, in one run.

    make bench, or python benchmarks/lm_evaluation.py
    python benchmarks/lm_evaluation.py --model FOLDER --copies DIR --task mmlu_astronomy --limit 9

Both read the tasks, load the model, ask it and score the answers. Ours also keeps answers and
hashes prompts, scores made-up answers first, and sees that padding is of no effect. Without options
the model is a random Llama of some 7 million parameters, and the tasks are invented: 300 questions
with four choices, and 30 answers of 64 tokens. Times are of the processor, which other processes of
the machine do not lengthen.
"""

import argparse
import contextlib
import io
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WORDS = [f"w{number}" for number in range(2000)]
END = "<end>"
BATCH = 8
CHOOSE = """task: choose
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: [w1, w2, w3, w4]
doc_to_target: answer
metric_list: [{{metric: acc}}]
"""
WRITE = """task: write
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "w1"
generation_kwargs: {{until: ["@"], do_sample: false, max_gen_toks: 64}}
metric_list: [{{metric: exact_match}}]
"""


def invented(folder: Path) -> tuple[Path, Path]:
    """A folder of two tasks, and one with a model."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tasks, model = folder / "tasks", folder / "model"
    tasks.mkdir()
    for name, text, items in (("choose", CHOOSE, 300), ("write", WRITE, 30)):
        data = tasks / f"{name}.jsonl"
        rows = (
            {"question": " ".join(WORDS[(n * 7 + k * 13) % 2000] for k in range(60 + n % 60))}
            for n in range(items)
        )
        data.write_text("".join(json.dumps({**row, "answer": 1}) + "\n" for row in rows))
        (tasks / f"{name}.yaml").write_text(text.format(data=data))
    words = {word: number for number, word in enumerate([*WORDS, END])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=END, eos_token=END
    ).save_pretrained(model)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=256,
            intermediate_size=1024,
            num_hidden_layers=6,
            num_attention_heads=4,
            max_position_embeddings=1024,
            bos_token_id=None,
            eos_token_id=words[END],
        )
    ).save_pretrained(model)
    return tasks, model


def contest(
    model: Path, tasks: Sequence[str], include: Path | None, copies: Path | None, limit: int | None
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Our work and lm-eval's own."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from limaflow.lm_evaluation.data_sets import data_from
    from limaflow.lm_evaluation.evaluate import EvaluationSettings, evaluate
    from limaflow.manifests import adopt

    scratch = Path(tempfile.mkdtemp())
    manifest = scratch / "model.json"
    adopt("model", str(model), None, manifest)
    settings = EvaluationSettings(batch=BATCH, seed=0, limit=limit, copies=copies)

    def ours() -> None:
        keep = scratch / "answered"
        shutil.rmtree(keep, ignore_errors=True)
        evaluate(manifest, "model", list(tasks), include, settings, keep=keep)

    def peers() -> None:
        manager = TaskManager(
            include_path=str(include) if include else None, include_defaults=include is None
        )
        with data_from(copies):
            loaded = manager.load(list(tasks))
        simple_evaluate(
            model=HFLM(pretrained=str(model), batch_size=BATCH, device="cpu", dtype="float32"),
            tasks=list(loaded["tasks"].values()),
            task_manager=manager,
            limit=limit,
            bootstrap_iters=1000,
            log_samples=True,
        )

    return ours, peers


def share(
    ours: Callable[[], Any], peers: Callable[[], Any], rounds: int
) -> tuple[float, float, float]:
    """Median, lowest and highest of our time over the peer's, in `rounds` pairs after a first."""
    found = []
    for round in range(rounds + 1):
        seconds = []
        for work in (peers, ours):
            start = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()):
                work()
            seconds.append(time.process_time() - start)
        if round:
            found.append(seconds[1] / seconds[0])
    return statistics.median(found), min(found), max(found)


def main() -> None:
    """Measure and print one line."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--model", type=Path, help="a folder of transformers")
    options.add_argument("--copies", type=Path, help="folder of local copies of data sets")
    options.add_argument("--task", action="append", help="of lm-eval, by name")
    options.add_argument("--limit", type=int, help="items of each task")
    options.add_argument("--rounds", type=int, default=3, help="pairs of measurements")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        include, model = invented(Path(folder))
        tasks = chosen.task or ["choose", "write"]
        works = contest(
            chosen.model or model,
            tasks,
            None if chosen.task else include,
            chosen.copies,
            chosen.limit,
        )
        median, low, high = share(*works, chosen.rounds)
    print(
        f"benchmarks, our time over lm-eval's own ({', '.join(tasks)}): {median:.2f}x "
        f"(lowest {low:.2f}, highest {high:.2f}, {chosen.rounds} pairs)"
    )


if __name__ == "__main__":
    main()
