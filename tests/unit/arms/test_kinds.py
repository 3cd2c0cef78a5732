"""What each kind of arm tells the workflow, so that nothing else needs to know the kinds."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from limaflow.analysis.roles import roles_of
from limaflow.arms.arm import ArmSettings, Reference, Shots
from limaflow.arms.cut import CutArm
from limaflow.arms.table import Arm
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.generation.settings import AskedEndpoint
from limaflow.mistakes import parse_block
from limaflow.results import Results
from limaflow.tools.planning.plan_request import _started_path

RESULTS = Results(Path("results"))


def arm(**block: Any) -> ArmSettings:
    adapter: TypeAdapter[Any] = TypeAdapter(Arm)
    found: ArmSettings = adapter.validate_python({"name": "a", **block})
    return found


BASE = arm(kind="base")
BASE_IN_CHAT = arm(kind="base", format="chat")
IN_CONTEXT = arm(kind="in-context", dataset="lima", examples=2)
IN_CONTEXT_CHAT = arm(kind="in-context", dataset="lima", format="chat")
TUNED = arm(kind="tuned", dataset="lima")
MODEL = arm(kind="model", path="someone/model")
AVERAGE = arm(kind="average", of="lima", alpha=0.5)
PREFERENCE = arm(kind="preference", pairs="prefs.jsonl", **{"from": "lima"})
ENDPOINT = arm(kind="endpoint", model="gpt-4", timeout_seconds=5)
RECORDED = arm(kind="recorded", path="answers.jsonl")
CUT = arm(kind="cut", of="base", at="sentence")


def test_each_says_how_a_prompt_is_put_and_whether_it_runs_here() -> None:
    here = (BASE, IN_CONTEXT, TUNED, MODEL)
    assert [a.prompt_format for a in here] == ["raw", "in-context", "chat", "chat"]
    assert BASE_IN_CHAT.prompt_format == "chat"
    assert IN_CONTEXT_CHAT.prompt_format == "in-context-chat"
    assert all(a.runs_here for a in (*here, BASE_IN_CHAT))
    assert not ENDPOINT.runs_here and not RECORDED.runs_here


def test_each_says_where_its_model_is_and_which_rules_make_model_and_responses() -> None:
    base, own = Path("results/base/model.json"), Path("results/models/a/chosen.json")
    assert [a.model_manifest(RESULTS) for a in (BASE, IN_CONTEXT)] == [base, base]
    assert [a.model_manifest(RESULTS) for a in (TUNED, MODEL)] == [own, own]
    assert [a.model_manifest(RESULTS) for a in (ENDPOINT, RECORDED)] == [None, None]
    assert (TUNED.model_rule, MODEL.model_rule, BASE.model_rule) == (
        *("fine_tune", "adopt_model", None),
    )
    assert {a.response_rule for a in (BASE, IN_CONTEXT, TUNED, MODEL)} == {"respond"}
    assert (ENDPOINT.response_rule, RECORDED.response_rule) == ("ask_endpoint", "adopt_responses")


def test_only_a_tuned_one_is_trained_and_must_stop_by_itself() -> None:
    every = (BASE, IN_CONTEXT, TUNED, MODEL, ENDPOINT, RECORDED)
    assert [a for a in every if a.is_trained] == [TUNED]
    assert [a for a in every if a.stops_by_itself] == [TUNED]
    assert [a for a in every if a.training_dataset] == [TUNED]


def test_each_names_the_data_sets_it_needs() -> None:
    expected = [Reference("dataset", "lima", "datasets")]
    assert TUNED.references() == IN_CONTEXT.references() == expected
    assert IN_CONTEXT.shots == Shots("lima", 2)
    assert BASE.references() == [] and BASE.shots is None


def test_the_endpoint_of_an_arm_is_what_its_command_reads() -> None:
    endpoint = ENDPOINT.endpoint
    assert endpoint is not None
    assert parse_block(AskedEndpoint, endpoint.flag(), "--endpoint") == endpoint
    assert (endpoint.name, endpoint.model, endpoint.timeout_seconds) == ("a", "gpt-4", 5.0)


def test_a_cut_one_is_made_of_the_responses_of_another_and_has_no_model() -> None:
    assert not CUT.runs_here and CUT.model_manifest(RESULTS) is None
    assert (CUT.response_rule, CUT.model_rule) == ("cut_responses", None)
    assert CUT.references() == [Reference("of", "base", "answering")]
    assert isinstance(CUT, CutArm)
    assert CUT.responses_cut(RESULTS) == Path("results/responses/test/base.jsonl")


def test_an_in_context_one_says_how_its_examples_are_chosen() -> None:
    longest = arm(kind="in-context", dataset="lima", examples=1, choose="longest")
    assert longest.shots == Shots("lima", 1, choose="longest")
    given = arm(kind="in-context", dataset="lima", given=["x", "y"])
    assert given.shots == Shots("lima", 2, given=("x", "y"))


def test_an_unknown_data_set_is_named_with_the_nearest(root: Path) -> None:
    raw = merged([root / "config.yaml"])
    raw["arms"].append({"name": "more", "kind": "in-context", "dataset": "lma"})
    with pytest.raises(
        InputError, match=r"arms\.more\.dataset: no dataset is named 'lma'; did you mean 'lima'"
    ):
        parse(raw)


def test_an_average_has_a_model_that_a_rule_of_its_own_makes() -> None:
    assert AVERAGE.prompt_format == "chat"
    assert AVERAGE.model_manifest(RESULTS) == Path("results/models/a/chosen.json")
    assert AVERAGE.model_rule == "average_models"
    assert AVERAGE.references() == [Reference("of", "lima", "models")]
    with pytest.raises(ValueError, match="less than or equal to 1"):
        arm(kind="average", of="lima", alpha=1.5)


@pytest.mark.parametrize("of", ["base", "nobody"])
def test_an_average_is_of_a_model_with_weights_of_its_own(root: Path, of: str) -> None:
    config = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    config["arms"].append({"name": "half", "kind": "average", "of": of, "alpha": 0.5})
    with pytest.raises(InputError, match=rf"arms\.half\.of: no model is named '{of}'"):
        parse(config)


def test_a_preference_tuned_arm_starts_from_another_model() -> None:
    assert (PREFERENCE.prompt_format, PREFERENCE.model_rule) == ("chat", "prefer")
    assert PREFERENCE.stops_by_itself and not PREFERENCE.is_trained
    assert PREFERENCE.model_manifest(RESULTS) == Path("results/models/a/chosen.json")
    assert PREFERENCE.brought_files("data") == {"pairs": "data/prefs.jsonl"}
    assert PREFERENCE.references() == [Reference("from", "lima", "models")]
    unnamed = arm(kind="preference", pairs="prefs.jsonl")
    assert unnamed.references() == [Reference("from", None, "models")]


def with_preference(root: Path, **block: Any) -> dict[str, Any]:
    config = merged([root / "config.yaml", root / "experiments/miniature.yaml"])
    config["arms"].append({"name": "dpo", "kind": "preference", "pairs": "p.jsonl", **block})
    return config


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"from": "base"}, r"arms\.dpo\.from: no model is named 'base'"),
        ({"from": "dpo"}, r"arms\.dpo: its model is made from itself \(dpo from dpo\)"),
        ({"training": {"betta": 1}}, r"arms\.dpo\.training\.betta: .*beta"),
        ({"training": {"batch_examples": 7}}, r"preference\.batch_examples: 7 pairs of arm 'dpo'"),
    ],
)
def test_a_preference_tuned_arm_that_cannot_work_is_refused(
    root: Path, block: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        parse(with_preference(root, **block))


def test_a_preference_tuned_arm_starts_from_the_lima_arm_and_overrides_the_block(
    root: Path,
) -> None:
    raw = with_preference(root, training={"beta": 0.5, "lora": {"rank": 8}})
    config = parse(raw)
    settings = config.arm("dpo").preference_settings(config.preference)
    assert (settings.beta, settings.lora.rank) == (0.5, 8)
    assert settings.epochs == config.preference.epochs
    with pytest.raises(InputError, match=r"arms\.dpo\.from: no model is named 'base'"):
        parse({**raw, "analysis": {**raw["analysis"], "lima_arm": "base"}})


def with_started(root: Path, **block: Any) -> dict[str, Any]:
    config = merged([root / "config.yaml", root / "experiments/smollm2-sibling.yaml"])
    config["arms"] = [a for a in config["arms"] if a["name"] != "lima-instruct"]
    config["arms"].append({"name": "again", "kind": "tuned", "dataset": "lima", **block})
    return config


def test_a_tuned_arm_may_start_from_an_aligned_model(root: Path) -> None:
    raw = with_started(root, **{"from": "instruct", "seeds": [1, 2]})
    config = parse(raw)
    again = config.arm("again")
    assert (again.started_from, config.arm("lima").started_from) == ("instruct", None)
    assert config.arm("again-seed2").started_from == "instruct"
    assert again.in_words("lima") == "tuned from instruct"
    assert again.model_manifest(RESULTS) == Path("results/models/again/chosen.json")
    roles = roles_of(config)
    assert roles["from_aligned"] == ["again"]
    # It differs from the LIMA arm by its start, and is no ablation of the examples.
    for role in ("ablation", "adapted", "responses", "longest", "unfiltered", "without-forms"):
        assert "again" not in roles[role]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("base", r"arms\.again\.from: no model is named 'base'"),
        ("again", r"arms\.again: its model is made from itself \(again from again\)"),
    ],
)
def test_a_start_that_is_no_model_of_another_arm_is_refused(
    root: Path, start: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        parse(with_started(root, **{"from": start}))


def test_a_plan_is_of_the_model_that_the_training_starts_from(root: Path) -> None:
    config = parse(with_started(root, **{"from": "instruct"}))
    assert _started_path(config, "again") == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert _started_path(config, "lima") == "HuggingFaceTB/SmolLM2-135M"
