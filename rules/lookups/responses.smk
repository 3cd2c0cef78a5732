# What the rules of generation look up.
import shlex

from limaflow.sources.settings import under_root


def engine_options():
    block = CONFIG.generation
    if block.engine == "transformers":
        return ""
    return f"--engine {block.engine} --vllm {shlex.quote(block.vllm)}"


def responses_at_once():
    """vLLM schedules what it is asked by itself."""
    block = CONFIG.generation
    return block.batch if block.engine == "transformers" else block.vllm_requests


def shots_files(wildcards):
    shots = CONFIG.arm(wildcards.arm).shots
    return [str(RESULTS.frozen(shots.dataset, "train"))] if shots else []


def shots_options(wildcards):
    """Not by the job's input: Snakemake compares no parameter that is a function of it."""
    shots = CONFIG.arm(wildcards.arm).shots
    if shots is None:
        return ""
    examples = PLACED.frozen(shots.dataset, "train")
    return f"--examples {examples} {shots_choice(shots)}"


def shots_choice(shots):
    """How many in-context examples, and which."""
    words = [f"--shots {shots.count}", repeated("--given", shots.given)]
    words += [f"--choose {shots.choose}"] if shots.choose != "seed" else []
    return " ".join(word for word in words if word)


def length_bound(wildcards):
    """A model that was never taught to stop may fill the length."""
    taught = CONFIG.arm(wildcards.arm).stops_by_itself
    return CONFIG.generation.max_length_share if taught else 1.0


def response_layout(wildcards):
    """With its space, so that a command without it is printed as one types it."""
    layout = CONFIG.arm(wildcards.arm).layout.model_dump_json(exclude_defaults=True)
    return "" if layout == "{}" else f" --layout {shlex.quote(layout)}"


def recorded_responses(wildcards):
    return under_root(CONFIG.arm(wildcards.arm).path, CONFIG.data_root)
