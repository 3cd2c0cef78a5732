"""Our engine against a plain padded `transformers` `generate` loop with the same decoding.

The model is a random Llama, so that nothing need be trained first. A share of its vocabulary ends a
response: lengths are as spread as those of LIMA's training responses are (a standard deviation of
about the mean), here with a mean of 80 to 100 tokens and no more than MAX_TOKENS. The peer's top-k
of 50 is switched off, since the paper has none; its penalty covers the prompt too, as it must.
"""

from collections.abc import Callable
from typing import Any

MAX_TOKENS = 300
PROMPTS = 64
VOCABULARY = 2000
ENDING_SHARE = 0.01


def model() -> Any:
    """A `LocalModel` of about 4M parameters."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from limaflow.generation.local import LocalModel

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
    return LocalModel(
        model=llama.eval(),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="w0"),
        context=1024,
        stops=frozenset(range(1, 1 + int(VOCABULARY * ENDING_SHARE))),
    )


def contest(batch: int) -> tuple[Callable[[], int], Callable[[], int]]:
    """Our work and the peer's; each returns the number of tokens that it made."""
    import torch

    from limaflow.generation.local import respond
    from limaflow.generation.prompting import Prompt
    from limaflow.generation.settings import Decoding

    decoding = Decoding(
        top_p=0.9, temperature=0.7, repetition_penalty=1.2, max_tokens=MAX_TOKENS, samples=1
    )
    local = model()
    lengths = [10 + 7 * number % 60 for number in range(PROMPTS)]
    prompts = [
        Prompt(str(n), tuple((31 * n + 17 * k) % 1900 + 100 for k in range(length)))
        for n, length in enumerate(lengths)
    ]

    def ours() -> int:
        wanted = [(prompt, 0) for prompt in prompts]
        rows = respond(local, wanted, decoding=decoding, style="raw", batch=batch, seed=0)
        return sum(len(row.tokens) for row in rows)

    def peers() -> int:
        count = 0
        for start in range(0, len(prompts), batch):
            rows = [list(prompt.tokens) for prompt in prompts[start : start + batch]]
            padded = local.tokenizer.pad(
                {"input_ids": rows}, padding_side="left", return_tensors="pt"
            )
            made = local.model.generate(
                **padded,
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
