"""One rank of gpu_check.py: gradients of one step under several launches, beside the plain loop.

The exact gradient is that of single examples in fp32, from the weights as they were rounded. A
launch passes in fp32 where its gradient is that but for rounding, in bf16 where it is at most twice
as far from it as the plain loop in bf16 is.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

BOUND = {"cpu": 1e-5, "cuda": 1e-4}
"""Of fp32, relative to the gradient's norm."""
FACTOR = 2
"""How much farther from the exact gradient than a plain loop in bf16."""

Gradient = dict[str, torch.Tensor]


def plain(model: Any, examples: list[Any], device: torch.device, dtype: torch.dtype) -> Gradient:
    """Of the mean over all trained tokens, one example after another, summed in fp32."""
    from limaflow.training.conversation import IGNORED

    model = model.to(device=device, dtype=dtype)
    total = sum(example.trained for example in examples)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    sums = {n: torch.zeros_like(p, dtype=torch.float32) for n, p in trained.items()}
    for example in examples:
        model.zero_grad()
        logits = model(torch.tensor([example.tokens], device=device)).logits[0, :-1].float()
        labels = torch.tensor(example.labels[1:], device=device)
        cross_entropy(logits, labels, reduction="sum", ignore_index=IGNORED).backward()
        for name, parameter in trained.items():
            if parameter.grad is not None:
                sums[name] += parameter.grad.float() / total
    return {name: value.cpu() for name, value in sums.items()}


def distance(found: Gradient, exact: Gradient) -> float:
    """Norm of the difference over that of the exact gradient."""
    norm = torch.nn.utils.get_total_norm
    return float(norm([found[n].float() - exact[n] for n in exact]) / norm(exact.values()))


def tried(case: dict[str, Any], base: Path, data: Path, device: torch.device) -> dict[str, Any]:
    """How far a launch's gradient is from the exact one, and whether that is near enough."""
    from deepspeed.utils import safe_get_full_grad
    from gpu_tiny import blocks

    from limaflow.training import engine as engines
    from limaflow.training.data import dialogue_tokenizer, prepared
    from limaflow.training.gradient import accumulate
    from limaflow.training.layout import micro_steps
    from limaflow.training.processes import world

    settings, launch = blocks(
        {"batch_examples": 21, **case.get("settings", {})},
        {"processes_per_node": world(), **case["launch"]},
    )
    tokenizer, new = dialogue_tokenizer(base)
    examples = list(prepared(data / "train.jsonl", None, tokenizer, settings).train)

    def loaded(for_launch: Any = None) -> Any:
        model = engines.load_model(base, tokenizer, new, settings, for_launch)
        for name, parameter in model.named_parameters():
            # An adapter starts at zero, and so would the gradient of its other half.
            if "lora_B" in name:
                torch.nn.init.constant_(parameter, 0.01)
        return model

    in_four_bits = settings.lora is not None and settings.lora.quantize is not None
    made = engines.deepspeed_settings

    def changed(*given: Any) -> dict[str, Any]:
        found = made(*given)
        found["zero_optimization"] |= case.get("zero", {})
        return found

    engines.deepspeed_settings = changed
    try:
        lengths = [len(example.tokens) for example in examples]
        splits = micro_steps(lengths, settings, launch, world=world(), seed=0)
        engine = engines.start_engine(loaded(launch), settings, launch, splits)
    finally:
        engines.deepspeed_settings = made
    loss, _ = accumulate(
        engine,
        examples,
        loss_mean="token",
        pad=tokenizer.pad_token_id,
        capacity=launch.packed_tokens,
        seed=0,
        step=0,
    )
    trained = {n: p for n, p in engine.module.named_parameters() if p.requires_grad}
    # torch.compile puts a name of its own before the others.
    found = {n.removeprefix("_orig_mod."): safe_get_full_grad(p).cpu() for n, p in trained.items()}
    engines.update(engine, 1e-3)
    engines.release(engine)
    if in_four_bits:
        # Of these weights there is no plain loop; CI compares them dequantized.
        return {"case": case["name"], "loss": loss, "passed": math.isfinite(loss)}
    exact = plain(loaded(), examples, device, torch.float32)
    error = distance(found, exact)
    if settings.precision == "fp32":
        bound = BOUND[device.type]
    else:
        bound = FACTOR * distance(plain(loaded(), examples, device, torch.bfloat16), exact)
    return {"case": case["name"], "error": error, "bound": bound, "passed": error <= bound}


def main() -> None:
    """Try each case of the command line; rank 0 writes what was found, after each."""
    from limaflow.training.processes import join, rank

    base, data, cases, output = sys.argv[1:]
    device = join()
    found = []
    for case in json.loads(cases):
        found.append(tried(case, Path(base), Path(data), device))
        if rank() == 0:
            Path(output).write_text(json.dumps(found))


if __name__ == "__main__":
    from limaflow.training.processes import ending_at_once

    with ending_at_once():
        main()
