"""The gradient of a step is that of the plain formula, however many ranks and micro-batches."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from limaflow.training.conversation import IGNORED
from limaflow.training.data import dialogue_tokenizer, prepared
from limaflow.training.engine import load_model
from limaflow.training.settings import Launch, Lora, Training


def plain_gradient(base: Path, data: Path, settings: Training) -> dict[str, torch.Tensor]:
    """One example after the other, no padding, no weights: the formula as one writes it down."""
    tokenizer, new = dialogue_tokenizer(base)
    model = load_model(base, tokenizer, new, settings).double()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.01)
    sums, counts = [], []
    for example in prepared(data, None, tokenizer, settings).train:
        logits = model(torch.tensor([example.tokens])).logits[0, :-1]
        labels = torch.tensor(example.labels)[1:]
        sums.append(cross_entropy(logits, labels, reduction="sum", ignore_index=IGNORED))
        counts.append(int((labels != IGNORED).sum()))
    if settings.loss_mean == "token":
        loss = torch.stack(sums).sum() / sum(counts)
    else:
        loss = torch.stack([s / n for s, n in zip(sums, counts, strict=True)]).mean()
    loss.backward()
    return {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.slow
@pytest.mark.parametrize("capacity", [None, 100])
@pytest.mark.parametrize("processes", [1, 2])
def test_the_gradient_is_the_plain_one_at_every_zero_stage(
    *,
    processes: int,
    capacity: int | None,
    torchrun: Callable,
    tiny_base: Path,
    tiny_examples: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    # 21 examples in micro-batches of 3: ranks hold unequal numbers of examples and tokens.
    settings = settings.model_copy(update={"batch_examples": 21})
    launch = launch.model_copy(update={"micro_batch_examples": 3, "micro_batch_tokens": capacity})
    lora = Lora(rank=4)
    data = tiny_examples / "train.jsonl"
    program = Path(__file__).parent / "gradient_program.py"
    run = torchrun(
        processes, program, tiny_base, data, settings.flag(), launch.flag(), lora.flag(), tmp_path
    )
    output = run.communicate(timeout=300)[0]
    assert run.returncode == 0, output
    recipes = {
        "token": (range(4), {"loss_mean": "token"}),
        "example": (range(4), {"loss_mean": "example"}),
        "lora": ((0, 2, 3), {"lora": lora}),
    }
    for name, (stages, changed) in recipes.items():
        expected = plain_gradient(tiny_base, data, settings.model_copy(update=changed))
        for stage in stages:
            found = load_file(tmp_path / f"{name}-{stage}")
            assert found.keys() == expected.keys()
            for weight, gradient in expected.items():
                error = (found[weight] - gradient).norm()
                assert error <= 1e-5 * gradient.norm(), (name, stage, weight, float(error))


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_the_sum_of_many_micro_batches_in_bf16_is_as_good_as_its_terms(
    *,
    processes: int,
    torchrun: Callable,
    tiny_base: Path,
    tiny_examples: Path,
    settings: Training,
    launch: Launch,
    tmp_path: Path,
) -> None:
    data = tiny_examples / "train.jsonl"
    program = Path(__file__).parent / "summing_program.py"
    run = torchrun(processes, program, tiny_base, data, settings.flag(), launch.flag(), tmp_path)
    output = run.communicate(timeout=300)[0]
    assert run.returncode == 0, output
    # DeepSpeed's optimizer for ZeRO-1 would print what memory is used.
    assert " GB" not in output

    # The weights are rounded in all cases.
    rounded = settings.model_copy(update={"precision": "bf16"})
    exact = plain_gradient(tiny_base, data, rounded)
    size = norm_of(exact)
    terms = summed_in_double(tiny_base, data, rounded)
    unavoidable = norm_of({w: terms[w] - exact[w] for w in exact}) / size
    for kind in ("1-none", "1-optimizer", "2-none", "2-optimizer", "3-none", "3-optimizer"):
        found = load_file(tmp_path / kind)
        assert found.keys() == exact.keys()
        error = norm_of({w: found[w] - exact[w] for w in exact}) / size
        # Processes send each other bf16. Sums of micro-batches in bf16 would be off by 12 to 30
        # times as much as their terms.
        assert error < 2 * unavoidable, (kind, error, unavoidable)
        with safe_open(tmp_path / kind, "pt") as file:
            assert float(file.metadata()["norm"]) == pytest.approx(size, rel=0.01), kind


def summed_in_double(base: Path, data: Path, settings: Training) -> dict[str, torch.Tensor]:
    """The gradients of single examples in the precision of `settings`, each right but for it."""
    tokenizer, new = dialogue_tokenizer(base)
    model = load_model(base, tokenizer, new, settings)
    examples = prepared(data, None, tokenizer, settings).train
    trained = sum(example.trained for example in examples)
    sums = {n: torch.zeros_like(p, dtype=torch.double) for n, p in model.named_parameters()}
    for example in examples:
        model.zero_grad()
        logits = model(torch.tensor([example.tokens])).logits[0, :-1].float()
        labels = torch.tensor(example.labels)[1:]
        cross_entropy(logits, labels, reduction="sum", ignore_index=IGNORED).backward()
        for name, parameter in model.named_parameters():
            sums[name] += parameter.grad.double() / trained
    return sums


def norm_of(weights: dict[str, torch.Tensor]) -> float:
    return float(torch.nn.utils.get_total_norm(weights.values()))
