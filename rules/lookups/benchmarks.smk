# What the rules of benchmarks look up.
import shlex
from pathlib import Path


def task_files():
    """What defines the tasks, so that an edited task repeats its runs."""
    folder = beside_experiments(CONFIG.benchmarks.include)
    if folder is None:
        return []
    if in_world(f"{folder}/"):
        return ["<results>/world/world.json"]
    return sorted(str(path) for path in Path(folder).glob("**/*.yaml"))


def task_options():
    block = CONFIG.benchmarks
    flags = [f"--task {task}" for task in block.tasks]
    folder = beside_experiments(block.include)
    flags += [f"--include {shlex.quote(folder)}"] if folder else []
    flags += [f"--limit {block.limit}"] if block.limit else []
    return " ".join(flags)


def few_shot_options(wildcards):
    block = CONFIG.benchmarks
    flags = [] if block.few_shot is None else [f"--few-shot {block.few_shot}"]
    # A pretrained model has no chat template to apply.
    has_template = CONFIG.arm(wildcards.arm).kind in ("tuned", "model")
    return " ".join(
        flags + (["--chat-template"] if block.chat_template and has_template else [])
    )
