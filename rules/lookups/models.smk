# What the rules of base model and training look up.
import os
import shlex
from pathlib import Path

from snakemake.logging import logger

from limaflow.config.brought_files import template_path
from limaflow.config.job_sizes import job_sizes
from limaflow.sources.settings import under_root
from limaflow.training import train_anew
from limaflow.training.recipe import PREFERENCE_RECIPE, RECIPE
from limaflow.training.run_code import changes_since_training

# Where the hub's files come to lie: prefetched for another place, they are fetched again.
HUB_CACHE = os.environ.get("HF_HOME", "")
MODELS = Path(f"results/{CONFIG.experiment}/models")
FINE_TUNED = modelled_by("fine_tune")


def base_files():
    """What the stand-in base model is pretrained on: a source's name stands for its text."""
    names = {source.name for source in CONFIG.sources}
    return [
        (
            f"<results>/base/corpus/{entry}.jsonl"
            if entry in names
            else under_root(entry, CONFIG.data_root)
        )
        for entry in CONFIG.base.stand_in.corpus
    ]


def candidates_of(wildcards):
    return [
        f"<results>/curation/candidates/{wildcards.source}/{shard}.jsonl"
        for shard in CONFIG.source(wildcards.source).shards
    ]


def model_of(arm):
    """The manifest of the model behind an arm that runs here."""
    return str(CONFIG.arm(arm).model_manifest(RESULTS))


def preference_start(wildcards):
    """The manifest of the model that preference tuning starts from."""
    return model_of(CONFIG.arm(wildcards.arm).start or CONFIG.analysis.lima_arm)


def training_start(wildcards):
    """The manifest of the model that fine-tuning starts from."""
    started = CONFIG.arm(wildcards.arm).started_from
    return model_of(started) if started else "<results>/base/model.json"


def preference_pairs(wildcards):
    return under_root(CONFIG.arm(wildcards.arm).pairs, CONFIG.data_root)


def preference_of(arm):
    """The block `preference` as it holds for an arm."""
    return CONFIG.arm(arm).preference_settings(CONFIG.preference)


def training_of(arm):
    """The block `training` as it holds for an arm, its template where the job finds it."""
    block = CONFIG.training_of(arm)
    if block.template_file is None:
        return block
    path = beside_experiments(template_path(block, CONFIG.data_root))
    return block.model_copy(update={"chat_template": path})


def check_templates():
    """Say before anything runs where the file of a chat template is none."""
    for arm in FINE_TUNED:
        block = training_of(arm)
        try:
            if block.template_file is not None:
                from limaflow.training.chat_template import read_template

                read_template(block.template_file)
        except InputError as problem:
            raise WorkflowError(
                f"training.chat_template of '{arm}': {problem}"
            ) from None


if IS_ASKED_TO_PLAN:
    check_templates()


def frozen_train(wildcards):
    return f"<results>/datasets/{CONFIG.arm(wildcards.arm).dataset}/frozen/train.jsonl"


def frozen_dev(wildcards):
    return f"<results>/datasets/{CONFIG.arm(wildcards.arm).dataset}/frozen/dev.jsonl"


# Weights and chat template.
MODEL_FILES = ("*.safetensors", "*.jinja", "tokenizer_config.json")


def model_files(path):
    """A model folder's own files, so that new ones repeat what uses them; none for a hub name."""
    folder = Path(path)
    files = [file for pattern in MODEL_FILES for file in folder.glob(pattern)]
    return sorted(map(str, files)) if folder.is_dir() else []


def multinode(value):
    """A resource that only a run on several nodes asks for."""
    return value if CONFIG.launch.nodes > 1 else None


def revision_option(model):
    return f"--revision {shlex.quote(model.revision)}" if model.revision else ""


SIZES = job_sizes(CONFIG)


def memory_of(rule):
    return lambda wildcards, attempt: SIZES[rule].memory_at(attempt)


def minutes_of(rule):
    return lambda wildcards, attempt: SIZES[rule].minutes_at(attempt)


def launcher(wildcards):
    """What starts the processes of a training; under SLURM the job's own nodes and GPUs count."""
    block = CONFIG.launch
    # A stand-in asks for no GPU, and so sees none.
    cpu = "CUDA_VISIBLE_DEVICES= " if CONFIG.base.stand_in else ""
    return (
        f"{cpu}limaflow train launch --nodes {block.nodes}"
        f" --processes {block.processes_per_node}"
    )


def warn_of_changed_training():
    """Name what of training's code has changed since arms were trained: it repeats nothing."""
    trainings = [
        ("fine_tune", "run", FINE_TUNED),
        ("prefer", "prefer", modelled_by("prefer")),
    ]
    for rule, command, arms in trainings:
        for line in changes_since_training(MODELS, arms, command):
            logger.warning(
                f"Trained by code that has changed since, of the same recipe: {line}. The models "
                f"stay; --forcerun {rule} trains them again."
            )


def request_forced_trainings():
    """Hand `--forcerun` on to the trainings, which would find themselves finished."""
    forced = set(workflow.dag_settings.forcerun)
    made = [("fine_tune", arm, "training.json") for arm in FINE_TUNED]
    made += [("prefer", arm, "chosen.json") for arm in modelled_by("prefer")]
    for rule, arm, file in made:
        trained = MODELS / arm / file
        if {rule, str(trained)} & forced:
            train_anew.request(MODELS / arm / "runs")
        elif trained.exists():
            train_anew.withdraw(MODELS / arm / "runs")


def named_models():
    """Every model that the configuration names, as name@revision; hub names and folders alike."""
    named = [CONFIG.base] if CONFIG.uses_base else []
    named += [CONFIG.arm(name) for name in modelled_by("adopt_model")]
    return [
        f"{model.path}@{model.revision}" if model.revision else model.path
        for model in named
        if model.path
    ]
