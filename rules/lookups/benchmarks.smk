# What the rules of benchmarks look up.
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from limaflow.errors import InputError
from limaflow.lm_evaluation.data_sets import files_of_copies
from limaflow.lm_evaluation.task_files import files_of_task, is_path
from limaflow.lm_evaluation.task_names import examined
from limaflow.sources.settings import under_root
from limaflow.tools.miniature.benchmark_tasks import TASKS as WORLD_TASKS

task_folder = beside_experiments(CONFIG.benchmarks.include)
benchmark_tasks = [
    beside_experiments(task) if is_path(task) else task
    for task in CONFIG.benchmarks.tasks
]

# The run itself writes the world's tasks, whose data lie where it works.
task_data_root = "." if in_world(f"{task_folder}/") else CONFIG.data_root
task_copies = CONFIG.benchmarks.local_copies and under_root(
    CONFIG.benchmarks.local_copies, CONFIG.data_root
)
benchmark_texts_file = ["<results>/benchmarks/texts.jsonl"] if benchmark_tasks else []
benchmark_fetched_file = (
    ["<results>/benchmarks/fetched.json"] if benchmark_tasks else []
)


def recorded_items(arm):
    """The files of results by item that were made elsewhere."""
    return [
        under_root(file.path, CONFIG.data_root)
        for file in CONFIG.benchmarks.recorded[arm]
    ]


def item_layouts(arm):
    """How each of these files says what ours say."""
    return repeated(
        "--layout",
        [
            file.layout.model_dump_json(exclude_defaults=True)
            for file in CONFIG.benchmarks.recorded[arm]
        ],
    )


human_grade_files = [
    under_root(file.path, CONFIG.data_root) for file in CONFIG.benchmarks.human_grades
]
contaminated_lists = [
    under_root(path, CONFIG.data_root) for path in CONFIG.benchmarks.contaminated
]


def human_grade_layouts():
    """How each file of people's judgments says what ours say."""
    return repeated(
        "--layout",
        [
            file.layout.model_dump_json(exclude_defaults=True)
            for file in CONFIG.benchmarks.human_grades
        ],
    )


def task_files(*, made):
    """What defines the tasks outside lm-eval: what the run itself makes, or what is there before."""
    named = [task for task in benchmark_tasks if is_path(task)]
    of_world = [path for path in named + [f"{task_folder}/"] if in_world(path)]
    if made:
        # By their time: they may be large.
        copies = files_of_copies(Path(task_copies)) if task_copies else []
        return (["<results>/world/world.json"] if of_world else []) + sorted(
            map(str, copies)
        )
    outside = [path for path in named if path not in of_world]
    if task_folder and f"{task_folder}/" not in of_world:
        outside += map(str, Path(task_folder).glob("**/*.yaml"))
    try:
        files = {
            str(file)
            for path in outside
            for file in files_of_task(Path(path), Path(task_data_root))
        }
    except InputError as problem:
        raise WorkflowError(f"benchmarks.tasks: {problem}") from None
    return sorted(files)


def task_identity():
    """The tasks as the configuration names them, and what their files hold."""
    named = [*CONFIG.benchmarks.tasks, content(*task_files(made=False))]
    # Without copies as it always was; their files are inputs.
    return as_json([*named, "local copies"] if task_copies else named)


TASKS_DEFINED = task_identity()


def task_options():
    flags = [f"--task {shlex.quote(task)}" for task in benchmark_tasks]
    flags += [f"--include {shlex.quote(task_folder)}"] if task_folder else []
    if task_data_root not in ("", "."):
        flags.append(f"--data-root {shlex.quote(task_data_root)}")
    if task_copies:
        flags.append(f"--local-copies {shlex.quote(task_copies)}")
    return " ".join(flags)


def limit_option():
    """Of lm-eval alone: training data must not share any item of a task, asked or not."""
    limit = CONFIG.benchmarks.limit
    return f"--limit {limit}" if limit else ""


def in_context_files(wildcards):
    """What an in-context arm's examples are drawn from, and the prompts before which they must fit."""
    shots = CONFIG.arm(wildcards.arm).shots
    if shots is None:
        return {}
    return {
        "examples": RESULTS.frozen(shots.dataset, "train"),
        "prompts": "<results>/curation/prompts/test.jsonl",
    }


def asking_options():
    """How the tasks are put to every arm."""
    block = CONFIG.benchmarks
    named = dict(zip(block.tasks, benchmark_tasks))
    few_shot = [f"{named[task]}={n}" for task, n in block.few_shot_by_task.items()]
    if isinstance(block.few_shot, int):
        few_shot = [str(block.few_shot)]
    metrics = [f"{named[task]}={metric}" for task, metric in block.metrics.items()]
    words = [repeated("--few-shot", few_shot), repeated("--metric", metrics)]
    words += ["--unsafe-code"] if block.unsafe_code else []
    return " ".join(filter(None, words))


def evaluation_options(wildcards):
    """How the tasks are put to an arm.

    Not by the job's input: Snakemake compares no parameter that is a function of it.
    """
    block, arm = CONFIG.benchmarks, CONFIG.arm(wildcards.arm)
    words = [asking_options()]
    # The others are asked without a chat template, and as it is the base is another arm.
    if arm.prompt_format == "chat":
        is_base = arm.model_manifest(RESULTS) == RESULTS.base_model
        words.append(repeated("--format", ["chat"] if is_base else block.formats))
    elif arm.prompt_format == "in-context-chat":
        words.append("--format chat")
    if arm.shots:
        words.append(
            f"{shots_options(wildcards)} --prompts {PLACED.prompts('test')}"
            f" --response-tokens {CONFIG.generation.decoding.max_tokens}"
        )
    return " ".join(word for word in words if word)


def check_tasks():
    """Say before anything runs which tasks are misspelt, doubled, without data or not allowed."""
    named = [task for task in benchmark_tasks if not (is_path(task) and in_world(task))]
    try:
        found = examined(
            named,
            Path(task_folder) if task_folder else None,
            WORLD_TASKS if in_world(f"{task_folder}/") else (),
            unsafe_code=CONFIG.benchmarks.unsafe_code,
            data_root=Path(task_data_root),
        )
    except InputError as problem:
        raise WorkflowError(f"benchmarks.tasks: {problem}") from None
    if found.mistakes:
        raise WorkflowError("benchmarks.tasks: " + "\n  ".join(found.mistakes))
    for line in found.missing_data:
        logger.warning(f"benchmarks.tasks: {line}")


if IS_ASKED_TO_PLAN:
    check_tasks()
