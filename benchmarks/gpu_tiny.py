"""A tiny base model, data and settings: small enough for any device, real in every part."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONTEXT = 128
ANSWERS = (
    "Put the kettle on and wait. Then pour.",
    "Nobody knows, though many have asked. Look for yourself and write down what you see.",
    "Yes.",
    "First the long side, then the short one, and at last the corners, from left to right.",
)


def written(folder: Path) -> tuple[Path, Path]:
    """The model.json of a random Llama of 2 layers, and a folder with train and dev examples."""
    sys.path.insert(0, str(ROOT / "tests/unit"))
    from tiny_model import written_model

    from limaflow.jsonl import write_records
    from limaflow.records import Example, Message, example_id

    def example(number: int, split: Any) -> Example:
        turns = (
            Message(role="user", content=f"Question {number}: how is it done?"),
            Message(role="assistant", content=" ".join(ANSWERS[: 1 + number % 4])),
        )
        return Example(id=example_id(turns), messages=turns, source="check", split=split)

    # Heads of 64, which every kernel and vLLM know.
    base = written_model(folder / "base", texts=ANSWERS, context=CONTEXT, hidden_size=128)
    data = folder / "data"
    data.mkdir()
    train = (example(n, "train") for n in range(21))
    write_records(data / "train.jsonl", train, key=lambda e: e.id)
    dev = (example(n, "dev") for n in range(100, 104))
    write_records(data / "dev.jsonl", dev, key=lambda e: e.id)
    return base, data


def blocks(
    settings: dict[str, Any] | None = None, launch: dict[str, Any] | None = None
) -> tuple[Any, Any]:
    """The blocks `training` and `launch` of config.yaml, made small, with changes."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.training.settings import Launch, Training

    config = parse(merged([ROOT / "config.yaml"]))
    small = {"epochs": 2, "batch_examples": 8, "max_tokens": 100, "residual_dropout": 0.0}
    small |= {"precision": "fp32", "max_trimmed_share": 1.0, "learning_rate": 1e-2}
    small |= {"final_learning_rate": 1e-3, "warmup_steps": 0, "gradient_clipping": 0.0}
    tight = {"nodes": 1, "processes_per_node": 1, "zero_stage": 2, "micro_batch_tokens": 100}
    tight |= {"gradient_checkpointing": False, "checkpoint_every_steps": 1, "compile": False}
    tight |= {"liger": False, "offload": "none", "attention": "sdpa"}
    return (
        Training.model_validate(config.training.model_dump() | small | (settings or {})),
        Launch.model_validate(config.launch.model_dump() | tight | (launch or {})),
    )


def environment(device: str) -> dict[str, str]:
    """For a child: a CPU check computes on the CPU wherever it runs."""
    hidden = {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"} if device == "cpu" else {}
    paths = f"{ROOT / 'src'}:{os.environ.get('PYTHONPATH', '')}"
    found = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, **hidden, "PYTHONPATH": paths, "PATH": found}


def run(command: list[str], device: str, *, kill_when: Any = None) -> str:
    """The output of a command that ends well, or of one that is killed once `kill_when()` holds.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(device),
        start_new_session=True,
    )
    if kill_when is not None:
        while started.poll() is None and not kill_when():
            time.sleep(0.005)
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
            return started.communicate()[0]
    output = started.communicate()[0]
    if started.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} … failed:\n{output[-3000:]}")
    return output


def fine_tune(
    folder: Path, base: Path, data: Path, *, processes: int, device: str, kill_when: Any = None
) -> None:
    """`limaflow train run` on the tiny model, with the last epoch exported."""
    settings, launch = blocks(launch={"processes_per_node": processes})
    run(
        [
            *("limaflow", "train", "launch", f"--processes={processes}", "--"),
            *("limaflow", "train", "run", "--arm", "check", "--base", str(base)),
            *("--data", str(data / "train.jsonl"), "--dev", str(data / "dev.jsonl")),
            *("--settings", settings.flag(), "--launch", launch.flag()),
            *("--export-epochs", "[2]", "--seed", "1", "--run-folder", str(folder / "runs")),
            *("--output", str(folder / "training.json")),
        ],
        device,
        kill_when=kill_when,
    )


def exported(folder: Path) -> Path:
    """The model.json of the epoch that a run has exported."""
    from limaflow.training.manifest import model_of_epoch

    return model_of_epoch(folder / "training.json", 2)
