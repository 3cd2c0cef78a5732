# What the rules of benchmarks look up.
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from limaflow.errors import InputError
from limaflow.lm_evaluation.task_files import files_of_task, is_path

task_folder = beside_experiments(CONFIG.benchmarks.include)
benchmark_tasks = [
    beside_experiments(task) if is_path(task) else task
    for task in CONFIG.benchmarks.tasks
]


def task_files(*, made):
    """What defines the tasks outside lm-eval: what the run itself makes, or what is there before."""
    named = [task for task in benchmark_tasks if is_path(task)]
    of_world = [path for path in named + [f"{task_folder}/"] if in_world(path)]
    if made:
        return ["<results>/world/world.json"] if of_world else []
    outside = [path for path in named if path not in of_world]
    if task_folder and f"{task_folder}/" not in of_world:
        outside += map(str, Path(task_folder).glob("**/*.yaml"))
    try:
        files = {str(file) for path in outside for file in files_of_task(Path(path))}
    except InputError as problem:
        raise WorkflowError(f"benchmarks.tasks: {problem}") from None
    return sorted(files)


def task_identity():
    """The tasks as the configuration names them, and what their files hold."""
    return as_json([*CONFIG.benchmarks.tasks, content(*task_files(made=False))])


def task_options():
    flags = [f"--task {shlex.quote(task)}" for task in benchmark_tasks]
    flags += [f"--include {shlex.quote(task_folder)}"] if task_folder else []
    return " ".join(flags)


def limit_option():
    """Of lm-eval alone: training data must not share any item of a task, asked or not."""
    limit = CONFIG.benchmarks.limit
    return f"--limit {limit}" if limit else ""


def few_shot_options(wildcards):
    block = CONFIG.benchmarks
    flags = [] if block.few_shot is None else [f"--few-shot {block.few_shot}"]
    # A pretrained model has no chat template to apply.
    has_template = CONFIG.arm(wildcards.arm).prompt_format == "chat"
    return " ".join(
        flags + (["--chat-template"] if block.chat_template and has_template else [])
    )
