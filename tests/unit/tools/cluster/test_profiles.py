"""The profiles that come with the project, and how a profile is read."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.tools.cluster.profile import read_profile


def keys_of(root: Path, name: str) -> dict[str, Any]:
    path = root / "profiles" / name / "profile.yaml"
    keys: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return keys


def test_the_two_profiles_differ_in_the_account_alone(root: Path) -> None:
    with_accounts = keys_of(root, "slurm")
    del with_accounts["default-resources"]["slurm_account"]
    assert with_accounts == keys_of(root, "slurm-no-accounting")


def test_every_rule_that_a_profile_names_exists(root: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (root / "rules").glob("*.smk"))
    known = set(re.findall(r"\brule (\w+):|\bas (\w+) with:", text))
    known_names = {name for pair in known for name in pair if name}
    keys = keys_of(root, "slurm")
    named = {*keys["set-resources"], *keys["groups"]}
    assert named <= known_names
    assert set(keys["groups"].values()) == set(keys["group-components"])


def test_every_job_travels_in_a_group_or_is_sized(root: Path) -> None:
    keys = keys_of(root, "slurm")
    # One job each, where a stand-in base model is pretrained.
    alone = {"base_corpus", "miniature_world"}
    for file in (root / "rules").glob("*.smk"):
        text = file.read_text(encoding="utf-8")
        for rule, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, re.MULTILINE):
            if "localrule: True" not in body:
                assert rule in {*keys["groups"], *keys["set-resources"], *alone}, rule


def test_the_last_attempt_counts(root: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(
        "retries: 2\n"
        'default-resources: {slurm_partition: cpu, mem_mb: "min(4000 * attempt, 10000)"}\n'
        "set-resources: {fine_tune: {runtime: 1d 2h, gpu: 2, gpu_model: a100}}\n",
        encoding="utf-8",
    )
    default, fine_tune = read_profile(tmp_path).requests
    assert (default.memory_mb, default.minutes, default.gres) == (10_000, None, None)
    assert (fine_tune.minutes, fine_tune.gres) == (1560, "gpu:a100:2")


def test_an_experiment_adds_the_nodes_and_gpus_of_its_launch(root: Path) -> None:
    config = parse(merged([root / "config.yaml"]))
    requests = {r.rule: r for r in read_profile(root / "profiles/slurm", config).requests}
    assert requests["fine_tune"].gres == f"gpu:{config.launch.processes_per_node}"
    assert requests["fine_tune"].cpus == 4 * config.launch.processes_per_node
    assert requests["fine_tune"].nodes == config.launch.nodes
    assert (requests["respond"].nodes, requests["respond"].gres) == (1, "gpu:4")
    assert requests["respond"].memory_mb == 4 * 4 * 32_000
    two = {"generation": config.generation.model_copy(update={"gpus": 2})}
    config = config.model_copy(update=two)
    requests = {r.rule: r for r in read_profile(root / "profiles/slurm", config).requests}
    for rule in ("respond", "respond_dev", "lm_eval"):
        assert (requests[rule].gres, requests[rule].cpus) == ("gpu:2", 8)


def test_a_stand_in_is_small_and_its_nodes_count(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    config = parse(raw | {"launch": raw["launch"] | {"nodes": 2}})
    requests = {r.rule: r for r in read_profile(root / "profiles/slurm", config).requests}
    for rule in ("fine_tune", "respond_dev", "respond", "lm_eval"):
        assert requests[rule].gres is None
        assert (requests[rule].memory_mb, requests[rule].minutes) == (16_000, 60)
    assert requests["fine_tune"].nodes == 2


def test_a_group_may_take_what_its_members_take_together(root: Path) -> None:
    config = parse(merged([root / "config.yaml", root / "tests/workflow/paper_size.yaml"]))
    found = read_profile(root / "profiles/slurm", config).group_minutes
    # Eight shards, each read in 120 minutes at the most and filtered in 20.
    assert found["reading"] == 8 * (120 + 20)
    # Judges behind an API are asked by local jobs.
    assert found["judging"] == found["grading"] == 0
    assert found["curation"] > 9 * 4 * 20


def test_the_early_warning_is_read(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(
        'set-resources: {fine_tune: {slurm_extra: "--exclusive --signal=B:TERM@300"}}\njobs: 7\n',
        encoding="utf-8",
    )
    profile = read_profile(tmp_path)
    assert [request.warning_seconds for request in profile.requests] == [None, 300]
    assert profile.jobs == 7


def test_what_cannot_be_computed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text("default-resources: {mem_mb: lots}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"default-resources\.mem_mb: 'lots' is no number"):
        read_profile(tmp_path)


def test_no_training_is_asked_for_that_no_arm_has(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/llama-7b.yaml"])
    makers = {"fine_tune", "prefer", "average_models"}

    def asked() -> set[str]:
        requests = read_profile(root / "profiles/slurm", parse(raw)).requests
        return makers & {request.rule for request in requests}

    assert asked() == {"fine_tune"}
    raw["arms"].append({"name": "dpo", "kind": "preference", "pairs": "p.jsonl"})
    assert asked() == {"fine_tune", "prefer"}
