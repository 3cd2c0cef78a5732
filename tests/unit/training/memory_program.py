"""One rank of test_memory.py: what a process really holds at its peak, of a small model.

Memory is the resident set above what it was before the model was built, at its highest over two
steps (the second has the optimizer's moments from the start). Large blocks are mapped one by one
(MALLOC_MMAP_THRESHOLD_), so that freed ones leave the resident set at once.
"""

import ctypes
import gc
import json
import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from limaflow.training.adapter import with_adapter
from limaflow.training.checkpoints import save
from limaflow.training.conversation import IGNORED, TokenizedExample
from limaflow.training.engine import start_engine, update
from limaflow.training.gradient import accumulate
from limaflow.training.processes import ending_at_once, join, meet, rank
from limaflow.training.residual_dropout import attach
from limaflow.training.settings import Launch, Training


def resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def settle() -> None:
    """Give freed memory back and forget the highest resident set so far."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def examples(number: int, tokens: int, vocabulary: int) -> list[TokenizedExample]:
    drawn = torch.randint(5, vocabulary, (number, tokens)).tolist()
    asked = tokens // 4
    return [
        TokenizedExample(str(n), tuple(row), tuple([IGNORED] * asked + row[asked:]), 0)
        for n, row in enumerate(drawn)
    ]


def needs(case: dict, settings: Training, folder: Path) -> dict[str, int]:
    """Bytes at the peak of two steps, and of a checkpoint in `folder`."""
    launch = Launch.model_validate(case["launch"])
    settings = Training.model_validate({**settings.model_dump(), **case["recipe"]})
    settle()
    before = resident("VmRSS")
    model = LlamaForCausalLM(LlamaConfig(**case["architecture"])).train()
    if settings.lora is not None:
        model = with_adapter(model, settings.lora, trained_tokens=[3], seed=0)
    attach(model, settings.last_residual_dropout)
    engine = start_engine(model, settings, launch, case["per_step"])
    data = examples(case["examples"], case["tokens"], case["architecture"]["vocab_size"])
    settle()
    for step in range(2):
        accumulate(
            engine,
            data,
            loss_mean="token",
            pad=0,
            capacity=launch.packed_tokens,
            seed=0,
            step=step,
        )
        update(engine, 1e-4)
    highest = resident("VmHWM") - before
    save(engine, folder, 2, {}, keep=1)
    written = sum(f.stat().st_size for f in folder.rglob("*.pt"))
    meet()
    engine.destroy()
    return {"memory": highest, "checkpoint": written}


with ending_at_once():
    join()
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings = Training.model_validate(request["recipe"])
    folder = Path(request["folder"])
    found = []
    for number, case in enumerate(request["cases"]):
        # A small model of the same kind brings the pages of the libraries in.
        sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1}
        small = {**case, "architecture": {**case["architecture"], **sizes}, "tokens": 64}
        needs(small, settings, folder / f"{number}-small")
        found.append(needs(case, settings, folder / str(number)))
    if rank() == 0:
        (folder / "measured.json").write_text(json.dumps(found), encoding="utf-8")
