"""A mistake in the configuration is one clear message, and nothing runs."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from shipped_experiments import EXPERIMENTS, config_files

from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.mistakes import parse_block
from limaflow.results import Results
from limaflow.sources.settings import under_root
from limaflow.training.settings import Training


@pytest.fixture(scope="module")
def paper(root: Path) -> dict[str, Any]:
    return merged([root / "config.yaml"])


def changed(raw: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of `raw` with one key set; list entries are found by name."""
    result = copy.deepcopy(raw)
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = (
            next(entry for entry in place if entry["name"] == key)
            if isinstance(place, list)
            else place[key]
        )
    place[last] = value
    return result


def message_of(raw: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse(raw)
    return str(caught.value)


def test_the_defaults_are_the_papers_recipe(paper: dict[str, Any]) -> None:
    config = parse(paper)
    settings = config.training
    assert (settings.epochs, settings.batch_examples, settings.max_tokens) == (15, 32, 2048)
    assert (settings.learning_rate, settings.final_learning_rate) == (1e-5, 1e-6)
    assert (settings.betas, settings.weight_decay, settings.warmup_steps) == ((0.9, 0.95), 0.1, 0)
    assert settings.residual_dropout == 0.3
    decoding = config.generation.decoding
    assert (decoding.top_p, decoding.temperature, decoding.repetition_penalty) == (0.9, 0.7, 1.2)
    assert sum((config.dataset("lima").examples or {}).values()) == 1000
    assert sum(draw.examples or 0 for draw in config.prompts.test) == 300
    assert config.selection.epochs == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_is_valid(experiment: Path) -> None:
    assert parse(merged(config_files(experiment))).experiment == experiment.stem


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            "training.lerning_rate",
            1e-5,
            "training.lerning_rate: unknown key; did you mean 'learning_rate'?",
        ),
        ("arms.lima.datset", "x", "arms.lima.datset: unknown key; did you mean 'dataset'?"),
        ("training.epochs", "many", "training.epochs: Input should be a valid integer"),
        (
            "training.epochs",
            0,
            "training.epochs: Input should be greater than or equal to 1, got 0",
        ),
        (
            "training.final_learning_rate",
            1.0,
            "final_learning_rate 1.0 exceeds learning_rate 1e-05",
        ),
        (
            "arms.lima.dataset",
            "limo",
            "arms.lima.dataset: no dataset is named 'limo'; did you mean 'lima'?",
        ),
        (
            "arms.lima.training",
            {"epoch": 3},
            "arms.lima.training.epoch: unknown key; did you mean 'epochs'?",
        ),
        ("arms.lima.training", {"epochs": 4}, "lie after the last of the 4 epochs of arm 'lima'"),
        ("launch.processes_per_node", 7, "cannot be shared evenly by 28 processes"),
        ("launch.zero_stage", 0, "stage 0 with bf16"),
        ("judging.selection.judge", "gpt4", "no judge is named 'gpt4'; did you mean 'gpt-4'?"),
        (
            "judging.selection.instrument",
            "harm",
            "no instrument of judging.instruments is named 'harm'",
        ),
        (
            "judging.instruments",
            {"likrt": ["gpt-4"]},
            "judging.instruments: no instrument is named 'likrt'; did you mean 'likert'?",
        ),
        (
            "judging.instruments",
            {"a/harm.md": ["gpt-4"], "b/harm.md": ["gpt-4"]},
            "a/harm.md and b/harm.md are both named 'harm'",
        ),
        (
            "judging.instruments",
            {"my/Harm 2.md": ["gpt-4"]},
            "the name of my/Harm 2.md stands in paths of results",
        ),
        (
            "judging.instruments",
            {"my/harm.md": ["gpt4"]},
            "judging.instruments.my/harm.md: no judge is named 'gpt4'",
        ),
        ("benchmarks.arms", ["gpt-4"], "'gpt-4' is not a model that runs here"),
        ("base.path", None, "base: give either path (a hub name or folder) or stand_in"),
        (
            "sources.wikihow.kind",
            "wikihaw",
            "sources.wikihow.kind: unknown 'wikihaw'; did you mean 'wikihow'?",
        ),
    ],
)
def test_a_mistake_names_the_key_and_the_mend(
    paper: dict[str, Any], path: str, value: object, expected: str
) -> None:
    assert expected in message_of(changed(paper, path, value))


def test_every_mistake_is_told_at_once(paper: dict[str, Any]) -> None:
    raw = changed(changed(paper, "training.epochs", -1), "seed", "x")
    message = message_of(raw)
    assert "training.epochs" in message
    assert "seed" in message


def test_two_things_of_one_name_are_refused(paper: dict[str, Any]) -> None:
    raw = copy.deepcopy(paper)
    raw["arms"].append(raw["arms"][0])
    assert "the name 'base' stands twice" in message_of(raw)


def test_numbers_that_yaml_reads_as_text_are_numbers(paper: dict[str, Any]) -> None:
    assert parse(changed(paper, "training.learning_rate", "1e-5")).training.learning_rate == 1e-5


