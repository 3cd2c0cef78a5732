"""Responses as the token ids that the tuned model itself drew, kept as they come.

A record of a response (`records.Response`) holds text, and text read again need not give the same
tokens. So the responses are drawn here, with the decoding, seed and noise of `limaflow generate
respond`: in fp32 on a CPU they are those of the study, token by token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from limaflow.generation.kept_lines import KeptLines
from limaflow.generation.local import LocalModel, respond
from limaflow.generation.prompting import Format, Prompt
from limaflow.generation.settings import Decoding
from limaflow.records import FinishReason


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One response as token ids; the token that ended it is the last."""

    prompt_id: str
    sample: int
    tokens: list[int]
    finish_reason: FinishReason

    @property
    def key(self) -> tuple[str, int]:
        return self.prompt_id, self.sample


def drawn(
    model: LocalModel,
    prompts: Sequence[Prompt],
    *,
    decoding: Decoding,
    style: Format,
    batch: int,
    seed: int,
    keep: Path,
) -> list[Drawn]:
    """A response of `model` to each prompt and sample, those kept in the file `keep` included."""
    wanted = [(prompt, sample) for prompt in prompts for sample in range(decoding.samples)]
    with KeptLines(keep, Drawn) as kept:
        done = {response.key: response for response in kept.records}
        todo = [(prompt, sample) for prompt, sample in wanted if (prompt.id, sample) not in done]
        bar = tqdm(total=len(wanted), initial=len(done), desc="drawn", unit="response")
        rows = (
            respond(model, todo, decoding=decoding, style=style, batch=batch, seed=seed)
            if todo
            else ()
        )
        with bar:
            for row in rows:
                assert row.finish_reason is not None
                found = Drawn(
                    prompt_id=row.prompt.id,
                    sample=row.sample,
                    tokens=row.tokens,
                    finish_reason=row.finish_reason,
                )
                kept.add([found])
                done[found.key] = found
                bar.update()
    return [done[prompt.id, sample] for prompt, sample in wanted]
