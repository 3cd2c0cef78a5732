"""Our engine against a plain padded `transformers` `generate` loop with the same decoding.

The model is a random Llama, so that nothing need be trained first, or with `--model` one of a
folder that answers questions. A share of its vocabulary ends a response: lengths are as spread as
those of LIMA's training responses are (a standard deviation of about the mean), here with a mean of
80 to 100 tokens and no more than MAX_TOKENS. The peer's top-k of 50 is switched off, since the
paper has none; its penalty covers the prompt too, as it must.

Run by itself it prints the ratio by the process's CPU time on one thread, which other work on the
machine hardly changes, with the lengths; run.py takes the clock on the wall.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MAX_TOKENS = 300
PROMPTS = 64
VOCABULARY = 2000
ENDING_SHARE = 0.01
REAL_ENDING = 120
"""Of a real model every so manieth token ends a response, beside its own end of turn."""
TOPICS = ("rain", "bread", "chess", "glass", "sleep", "maps", "salt", "bees")
QUESTIONS = (
    "What is the history of {}?",
    "Explain to a child why {} matters.",
    "Write a short letter to a friend about {}.",
    "Name some common mistakes with {}.",
    "How would you test an idea about {}?",
    "What do people get wrong about {}?",
    "Give advice to somebody who is new to {}.",
    "Tell a story in which {} plays a part.",
)


def model() -> Any:
    """A `LocalModel` of about 4M parameters."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from limaflow.cuda import computing_device
    from limaflow.generation.local import LocalModel
    from limaflow.generation.padding import keeps_padding_out

    words = {f"w{n}": n for n in range(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    torch.manual_seed(0)
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=6,
            num_attention_heads=6,
            max_position_embeddings=1024,
        )
    )
    llama = llama.eval().to(computing_device())
    return LocalModel(
        model=llama,
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="w0"),
        context=1024,
        stops=frozenset(range(1, 1 + int(VOCABULARY * ENDING_SHARE))),
        padding=keeps_padding_out(llama),
    )


def real_model(folder: Path) -> Any:
    """A `LocalModel` of a folder, with more ends of a response than its own."""
    from dataclasses import replace

    from limaflow.generation.local import load

    local = load(str(folder), None, "fp32")
    more = range(REAL_ENDING // 2, len(local.tokenizer), REAL_ENDING)
    return replace(local, stops=local.stops | frozenset(more))


def invented_prompts() -> list[tuple[int, ...]]:
    """Random tokens of 10 to 69."""
    lengths = [10 + 7 * number % 60 for number in range(PROMPTS)]
    return [
        tuple((31 * n + 17 * k) % 1900 + 100 for k in range(length))
        for n, length in enumerate(lengths)
    ]


def questions(tokenizer: Any) -> list[tuple[int, ...]]:
    """Questions in the model's own chat template."""
    found = []
    for topic in TOPICS:
        for question in QUESTIONS:
            turn = {"role": "user", "content": question.format(topic)}
            text = tokenizer.apply_chat_template([turn], add_generation_prompt=True, tokenize=False)
            found.append(tuple(tokenizer(text, add_special_tokens=False)["input_ids"]))
    return found


def contest(
    batch: int, folder: Path | None = None, lengths: list[int] | None = None
) -> tuple[Callable[[], int], Callable[[], int]]:
    """Our work and the peer's; each returns the number of tokens that it made.

    Args:
        folder: of a real model; without, a random one is made.
        lengths: those of our responses are added to it.
    """
    import torch

    from limaflow.generation.local import respond
    from limaflow.generation.prompting import Prompt
    from limaflow.generation.settings import Decoding

    decoding = Decoding(
        top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=MAX_TOKENS, samples=1
    )
    local = model() if folder is None else real_model(folder)
    asked = invented_prompts() if folder is None else questions(local.tokenizer)
    prompts = [Prompt(str(n), tokens) for n, tokens in enumerate(asked)]

    def ours() -> int:
        wanted = [(prompt, 0) for prompt in prompts]
        rows = respond(local, wanted, decoding=decoding, style="raw", batch=batch, seed=0)
        made = [len(row.tokens) for row in rows]
        if lengths is not None:
            lengths.extend(made)
        return sum(made)

    def peers() -> int:
        count = 0
        for start in range(0, len(prompts), batch):
            rows = [list(prompt.tokens) for prompt in prompts[start : start + batch]]
            padded = local.tokenizer.pad(
                {"input_ids": rows}, padding_side="left", return_tensors="pt"
            )
            made = local.model.generate(
                **padded.to(local.model.device),
                do_sample=True,
                top_k=0,
                top_p=decoding.top_p,
                temperature=decoding.temperature,
                repetition_penalty=decoding.repetition_penalty,
                max_new_tokens=decoding.max_tokens,
                eos_token_id=sorted(local.stops),
                pad_token_id=local.tokenizer.pad_token_id,
            )
            new = made[:, padded["input_ids"].shape[1] :]
            count += int((new != local.tokenizer.pad_token_id).sum())
        return count

    torch.manual_seed(0)
    return ours, peers


def by_cpu_time(works: Sequence[Callable[[], int]]) -> list[float]:
    """Tokens a second of CPU time, of each work."""
    speeds = []
    for work in works:
        start = time.process_time()
        speeds.append(work() / (time.process_time() - start))
    return speeds


def main() -> None:
    """Print the ratio of each pair, and what the lengths were."""
    import torch

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, help="a folder, in place of a random model")
    options.add_argument("--batch", type=int, default=16, help="responses decoded at once")
    options.add_argument("--pairs", type=int, default=3)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    lengths: list[int] = []
    works = contest(chosen.batch, chosen.model, lengths)
    for _ in range(chosen.pairs):
        ours, peers = by_cpu_time(works)
        print(f"{ours:.1f} tokens/s, {peers:.1f} of the peer: {ours / peers:.2f}x", flush=True)
    print(f"lengths {statistics.mean(lengths):.0f} ± {statistics.stdev(lengths):.0f}")


if __name__ == "__main__":
    main()
