"""A stand-in base model: a small Llama with its own tokenizer, pretrained in minutes on a CPU.

For experiments whose real base model cannot be had. The tokenizer is byte-level BPE; documents are
framed by `<s>` and `</s>` and packed one after the other into full contexts, so that both marks
are well known to the model before fine-tuning makes use of them. They are read in their order:
what a corpus begins with is learned first. AdamW; warm-up, level, linear decay.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from limaflow.errors import InputError
from limaflow.jsonl import write_json
from limaflow.records import ModelManifest
from limaflow.seeds import digest, seed_for
from limaflow.training.settings import StandIn

if TYPE_CHECKING:
    import torch

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
WARMUP_SHARE = 0.03
DECAY_SHARE = 0.35
WEIGHT_DECAY = 0.1
BETAS = (0.9, 0.95)
INITIAL_SPREAD = 0.05
"""Standard deviation of the first weights: with Llama's 0.02 a model so narrow learns no facts."""
SAVED_STATES = 8
"""How often a run leaves a state to go on from."""


def pretrain(corpora: list[Path], settings: StandIn, seed: int, output: Path) -> ModelManifest:
    """Train tokenizer and model on JSON lines with the key `text`; write manifest and folder.

    The model's folder is `model/` beside the manifest `output`. A killed run goes on from its last
    state, which lies in `pretraining/` there until the run has ended.

    Raises:
        InputError: a corpus is missing or malformed, or has less text than one batch.
    """
    import torch
    from transformers import LlamaForCausalLM

    # So small a model gains little from a second thread, and loses all if that has to wait.
    torch.set_num_threads(1)
    documents = [text for corpus in corpora for text in _texts(corpus)]
    tokenizer = _trained_tokenizer(documents, settings)
    stream = _packed(tokenizer, documents)
    if len(stream) < settings.batch * settings.context:
        raise InputError(
            f"{len(stream):,} tokens of corpus do not fill one batch of "
            f"{settings.batch} x {settings.context}",
            fix="add text to base.stand_in.corpus",
        )
    torch.manual_seed(seed_for(seed, "pretraining weights"))
    model = LlamaForCausalLM(_architecture(settings, tokenizer))
    identity = digest(settings.model_dump(mode="json"), seed, digest(stream.tolist()))
    state = output.parent / "pretraining" / f"{identity}.safetensors"
    losses = _train(model, stream, settings, state)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    manifest = _export(
        model,
        tokenizer,
        output,
        {
            "label": "stand-in",
            "parameters": sum(p.numel() for p in model.parameters()),
            "corpus_tokens": len(stream),
            "trained_tokens": len(losses) * settings.batch * settings.context,
            "final_loss": round(sum(losses[-20:]) / len(losses[-20:]), 4),
        },
    )
    shutil.rmtree(state.parent, ignore_errors=True)
    return manifest


def _texts(corpus: Path) -> Iterator[str]:
    if not corpus.is_file():
        raise InputError("no such file", path=corpus)
    with corpus.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = json.loads(line)["text"]
            except (ValueError, KeyError, TypeError):
                text = None
            if not isinstance(text, str):
                raise InputError('not a JSON object with a "text"', path=corpus, line=number)
            if text.strip():
                yield text


def _trained_tokenizer(documents: list[str], settings: StandIn) -> Any:
    """A byte-level BPE tokenizer that puts `<s>` first, as Llama's does."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A",
        pair=f"{BOS} $A {BOS} $B",
        special_tokens=[(BOS, tokenizer.token_to_id(BOS))],
    )
    wrapped: Any = transformers.PreTrainedTokenizerFast
    return wrapped(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=settings.context,
        clean_up_tokenization_spaces=False,
    )


def _packed(tokenizer: Any, documents: list[str]) -> "torch.Tensor":
    """All documents as one line of token numbers, each as `<s> text </s>`.

    A mark that a document mentions is split like any other text.
    """
    import torch

    encoded = tokenizer(documents, add_special_tokens=True, split_special_tokens=True)["input_ids"]
    return torch.tensor([i for ids in encoded for i in (*ids, tokenizer.eos_token_id)])


def _architecture(settings: StandIn, tokenizer: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden_size,
        # Llama's own ratio of 8/3, rounded up to a multiple of 16.
        intermediate_size=-(-settings.hidden_size * 8 // 3 // 16) * 16,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=settings.context,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=INITIAL_SPREAD,
        tie_word_embeddings=False,
        dtype="float32",
    )


def _train(model: Any, stream: "torch.Tensor", settings: StandIn, state: Path) -> list[float]:
    """Train in place; return the losses of all steps (nats a token)."""
    import torch

    steps = max(1, settings.tokens // (settings.batch * settings.context))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=BETAS, weight_decay=WEIGHT_DECAY
    )
    losses = _resumed(model, optimizer, state)
    model.train()
    progress = tqdm(total=steps, initial=len(losses), desc="pretraining", unit="step")
    for step in range(len(losses), steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate_share(step, steps)
        rows = _batch(stream, settings, step)
        # The mean over all predicted tokens; no mask: documents are told apart by their marks.
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        progress.update()
        per_second = progress.format_dict["rate"] or 0.0
        progress.set_postfix_str(
            f"loss {losses[-1]:.3f}, {per_second * rows.numel():,.0f} tokens/s", refresh=False
        )
        if (step + 1) % max(1, steps // SAVED_STATES) == 0 and step + 1 < steps:
            _save_state(model, optimizer, losses, state)
    progress.close()
    model.eval()
    return losses


def _rate_share(step: int, steps: int) -> float:
    """Share of the learning rate at a step: linear warm-up, a level, linear decay to the end."""
    return min(1.0, (step + 1) / (WARMUP_SHARE * steps), (steps - step) / (DECAY_SHARE * steps))


def _batch(stream: "torch.Tensor", settings: StandIn, step: int) -> "torch.Tensor":
    """Rows of one step, [batch, context]: the next of the corpus, which follows on itself."""
    import torch

    size = settings.batch * settings.context
    places = torch.arange(step * size, (step + 1) * size) % len(stream)
    return stream[places].view(settings.batch, settings.context)


def _save_state(model: Any, optimizer: Any, losses: list[float], state: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {f"model.{name}": value.detach() for name, value in model.named_parameters()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    state.parent.mkdir(parents=True, exist_ok=True)
    temporary = state.with_suffix(".tmp")
    save_file(tensors, temporary)
    temporary.replace(state)


def _resumed(model: Any, optimizer: Any, state: Path) -> list[float]:
    """Load the last state if there is one; return the losses up to it."""
    import torch
    from safetensors.torch import load_file

    if not state.is_file():
        return []
    tensors = load_file(state)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(tensors[f"model.{name}"])
    moments: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, number, name = key.split(".")
            moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return [float(loss) for loss in tensors["losses"]]


def _export(model: Any, tokenizer: Any, output: Path, notes: dict[str, Any]) -> ModelManifest:
    """Write `model/` beside the manifest, whole or not at all, then the manifest."""
    import hashlib

    output.parent.mkdir(parents=True, exist_ok=True)
    folder = output.parent / "model"
    temporary = output.parent / f".model.{os.getpid()}.tmp"
    model.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.replace(folder)
    manifest = ModelManifest(
        model="base",
        path=folder.name,
        sha256={
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.iterdir())
        },
        notes=notes,
    )
    write_json(output, manifest)
    return manifest