def test_an_arms_recipe_is_the_training_block_with_its_overrides(paper: dict[str, Any]) -> None:
    config = parse(changed(paper, "arms.lima.training", {"learning_rate": 2e-5}))
    assert config.training_of("lima") == config.training.model_copy(update={"learning_rate": 2e-5})


def test_a_block_survives_its_flag(paper: dict[str, Any]) -> None:
    settings = parse(paper).training
    assert parse_block(Training, settings.flag(), "--settings") == settings


def test_a_flag_that_is_not_json_is_told() -> None:
    with pytest.raises(InputError, match="--settings is not JSON"):
        parse_block(Training, "{epochs: 3", "--settings")


def test_an_overlays_list_replaces_and_its_mapping_merges(tmp_path: Path) -> None:
    below, above = tmp_path / "below.yaml", tmp_path / "above.yaml"
    below.write_text("block: {a: 1, b: 2}\nnames: [x, y]\n")
    above.write_text("block: {b: 3}\nnames: [z]\n")
    assert merged([below, above]) == {"block": {"a": 1, "b": 3}, "names": ["z"]}


def test_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("a: 1\nb: [1\nc: 2\n")
    with pytest.raises(InputError, match=r"broken\.yaml:3"):
        merged([file])


@pytest.mark.parametrize(
    ("path", "expected"),
    [("x/y", "data/x/y"), ("/x/y", "/x/y"), ("results/e/x", "results/e/x")],
)
def test_a_users_path_lies_under_the_data_root(path: str, expected: str) -> None:
    assert under_root(path, "data") == expected


