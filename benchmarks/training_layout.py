"""One layout of training.py in a process of its own: prints tokens per second and peak memory."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

DEFAULTS = {"batch": 32, "epochs": 2, "warm_up": 3}
"""Examples of a step; passes over the data; steps that are not measured."""
RANK = 16
CLOCK = time.perf_counter if torch.cuda.is_available() else time.process_time


def model_of(task: dict[str, Any]) -> Any:
    """The model of the task in fp32, with room for the tokenizer's new tokens."""
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    from limaflow.training.attention import attention_of

    torch.manual_seed(0)
    if "shape" not in task:
        model = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32)
        model.resize_token_embeddings(task["vocabulary"])
        return model.train()
    heads = task["shape"]["hidden_size"] // 128
    config = LlamaConfig(
        **task["shape"],
        vocab_size=task["vocabulary"],
        num_attention_heads=heads,
        max_position_embeddings=2048,
        # The kernel that our training takes here, for both.
        attn_implementation=attention_of(*settings_of(task, {})),
    )
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return LlamaForCausalLM(config).train()


def settings_of(task: dict[str, Any], layout: dict[str, Any]) -> tuple[Any, Any]:
    """Our recipe and launch for a layout."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged

    config = parse(merged([Path("config.yaml")]))
    settings = config.training.model_copy(
        update={
            "precision": task["precision"],
            "epochs": task["epochs"],
            "batch_examples": task["batch"],
        }
    )
    launch = config.launch.model_copy(
        update={
            "micro_batch_tokens": layout.get("packed"),
            "micro_batch_examples": layout.get("micro", 1),
            "zero_stage": layout.get("zero_stage", 1 if task["precision"] == "bf16" else 0),
            "gradient_checkpointing": task["checkpointing"],
        }
    )
    return settings, launch


def limaflow(model: Any, task: dict[str, Any], layout: dict[str, Any]) -> list[tuple[float, int]]:
    """Our step, as recipe.py takes it; the time at the end of each step, and its tokens."""
    from limaflow.training.batches import steps_of_epoch
    from limaflow.training.conversation import TokenizedExample
    from limaflow.training.engine import start_engine, update
    from limaflow.training.gradient import accumulate
    from limaflow.training.layout import micro_steps
    from limaflow.training.processes import join

    join()
    settings, launch = settings_of(task, layout)
    if layout.get("lora"):
        from limaflow.training.adapter import with_adapter
        from limaflow.training.settings import Lora

        model = with_adapter(model, Lora(rank=RANK), trained_tokens=[2], seed=0)
    rows = [
        TokenizedExample(
            id=str(number), tokens=tuple(row["input_ids"]), labels=tuple(row["labels"]), trimmed=0
        )
        for number, row in enumerate(task["rows"])
    ]
    lengths = [len(row.tokens) for row in rows]
    splits = micro_steps(lengths, settings, launch, world=1, seed=0)
    engine = start_engine(model, settings, launch, splits)
    ends = []
    for epoch in range(1, task["epochs"] + 1):
        for number, order in enumerate(
            steps_of_epoch(len(rows), task["batch"], seed=0, epoch=epoch)
        ):
            examples = [rows[index] for index in order]
            accumulate(
                engine,
                examples,
                loss_mean="token",
                pad=0,
                capacity=launch.packed_tokens,
                seed=0,
                step=number,
            )
            update(engine, settings.learning_rate)
            ends.append((CLOCK(), sum(len(e.tokens) for e in examples)))
    return ends


def plain(model: Any, task: dict[str, Any], layout: dict[str, Any]) -> list[tuple[float, int]]:
    """The loop that one writes down: padded micro-batches, the model's own loss, AdamW."""
    from torch.nn.utils.rnn import pad_sequence

    if layout.get("lora"):
        model = adapted(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, betas=(0.9, 0.95), weight_decay=0.1)
    rows, batch, micro, ends = task["rows"], task["batch"], layout["micro"], []
    for _ in range(task["epochs"]):
        for start in range(0, len(rows), batch):
            step = rows[start : start + batch]
            for first in range(0, batch, micro):
                part = step[first : first + micro]
                tokens, labels, mask = (
                    pad_sequence([torch.tensor(row) for row in column], True, fill)
                    for column, fill in (
                        ([row["input_ids"] for row in part], 0),
                        ([row["labels"] for row in part], -100),
                        ([[1] * len(row["input_ids"]) for row in part], 0),
                    )
                )
                # As TRL takes bf16: fp32 weights, products in bf16.
                with torch.autocast("cpu", torch.bfloat16, enabled=task["precision"] == "bf16"):
                    loss = model(input_ids=tokens, attention_mask=mask, labels=labels).loss
                (loss * micro / batch).backward()
            optimizer.step()
            optimizer.zero_grad()
            ends.append((CLOCK(), sum(len(row["input_ids"]) for row in step)))
    return ends


def adapted(model: Any) -> Any:
    """`model` frozen, with adapters as large as ours."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=RANK, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)


def trl(model: Any, task: dict[str, Any], layout: dict[str, Any]) -> list[tuple[float, int]]:
    """TRL's trainer on the same rows."""
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    ends: list[float] = []
    if layout.get("lora"):
        model = adapted(model)

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(CLOCK())

    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    vocabulary = Tokenizer(WordLevel({"<pad>": 0, "<eos>": 1, "<unk>": 2}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            num_train_epochs=task["epochs"],
            per_device_train_batch_size=layout["micro"],
            gradient_accumulation_steps=task["batch"] // layout["micro"],
            padding_free=layout.get("padding_free", False),
            max_length=None,
            learning_rate=1e-5,
            lr_scheduler_type="linear",
            adam_beta1=0.9,
            adam_beta2=0.95,
            weight_decay=0.1,
            max_grad_norm=0.0,
            optim="adamw_torch",
            bf16=task["precision"] == "bf16",
            use_cpu=not torch.cuda.is_available(),
            gradient_checkpointing=task["checkpointing"],
            train_sampling_strategy="group_by_length" if layout.get("grouped") else "random",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        )
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=Dataset.from_list(task["rows"]),
            processing_class=tokenizer,
            callbacks=[Clock()],
        )
        trainer.train()
    # The rows of a step are the trainer's to choose; over whole epochs the tokens are the same.
    mean = sum(len(row["input_ids"]) for row in task["rows"]) * task["epochs"] // len(ends)
    return [(end, mean) for end in ends]


def main() -> None:
    """Run the layout of the command line."""
    task_file, layout_text = sys.argv[1:]
    task, layout = DEFAULTS | json.loads(Path(task_file).read_text()), json.loads(layout_text)
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    model = model_of(task)
    parameters = sum(p.numel() for p in model.parameters())
    ends = {"limaflow": limaflow, "trl": trl, "plain": plain}[layout["peer"]](model, task, layout)
    seconds = ends[-1][0] - ends[task["warm_up"] - 1][0]
    tokens = sum(count for _, count in ends[task["warm_up"] :])
    gpu = torch.cuda.is_available()
    peak = (
        torch.cuda.max_memory_allocated() / 2**20
        if gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )
    speed = {"tokens_per_second": tokens / seconds, "peak_mib": peak}
    print(json.dumps({**speed, "parameters": parameters}))


if __name__ == "__main__":
    from limaflow.training.processes import ending_at_once

    with ending_at_once():
        main()
