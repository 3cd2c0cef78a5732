# What the rules of generation look up.
import shlex

from limaflow.sources.settings import under_root


def batch(wildcards, resources):
    """Takes `resources`, which keeps it out of what repeats a job: it changes no response in fp32."""
    return CONFIG.generation.batch


def engine_options():
    block = CONFIG.generation
    if block.engine == "transformers":
        return ""
    return f"--engine {block.engine} --vllm {shlex.quote(block.vllm)}"


def response_format(arm):
    return {"base": "raw", "in-context": "in-context"}.get(CONFIG.arm(arm).kind, "chat")


def in_context_files(wildcards):
    arm = CONFIG.arm(wildcards.arm)
    return [frozen_train(wildcards)] if arm.kind == "in-context" else []


def in_context_options(wildcards, input):
    arm = CONFIG.arm(wildcards.arm)
    return (
        f"--examples {input.examples} --shots {arm.examples}"
        if arm.kind == "in-context"
        else ""
    )


def length_bound(wildcards):
    """A model that was never taught to stop may fill the length; a tuned one must not."""
    tuned = CONFIG.arm(wildcards.arm).kind == "tuned"
    return CONFIG.generation.max_length_share if tuned else 1.0


def recorded_responses(wildcards):
    return under_root(CONFIG.arm(wildcards.arm).path, CONFIG.data_root)
