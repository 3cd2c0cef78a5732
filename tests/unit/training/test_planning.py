"""`limaflow train plan`: what it counts, what it suggests, what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from shipped_experiments import EXPERIMENTS, config_files
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.config.job_sizes import job_sizes
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.tools.planning.activations import MicroBatch
from limaflow.tools.planning.architecture import Architecture, architecture_of
from limaflow.tools.planning.memory import moments, peak, states, trained_parameters
from limaflow.tools.planning.plan import GIB, Plan, largest_possible, plan
from limaflow.training.model_size import known, run_size
from limaflow.training.settings import Launch, Training


def planned(*arguments: object) -> Any:
    done = CliRunner().invoke(app, ["train", "plan", "--json", *map(str, arguments)])
    if done.exception:
        raise done.exception
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def llama_65b() -> Architecture:
    return architecture_of("huggyllama/llama-65b")


@pytest.fixture
def paper(root: Path) -> tuple[Training, Launch]:
    config = parse(merged([root / "config.yaml", root / "experiments/llama-65b.yaml"]))
    return config.training, config.launch


@pytest.mark.parametrize(
    ("name", "billions"),
    [("7b", 6.74), ("13b", 13.02), ("30b", 32.53), ("65b", 65.29)],
)
def test_parameters_are_counted_as_published(name: str, billions: float) -> None:
    model = architecture_of(f"huggyllama/llama-{name}")
    assert model.parameters / 1e9 == pytest.approx(billions, abs=0.005)


def test_model_states_are_those_of_the_zero_paper(settings: Training, launch: Launch) -> None:
    """Rajbhandari et al. 2020, Table 1: 7.5 B parameters on 64 GPUs, in GB of 10⁹ bytes."""
    model = Architecture(
        parameters=7_500_000_000, largest_parameter=1, hidden=1, intermediate=1, layers=1,
        heads=1, query=1, key_value=1, vocabulary=1, context=2048, linears={},
    )  # fmt: skip
    settings = settings.model_copy(update={"precision": "bf16"})
    # Gradients as in the paper, in 16 bits; ours are summed in 32.
    for stage, table, gradients in ((1, 31.4, 15.0), (2, 16.6, 15 / 64), (3, 1.88, 15 / 64)):
        on_64 = launch.model_copy(update={"nodes": 8, "processes_per_node": 8, "zero_stage": stage})
        held = states(model, settings, on_64)
        total = held.weights + held.master + held.moments
        assert total / 1e9 + gradients == pytest.approx(table, rel=0.01)
        summed = {1: 4 * 7.5, 2: 0, 3: 4 * 7.5 / 64}[stage]
        assert held.gradients / 1e9 == pytest.approx(summed)


def test_the_papers_65b_fits_on_two_nodes_of_eight_and_not_on_one(
    llama_65b: Architecture, paper: tuple[Training, Launch]
) -> None:
    settings, launch = paper
    micro = largest_possible(settings)

    def on(nodes: int) -> Plan:
        chosen = launch.model_copy(update={"nodes": nodes})
        return plan(llama_65b, settings, chosen, micro, exports=6, gpu_memory=79 * GIB)

    assert on(2).fits
    assert not on(1).fits
    fitting = on(1).fitting
    assert fitting is not None
    assert (fitting.nodes, fitting.processes_per_node, fitting.zero_stage) == (2, 8, 3)
    held = moments(llama_65b, settings, fitting, micro(fitting), gpu=True)
    assert peak(held) <= 79 * GIB


def test_the_same_gpus_are_tried_first(paper: tuple[Training, Launch]) -> None:
    settings, launch = paper
    model = architecture_of("huggyllama/llama-7b")
    one = launch.model_copy(update={"nodes": 1, "zero_stage": 1})
    made = plan(model, settings, one, largest_possible(settings), exports=1, gpu_memory=24 * GIB)
    assert made.fitting == one.model_copy(update={"zero_stage": 3})


@pytest.mark.parametrize(
    ("change", "less"),
    [
        ({"zero_stage": 2}, "last layer back"),
        ({"zero_stage": 3}, "last layer back"),
        ({"gradient_checkpointing": True}, "loss"),
        ({"offload": "optimizer"}, "update"),
        ({"nodes": 2}, "update"),
    ],
)
def test_what_is_meant_to_save_memory_does(
    *, settings: Training, launch: Launch, change: dict[str, Any], less: str
) -> None:
    model = architecture_of("huggyllama/llama-7b")
    settings = settings.model_copy(update={"precision": "bf16"})
    launch = launch.model_copy(update={"processes_per_node": 8, "zero_stage": 1})
    micro = MicroBatch(tokens=2048, trained=1500, per_step=2)
    before = moments(model, settings, launch, micro, gpu=True)
    changed = Launch.model_validate({**launch.model_dump(), **change})
    after = moments(model, settings, changed, micro, gpu=True)
    assert sum(after[less].values()) < sum(before[less].values())


def test_lora_trains_rank_times_inputs_and_outputs(settings: Training) -> None:
    """Hu et al. 2021: a matrix of d by k has r(d + k); all seven of each layer, rank 16."""
    model = architecture_of("huggyllama/llama-7b")
    adapted = Training.model_validate({**settings.model_dump(), "lora": {"rank": 16}})
    layer = 4 * (4096 + 4096) + 3 * (4096 + 11008)
    assert trained_parameters(model, adapted) == 16 * 32 * layer + 2 * 4096


def test_every_experiment_with_a_named_base_fits_the_gpus_that_it_names() -> None:
    at_hand = {"llama-7b-lora": 23.6, "one-gpu": 47.5}
    for overlay in EXPERIMENTS:
        config = parse(merged(config_files(overlay)))
        if config.base.path is not None:
            memory = at_hand.get(overlay.stem, 79)
            assert planned("--configfile", overlay, "--gpu-memory", memory)["fits"], overlay


def test_every_experiment_with_a_named_base_answers_on_the_gpus_that_it_counts() -> None:
    counted = {}
    for overlay in EXPERIMENTS:
        config = parse(merged(config_files(overlay)))
        if config.base.path is not None:
            found = planned("--configfile", overlay)["answering"]
            assert found["fits"], overlay
            sizes = job_sizes(config)
            counted[overlay.stem] = found["gpus"]
            for rule in ("respond_dev", "respond", "lm_eval"):
                assert (sizes[rule].gpus, sizes[rule].gres) == (
                    found["gpus"],
                    f"gpu:{found['gpus']}",
                )
    assert counted["llama-65b"] == 4
    assert counted["llama-30b"] == 2
    assert counted["llama-7b-lora"] == counted["llama-7b"] == 1


def test_a_model_that_does_not_fit_its_answering_jobs_is_said(root: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "one.yaml"
    overlay.write_text("generation: {gpus: 1}\n")
    files = [str(root / "experiments/llama-65b.yaml"), "--configfile", str(overlay)]
    arguments = ["train", "plan", "--configfile", *files, "--gpu-memory", "80"]
    shown = CliRunner().invoke(app, arguments).stdout
    assert "on 1 GPU(s) a job: weights 121.6 GiB, 5.00 GiB of cache a response" in shown
    assert "does not fit in 80 GiB a GPU; generation.gpus: 2 would" in shown
    arguments[-1] = "10"
    assert "nor on 8 of them" in CliRunner().invoke(app, arguments).stdout


@pytest.mark.parametrize("name", sorted(known()))
def test_the_size_that_snakemake_counts_by_is_nearly_the_exact_one(name: str) -> None:
    exact, rough = architecture_of(name), run_size(name, 2)
    assert rough
    assert rough.weights == pytest.approx(2 * exact.parameters, rel=0.001)
    assert rough.cache_per_token == 4 * exact.layers * exact.key_value
    assert rough.context == exact.context


def test_a_model_of_which_nothing_is_known_answers_on_one_gpu(tmp_path: Path) -> None:
    assert run_size("nobody/knows-it", 2) is None
    assert run_size(str(tmp_path), 2) is None
    assert run_size("/nowhere/at/all", 2) is None
    (tmp_path / "config.json").write_text(json.dumps(known()["huggyllama/llama-7b"]))
    assert run_size(str(tmp_path), 2) == run_size("huggyllama/llama-7b", 2)


def test_real_lengths_make_a_smaller_micro_batch(
    tiny_base: Path, tiny_examples: Path, settings: Training, launch: Launch
) -> None:
    packed = launch.model_copy(update={"micro_batch_tokens": 100})
    blocks = ("--settings", settings.flag(), "--launch", packed.flag(), "--base", tiny_base)
    worst = planned(*blocks)["micro_batch"]
    real = planned(*blocks, "--data", tiny_examples / "train.jsonl")["micro_batch"]
    assert worst == {"tokens": 100, "trained": 100, "per_step": 4}
    assert real["tokens"] <= 100
    assert real["trained"] < real["tokens"]
    assert real["per_step"] < 4


def test_an_architecture_may_be_given_in_numbers(settings: Training) -> None:
    numbers = {
        "vocab_size": 100, "hidden_size": 8, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 4096,
    }  # fmt: skip
    made = planned("--architecture", json.dumps(numbers))
    assert made["model"]["parameters"] == 2 * 100 * 8 + 4 * 64 + 3 * 8 * 16 + 3 * 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--architecture", "{"), "not JSON"),
        (("--architecture", '{"model_type": "teapot"}'), "describes no decoder"),
        (("--architecture", '{"num_attention_heads": 0}'), "describes no decoder"),
        (("--architecture", '{"num_hidden_layers": -2}'), "num_hidden_layers .* is below 1"),
        (("--base", "/nowhere/at/all"), "no config.json of /nowhere/at/all"),
        (("--arm", "gpt-4"), "no tuned arm is named 'gpt-4'; there are: lima"),
        (("--configfile", "experiments/miniature.yaml"), "stand-in"),
        (("--settings", '{"epochs": 1}'), "missing"),
    ],
)
def test_a_mistake_is_one_message(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        planned(*arguments)


def test_the_table_names_the_peak_and_the_launch_that_fits(root: Path) -> None:
    overlay = root / "experiments/llama-7b.yaml"
    arguments = ["train", "plan", "--configfile", str(overlay), "--gpu-memory", "24"]
    shown = CliRunner().invoke(app, arguments).stdout
    assert "does not fit in 24 GiB; this would: nodes 1, processes_per_node 8" in shown
    assert "zero_stage 3" in shown
    for part in ("weights", "Adam's moments", "activations", "together", "host memory", "disk"):
        assert part in shown


def test_a_preference_tuned_arm_has_its_reference_beside_it(root: Path, tmp_path: Path) -> None:
    experiment = merged([root / "config.yaml", root / "experiments/llama-7b.yaml"])
    dpo = {"name": "dpo", "kind": "preference", "pairs": "p.jsonl"}
    experiment["arms"] += [dpo, {**dpo, "name": "adapters", "training": {"lora": {"rank": 16}}}]
    file = tmp_path / "dpo.yaml"
    file.write_text(yaml.safe_dump(experiment))
    config = parse(merged([root / "config.yaml", file]))

    def of(arm: str, stage: int) -> Any:
        launch = config.launch.model_copy(
            update={"zero_stage": stage, "micro_batch_examples": 1, "micro_batch_tokens": None}
        )
        return planned("--configfile", file, "--arm", arm, "--launch", launch.flag())

    weights = 2 * architecture_of("huggyllama/llama-7b").parameters
    processes = config.launch.nodes * config.launch.planned_processes
    for stage, share in ((2, 1), (3, processes)):
        full = of("dpo", stage)
        assert {held["reference model"] for held in full["gpu"].values()} == {weights / share}
        tokens = config.preference.max_tokens
        assert full["micro_batch"]["tokens"] == 2 * tokens
        assert full["micro_batch"]["per_step"] == config.preference.batch_examples / processes
        lora = of("adapters", stage)
        assert all("reference model" not in held for held in lora["gpu"].values())
        assert lora["gpu_peak"] < full["gpu_peak"]
    with pytest.raises(InputError, match="arm 'dpo' is tuned on pairs"):
        planned("--configfile", file, "--arm", "dpo", "--data", file)


SMOLLM2 = {
    "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}  # fmt: skip


def test_a_run_on_a_cpu_is_planned_by_the_memory_of_the_machine(
    settings: Training, launch: Launch
) -> None:
    """One process was measured at 3,357 MiB (docs/performance.md)."""
    settings = settings.model_copy(update={"max_tokens": 160})
    one = launch.model_copy(
        update={"processes_per_node": 1, "zero_stage": 0, "micro_batch_tokens": 512}
    )

    def on(memory: float, chosen: Launch) -> Any:
        blocks = ("--settings", settings.flag(), "--launch", chosen.flag())
        numbers = ("--architecture", json.dumps(SMOLLM2))
        return planned(*blocks, *numbers, "--cpu-memory", memory)

    alone = on(8, one)
    assert alone["fits"]
    assert alone["memory"] / 2**20 == pytest.approx(3357, rel=0.15)
    two = one.model_copy(update={"processes_per_node": 2, "zero_stage": 2})
    both = on(5, two)
    assert 1.5 * alone["memory"] < both["memory"] < 2 * alone["memory"]
    assert not both["fits"]
    assert both["fitting"]["processes_per_node"] == 1
    nowhere = on(2, two)
    assert (nowhere["fits"], nowhere["fitting"]) == (False, None)


def test_the_table_of_a_cpu_says_what_a_process_holds_and_what_would_fit(root: Path) -> None:
    overlay = root / "experiments/smollm2-135m.yaml"
    numbers = ("--architecture", json.dumps(SMOLLM2))
    arguments = ["train", "plan", "--configfile", str(overlay), *numbers, "--cpu-memory"]
    assert "fits in 8 GiB" in CliRunner().invoke(app, [*arguments, "8"]).stdout
    shown = CliRunner().invoke(app, [*arguments, "3.6"]).stdout
    assert "does not fit in 3.6 GiB; this would: processes_per_node 1, zero_stage 0" in shown
    assert "libraries 0.60" in shown


def test_a_run_that_recomputes_though_there_is_room_is_told(root: Path) -> None:
    overlay = root / "experiments/llama-7b.yaml"
    arguments = ["train", "plan", "--configfile", str(overlay), "--gpu-memory"]
    assert "fits in 80 GiB; with 5" in (roomy := CliRunner().invoke(app, [*arguments, "80"]).stdout)
    assert "without gradient_checkpointing too" in roomy
    tight = CliRunner().invoke(app, [*arguments, "40"]).stdout
    assert "fits in 40 GiB\n" in tight