def test_the_ablations_arms_play_the_parts_of_figures_5_and_6(root: Path) -> None:
    config = parse(merged([root / "config.yaml", root / "experiments/ablations.yaml"]))
    arms = [arm.name for arm in config.arms]
    assert [a for a in arms if config.is_unfiltered(a)] == ["unfiltered-2k"]
    equal_steps = [f"filtered-{n}k-equal-steps" for n in (4, 32)]
    assert [a for a in arms if config.is_ablation(a)] == [
        *(f"filtered-{n}k" for n in (4, 8, 16, 32)),
        *equal_steps,
    ]
    steps = {
        arm: -(-sum(config.dataset(arm.removesuffix("-equal-steps")).examples.values()) // batch)
        for arm in ("filtered-2k", *equal_steps)
        for batch in [config.training_of(arm).batch_examples]
    }
    assert len(set(steps.values())) == 1
    unfiltered, filtered = (
        config.curation.filters[name] for name in ("unfiltered", "stackexchange")
    )
    assert unfiltered.off
    assert not filtered.off
    assert unfiltered.title_prompt_share == filtered.title_prompt_share


def test_an_arm_that_stands_for_a_baseline_says_where_it_comes_from(root: Path) -> None:
    raw = merged([root / "config.yaml"])
    arm = next(arm for arm in raw["arms"] if arm["name"] == "gpt-4")
    stands = parse(raw).arm("gpt-4").stands_for
    assert stands is not None and stands.baseline == "gpt-4"
    arm["stands_for"] = {"baseline": "gpt-4"}
    with pytest.raises(InputError, match="provenance: missing"):
        parse(raw)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_reads_no_results_of_another_one(experiment: Path) -> None:
    raw = merged(config_files(experiment))
    named = [path for path in texts(raw) if path.startswith("results/")]
    own = (f"results/{raw['experiment']}/", raw["judging"]["store"])
    assert [path for path in named if not path.startswith(own)] == []


def texts(value: object) -> Iterator[str]:
    """Every text of a configuration, however deep."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else ():
        yield from texts(part)
    for part in value if isinstance(value, list) else ():
        yield from texts(part)


def test_an_arm_of_other_sources_is_no_ablation_of_quantity(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    raw["datasets"].append({"name": "wikihow", "examples": {"wikihow": 10}})
    raw["arms"].append({"name": "wikihow", "kind": "tuned", "dataset": "wikihow"})
    config = parse(raw)
    assert [a.name for a in config.arms if config.is_ablation(a.name)] == ["few"]
    assert not any(config.is_unfiltered(a.name) for a in config.arms)


def test_an_arm_that_is_trained_otherwise_is_no_ablation_of_quantity(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    raw["arms"] += [
        {"name": "slow", "kind": "tuned", "dataset": "few", "training": {"learning_rate": 1e-3}},
        {"name": "long", "kind": "tuned", "dataset": "few", "training": {"epochs": 30}},
    ]
    config = parse(raw)
    assert [a.name for a in config.arms if config.is_ablation(a.name)] == ["few", "long"]


def test_an_arm_without_the_examples_of_a_tag_plays_the_part_of_appendix_e(root: Path) -> None:
    names = ("config.yaml", "experiments/miniature.yaml", "experiments/miniature-forms.yaml")
    raw = merged([root / name for name in names])
    raw["datasets"].append({**raw["datasets"][1], "name": "other", "without": ["sensitive"]})
    raw["arms"] += [
        {"name": "other", "kind": "tuned", "dataset": "other"},
        {
            "name": "long",
            "kind": "tuned",
            "dataset": "without-forms",
            "training": {"epochs": 30},
        },
    ]
    config = parse(raw)
    arms = [arm.name for arm in config.arms]
    assert [a for a in arms if config.lacks(a, "format")] == ["without-forms"]
    assert [a for a in arms if config.lacks(a, "sensitive")] == ["other"]
    assert not any(config.is_ablation(a) for a in arms)


def test_examples_of_a_file_that_is_brought_cannot_be_left_out(root: Path) -> None:
    raw = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    raw["datasets"].append({"name": "own", "path": "x.jsonl", "without": ["format"]})
    with pytest.raises(InputError, match="only examples that are drawn from sources"):
        parse(raw)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed: 1\nseed: 2\n", ":2: not YAML: the key 'seed' stands twice"),
        (b"launch:\n  nodes: 1\n  nodes: 2\n", ":3: not YAML: the key 'nodes' stands twice"),
        (b"# nothing\n", ": holds no keys"),
        (b"- 1\n", ": holds no mapping of keys"),
        (b"seed: 1\ntitle: caf\xe9\n", ":2: not UTF-8"),
    ],
)
def test_a_file_that_says_something_twice_or_nothing_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        merged([path])
    assert message in str(error.value)


def test_keys_that_are_merged_in_may_be_given_again(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert merged([path])["b"] == {"x": 1, "y": 3}


def test_an_arm_is_not_compared_with_itself(paper: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="an arm is compared with itself"):
        parse({**paper, "comparisons": [{"first": "lima", "second": "lima"}]})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("training.chat_template", "base"), "training.chat_template"),
        (("arms", [{"name": "base", "kind": "base", "format": "chat"}]), "arms.base.format"),
        (
            ("arms", [{"name": "a", "kind": "in-context", "dataset": "lima", "format": "chat"}]),
            "arms.a.format",
        ),
        (
            (
                "arms",
                [
                    {
                        "name": "lima",
                        "kind": "tuned",
                        "dataset": "lima",
                        "training": {"chat_template": "base"},
                    }
                ],
            ),
            "arms.lima.training.chat_template",
        ),
    ],
)
def test_a_stand_in_has_no_chat_template_to_be_asked_in(
    root: Path, change: tuple[str, object], place: str
) -> None:
    raw = merged([root / "config.yaml", root / "experiments/stackexchange-beer.yaml"])
    complaint = message_of(changed(raw, *change))
    assert f"{place}: the stand-in that is pretrained here has no chat template" in complaint


def test_the_base_may_be_asked_plain_and_in_its_template_in_one_study(
    paper: dict[str, Any],
) -> None:
    both = [*paper["arms"], {"name": "base-in-chat", "kind": "base", "format": "chat"}]
    config = parse(changed(paper, "arms", both))
    names = ("base", "base-in-chat")
    assert [config.arm(name).prompt_format for name in names] == ["raw", "chat"]
    model = Results(Path("results")).base_model
    assert {config.arm(name).model_manifest(Results(Path("results"))) for name in names} == {model}


def test_each_arm_that_tells_style_from_knowledge_is_a_line(root: Path) -> None:
    page = (root / "docs/extending.md").read_text(encoding="utf-8")
    _, _, after = page.partition("### Arms that tell style from knowledge")
    block = after.split("```yaml\n")[1].split("```")[0]
    lines = [line for line in block.splitlines() if line.startswith("  - ")]
    raw = merged([root / "config.yaml", root / "experiments/superficial.yaml"])
    raw["benchmarks"]["tasks"] = [*raw["benchmarks"]["tasks"], "my_facts"]
    added = yaml.safe_load(block)
    for kind in ("datasets", "arms"):
        names = {entry["name"] for entry in added[kind]}
        raw[kind] = [e for e in raw[kind] if e["name"] not in names] + added[kind]
    arms = {arm.name for arm in parse(raw).arms}
    assert {entry["name"] for entry in added["arms"]} <= arms
    assert len(lines) == len(added["arms"]) + len(added["datasets"])


def test_peoples_grades_of_an_unknown_arm_are_answered_with_the_nearest(
    paper: dict[str, Any],
) -> None:
    grades = [{"path": "marks.csv", "task": "gsm8k", "arm": "lime"}]
    message = message_of(changed(paper, "benchmarks.human_grades", grades))
    assert "benchmarks.human_grades.arm: no arm is named 'lime'; did you mean 'lima'?" in message


def test_a_word_of_peoples_grades_means_one_of_four(paper: dict[str, Any]) -> None:
    grades = [{"path": "marks.csv", "words": {"Y": "rihgt"}}]
    assert "benchmarks.human_grades" in message_of(
        changed(paper, "benchmarks.human_grades", grades)
    )
    sound = [{"path": "marks.csv", "words": {1: "right"}, "columns": {"item": "id"}}]
    (read,) = parse(changed(paper, "benchmarks.human_grades", sound)).benchmarks.human_grades
    assert read.words == {"1": "right"} and read.reader == "people"
