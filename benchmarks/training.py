"""Full fine-tuning: tokens of the data set per second, ours beside TRL's SFTTrainer.

Both train the same model on the same token lists and labels: AdamW, linear decay, 32 examples an
optimizer step, one process. Each layout runs in a process of its own (training_layout.py), in
turn, and is measured from the end of its third step on, so that start-up and saving are left out.

Without options it takes the miniature's base model and data set. `--model` takes a folder with a
model that people have, and compares with a plain loop of PyTorch too, for a few
steps of 16 examples of 80 tokens, all weights and with LoRA. `--shape` takes a Llama of a shape
with random weights and examples as long as LIMA's: `tiny` for a CPU, `1b` and `7b` for a GPU. On a
CPU each has one thread, and its CPU time counts, which other work on the machine hardly changes.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

MINIATURE = Path("results/miniature")
ROUNDS = 3
VOCABULARY = {"tiny": 2_000, "1b": 32_000, "7b": 32_000}
EXAMPLES = {"tiny": 128, "1b": 512, "7b": 512}
SHAPES = {
    "tiny": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 2},
    "1b": {"hidden_size": 2048, "intermediate_size": 5504, "num_hidden_layers": 22},
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32},
}
LIMA_MEAN, LIMA_SPREAD, LIMIT = 620, 0.9, 2048
"""Tokens: 711,132 in 1,030 sequences trimmed to 2,048; the spread (of the logarithm) is a guess."""
OURS = [
    {"peer": "limaflow", "packed": 512},
    {"peer": "limaflow", "packed": 2048},
    {"peer": "limaflow", "packed": 8192},
    {"peer": "limaflow", "micro": 2},
    {"peer": "limaflow", "micro": 8},
]
UNPACKED = [{"peer": "trl", "micro": 8}, {"peer": "trl", "micro": 32}]
OTHERWISE = [
    {"peer": "trl", "micro": 8, "grouped": True},
    {"peer": "trl", "micro": 8, "padding_free": True},
    {"peer": "trl", "micro": 32, "padding_free": True},
]
REAL = [
    {"peer": peer, **batch, "lora": lora}
    for lora in (False, True)
    for peer, batch in (
        ("limaflow", {"packed": 512}),
        ("limaflow", {"micro": 4}),
        ("plain", {"micro": 4}),
        ("trl", {"micro": 4}),
    )
]
REAL_EXAMPLES, REAL_BATCH, REAL_MEAN, REAL_LIMIT = 24, 8, 80, 160


def real(folder: Path) -> dict[str, Any]:
    """A model of a folder, and random tokens to train on: a step to warm up and two to measure."""
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    rows = drawn_rows(REAL_EXAMPLES, vocabulary, mean=REAL_MEAN, spread=0.5, limit=REAL_LIMIT)
    sizes = {"batch": REAL_BATCH, "epochs": 1, "warm_up": 1}
    return {"model": str(folder), "rows": rows, "vocabulary": vocabulary, **sizes}


def miniature() -> dict[str, Any]:
    """The stand-in base model and its data set as tokens."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.manifests import read_manifest
    from limaflow.training.data import dialogue_tokenizer, prepared

    settings = parse(merged([Path("config.yaml"), Path("experiments/miniature.yaml")])).training
    base = MINIATURE / "base/model.json"
    tokenizer, _ = dialogue_tokenizer(base)
    data = prepared(MINIATURE / "datasets/lima/frozen/train.jsonl", None, tokenizer, settings)
    rows = [{"input_ids": e.tokens, "labels": e.labels} for e in data.train]
    return {"model": str(read_manifest(base)[1]), "rows": rows, "vocabulary": len(tokenizer)}


def invented(shape: str) -> dict[str, Any]:
    """A Llama of a known shape, to be made with random weights, and random tokens to train on."""
    rows = drawn_rows(
        EXAMPLES[shape], VOCABULARY[shape], mean=LIMA_MEAN, spread=LIMA_SPREAD, limit=LIMIT
    )
    return {"shape": SHAPES[shape], "rows": rows, "vocabulary": VOCABULARY[shape]}


def drawn_rows(
    count: int, vocabulary: int, *, mean: int, spread: float, limit: int
) -> list[dict[str, Any]]:
    """Random tokens of log-normal lengths; an eighth of each is a prompt."""
    import random

    drawn = random.Random(0)
    centre = math.log(mean) - spread**2 / 2
    rows = []
    for _ in range(count):
        length = max(16, min(limit, round(drawn.lognormvariate(centre, spread))))
        tokens = [drawn.randrange(10, vocabulary) for _ in range(length)]
        prompt = max(2, length // 8)
        rows.append({"input_ids": tokens, "labels": [-100] * prompt + tokens[prompt:]})
    return rows


def matrix_product(size: int = 2048, rounds: int = 5) -> float:
    """Billions of operations a second of CPU time in the product of two matrices, on one thread."""
    program = (
        "import time, torch; torch.set_num_threads(1); "
        f"a, b = torch.randn(2, {size}, {size}); a @ b; start = time.process_time(); "
        f"[a @ b for _ in range({rounds})]; "
        f"print(2 * {size}**3 * {rounds} / (time.process_time() - start) / 1e9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return float(done.stdout)


def measured(layout: dict[str, Any], task: Path) -> dict[str, float]:
    """Run one layout in a process of its own; what it prints last is its result."""
    program = Path(__file__).with_name("training_layout.py")
    command = [sys.executable, str(program), str(task), json.dumps(layout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{layout} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Measure every layout in turn, and print the table and the two ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shape", choices=SHAPES, help="instead of the miniature")
    options.add_argument("--model", type=Path, help="a folder with a model, instead")
    options.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options.add_argument("--checkpointing", action="store_true", help="of gradients, in both")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--peak-tflops", type=float, help="of the GPU, for its utilisation (MFU)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        layouts = [*OURS, *UNPACKED, *OTHERWISE]
        if chosen.model is not None:
            task = real(chosen.model)
            layouts = [each for each in REAL if chosen.precision == "fp32" or not each["lora"]]
            print(f"a matrix product of fp32: {matrix_product():.1f} GFLOP/s")
        else:
            task = miniature() if chosen.shape is None else invented(chosen.shape)
        settings = {"precision": chosen.precision, "checkpointing": chosen.checkpointing}
        (folder / "task.json").write_text(json.dumps({**task, **settings}))
        found: dict[str, list[dict[str, float]]] = {json.dumps(layout): [] for layout in layouts}
        for _ in range(chosen.rounds):
            for layout in layouts:
                run = measured(layout, folder / "task.json")
                print(f"{layout}: {run}", file=sys.stderr, flush=True)
                found[json.dumps(layout)].append(run)

    def best(group: list[dict[str, Any]]) -> float:
        return max(
            median(run["tokens_per_second"] for run in found[json.dumps(layout)])
            for layout in group
        )

    for name, runs in found.items():
        speed = median(run["tokens_per_second"] for run in runs)
        share = (
            f", MFU {6 * runs[0]['parameters'] * speed / chosen.peak_tflops / 1e12:.1%}"
            if chosen.peak_tflops
            else ""
        )
        peak = max(run["peak_mib"] for run in runs)
        print(f"{name}: {speed:,.1f} tokens/s, {peak:,.0f} MiB at most{share}")
    if chosen.model is not None:
        return
    print(
        f"training, tokens/s over TRL without packing: {best(OURS) / best(UNPACKED):.2f}x; "
        f"over TRL at its best: {best(OURS) / best([*UNPACKED, *OTHERWISE]):.2f}x"
    )


if __name__ == "__main__":
    main()
