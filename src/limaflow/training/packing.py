"""Whether a model keeps examples apart that are packed into one row.

Attention does, by the positions that begin again at each example. Convolutions, state spaces,
linear attention and learned offsets go over the whole row unless their code knows better. So the
model is asked, with the kernels that it trains with, whatever its architecture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import torch
import torch.distributed as dist

from limaflow.training.context_length import context_length
from limaflow.training.conversation import TokenizedExample
from limaflow.training.logits import borders
from limaflow.training.quantization import weight_dtype

PROBE_TOKENS = 48
"""Tokens of each example of the probe, at most."""
ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 1e-2}
"""What rounding may change at least, in standard deviations of the logits."""
NOISE_FACTOR = 3
"""How much more than the measured noise rounding may change."""


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How far logits are from those of the same tokens alone, and what rounding explains.

    In standard deviations of the logits: root mean square over the vocabulary, at the worst token.
    """

    difference: float
    bound: float

    @property
    def holds(self) -> bool:
        return self.difference <= self.bound


@torch.no_grad()
def separation(
    engine: Any, examples: Sequence[TokenizedExample], max_tokens: int, row_tokens: int = 0
) -> Separation:
    """Compare one example alone with itself behind three others, on all ranks together.

    Two of the three are of equal length, so that the same kernels run on the same shapes; the
    third is shorter, so that another place in the row shows. The noise of rounding is measured
    where nothing can be seen by a causal model: on the example with another one *behind* it.

    Args:
        examples: where the tokens come from.
        max_tokens: of one example in training.
        row_tokens: of a packed row, at most. Where that is more than the model's context, a row
            longer than it is tried as well: some models have a table with a place for each token.
    """
    length = min(PROBE_TOKENS, max_tokens // 2)
    probe, first, second = _probe_tokens(examples, length)
    shorter = first[: length - length // 4]
    engine.eval()
    alone = _logits(engine, probe)
    noise = difference(_logits(engine, probe, first)[:length], alone)
    behind = [_logits(engine, before, probe)[-length:] for before in (first, second, shorter)]
    if row_tokens > (context := context_length(engine.module.config)):
        many = [first, second] * (1 + context // (2 * length))
        behind.append(_logits_or_none(engine, *many, probe)[-length:])
    engine.train()
    largest = max(*(difference(packed, alone) for packed in behind), difference(*behind[:2]))
    worst = torch.tensor([largest, noise], dtype=torch.float64)
    dist.all_reduce(worst, op=dist.ReduceOp.MAX)
    largest, noise = worst.tolist()
    smallest = ROUNDING[weight_dtype(engine.module)]
    return Separation(difference=largest, bound=max(smallest, NOISE_FACTOR * noise))


def _probe_tokens(examples: Sequence[TokenizedExample], length: int) -> list[list[int]]:
    """Three lists of `length` tokens of the examples, repeated where these hold too few.

    The second and third begin elsewhere, so that they differ.
    """
    tokens = list(islice(chain.from_iterable(e.tokens for e in examples), 3 * length))
    while len(tokens) < 3 * length:
        tokens += tokens[1:] + tokens[:1]
    return [tokens[start : start + length] for start in range(0, 3 * length, length)]


def _logits(engine: Any, *packed: list[int]) -> torch.Tensor:
    """[tokens, vocabulary] in fp32, of one row."""
    tokens = torch.tensor([list(chain.from_iterable(packed))], device=engine.device)
    places = torch.tensor([list(chain.from_iterable(map(_places, packed)))], device=engine.device)
    known = borders(engine.module, list(map(len, packed)), engine.device)
    logits: torch.Tensor = engine(tokens, position_ids=places, use_cache=False, **known).logits[0]
    return logits.float()


def _logits_or_none(engine: Any, *packed: list[int]) -> torch.Tensor:
    """As `_logits`; infinite where the model cannot read such a row."""
    try:
        return _logits(engine, *packed)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, IndexError):
        vocabulary = engine.module.config.get_text_config().vocab_size
        return torch.full((len(packed[-1]), vocabulary), torch.inf, device=engine.device)


def _places(tokens: list[int]) -> range:
    return range(len(tokens))


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Root mean square over the vocabulary at the worst token, in deviations of `other`."""
    error = (one - other).square().mean(dim=-1).sqrt().max()
    return float(error / other.std())
