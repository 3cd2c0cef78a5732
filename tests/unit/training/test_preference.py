"""DPO by TRL is the formula, resumes to the same weights, and leaves a model that opens."""

import csv
import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_runs import fail, finish, processes_of, wait_until, wait_until_all_are_gone
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from limaflow.errors import InputError
from limaflow.jsonl import read_json, read_records, write_json, write_records
from limaflow.manifests import adopt, checksums, read_manifest
from limaflow.recording.record import read_record
from limaflow.records import Example, ModelManifest
from limaflow.training.checkpoints import Checkpoint
from limaflow.training.conversation import END_OF_TURN, add_dialogue_tokens, extend_embeddings
from limaflow.training.preference import Watch, micro_batch, newest_checkpoint, order_of
from limaflow.training.preference_pairs import PairTokens, read_pairs, tokenized_pairs
from limaflow.training.settings import Launch, Preference

SETTINGS = Preference(
    beta=0.1,
    learning_rate=1e-3,
    warmup_share=0.1,
    epochs=3,
    batch_examples=8,
    max_tokens=100,
    betas=(0.9, 0.95),
    weight_decay=0.0,
    gradient_clipping=1.0,
    precision="fp32",
    max_left_out_share=0.0,
)
LORA = {"lora": {"rank": 4}, "learning_rate": 1e-2}
SEED = 5


@pytest.fixture(scope="module")
def lima(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of the tiny base with the dialogue tokens, as a tuned arm's export has them."""
    folder = tmp_path_factory.mktemp("lima")
    tokenizer = AutoTokenizer.from_pretrained(read_manifest(tiny_base)[1])
    new = add_dialogue_tokens(tokenizer)
    model = AutoModelForCausalLM.from_pretrained(read_manifest(tiny_base)[1])
    extend_embeddings(model, tokenizer, new)
    stops = [tokenizer.convert_tokens_to_ids(END_OF_TURN), tokenizer.eos_token_id]
    model.generation_config = GenerationConfig(eos_token_id=stops)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    adopt("lima", str(folder / "model"), None, folder / "chosen.json")
    return folder / "chosen.json"


@pytest.fixture(scope="module")
def pairs(tiny_examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """21 pairs; the rejected response has the words of the chosen one backwards."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    rows = (
        {"prompt": e.prompt, "chosen": e.response, "rejected": " ".join(e.response.split()[::-1])}
        for e in read_records(tiny_examples / "train.jsonl", Example)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


Start = Callable[..., Any]


@pytest.fixture
def prefer(start: Start, torchrun: Start, lima: Path, pairs: Path) -> Start:
    """Start `limaflow train prefer` on the tiny model, writing below a folder."""

    def start_training(
        folder: Path,
        launch: Launch,
        of: Path = pairs,
        options: tuple[Any, ...] = (),
        **changes: Any,
    ) -> Any:
        settings = Preference.model_validate({**SETTINGS.model_dump(), **changes})
        command = (
            "limaflow", "train", "prefer", "--arm", "dpo", "--from", lima, "--pairs", of,
            "--settings", settings.flag(), "--launch", launch.flag(), "--seed", SEED,
            "--run-folder", folder / "runs", "--output", folder / "chosen.json",
            *options,
        )  # fmt: skip
        if launch.processes_per_node == 1:
            return start(*command)
        return torchrun(launch.processes_per_node, "--no-python", *command)

    return start_training


def logged(folder: Path) -> list[tuple[float, float]]:
    """Loss and gradient norm of each step."""
    (path,) = folder.glob("runs/*/log.csv")
    with path.open() as file:
        return [(float(row["loss"]), float(row["grad_norm"])) for row in csv.DictReader(file)]


def weights(folder: Path) -> bytes:
    return (Path(read_manifest(folder / "chosen.json")[1]) / "model.safetensors").read_bytes()


def by_the_formula(lima: Path, pairs: Path) -> list[tuple[float, float]]:
    """Loss and gradient norm of each step, by a plain loop over single sequences."""
    location = read_manifest(lima)[1]
    model, reference = (AutoModelForCausalLM.from_pretrained(location) for _ in range(2))
    found = tokenized_pairs(
        pairs,
        AutoTokenizer.from_pretrained(location),
        frozenset(model.generation_config.eos_token_id),
        max_tokens=100,
        max_left_out=0.0,
    ).tokens
    order = order_of(len(found), 3, 8, SEED)
    steps = len(order) // 8
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.0)

    def margin(of: Any, pair: PairTokens) -> torch.Tensor:
        sums = []
        for response in (pair.chosen, pair.rejected):
            logits = of(torch.tensor([[*pair.prompt, *response]])).logits[0]
            chances = logits[len(pair.prompt) - 1 : -1].log_softmax(-1)
            sums.append(chances.gather(1, torch.tensor(response)[:, None]).sum())
        return sums[0] - sums[1]

    rows = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (0 if step < 1 else (steps - step) / (steps - 1))
        loss = torch.tensor(0.0)
        for pair in (found[place] for place in order[8 * step : 8 * step + 8]):
            with torch.no_grad():
                before = margin(reference, pair)
            gained = 0.1 * (margin(model, pair) - before)
            loss = loss - torch.nn.functional.logsigmoid(gained) / 8
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rows.append((loss.item(), norm.item()))
    return rows


@pytest.mark.slow
def test_each_step_is_the_formulas_however_it_is_spread(
    prefer: Start, launch: Launch, lima: Path, pairs: Path, tmp_path: Path
) -> None:
    alone = launch.model_copy(update={"processes_per_node": 1, "micro_batch_examples": 8})
    output = finish(prefer(tmp_path / "one", alone))
    assert "dpo: 21 of 21 pairs, 3 epochs" in output
    assert "the last 7 pairs of the last epoch fill no batch" in output
    finish(prefer(tmp_path / "two", launch))
    expected = by_the_formula(lima, pairs)
    assert math.isclose(expected[0][0], math.log(2), rel_tol=1e-6)
    assert expected[-1][0] < 0.65
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert logged(folder) == [pytest.approx(row, rel=1e-4) for row in expected]
        record = read_record(folder / "chosen.json")
        assert record is not None and record.command[:2] == ("train", "prefer")

    # What is finished is recognised, by any launch.
    before = weights(tmp_path / "one")
    (tmp_path / "one/chosen.json").unlink()
    assert "pairs" not in finish(prefer(tmp_path / "one", launch))
    assert weights(tmp_path / "one") == before


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, LORA], ids=["full", "lora"])
def test_killed_and_stopped_it_ends_in_the_same_weights(
    changes: dict[str, Any], prefer: Start, launch: Launch, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    often = launch.model_copy(update={"checkpoint_every_steps": 1})
    finish(prefer(whole, launch, **changes))

    def saved(step: int) -> Callable[[], bool]:
        mark = f"runs/*/checkpoints/checkpoint-{step}/limaflow.json"
        return lambda: any(broken.glob(mark))

    run = prefer(broken, often, **changes)
    wait_until(run, saved(2))
    time.sleep(0.1)
    for process in processes_of(tmp_path):
        process.kill()
    fail(run)
    wait_until_all_are_gone(tmp_path)

    run = prefer(broken, often, **changes)
    wait_until(run, saved(4))
    run.send_signal(signal.SIGTERM)
    assert "run it again to go on" in fail(run)
    wait_until_all_are_gone(tmp_path)

    assert "resuming from checkpoint-" in finish(prefer(broken, launch, **changes))
    kept = {path.name for path in broken.glob("runs/*/checkpoints/checkpoint-*")}
    assert len(kept) == launch.keep_checkpoints
    assert logged(broken) == logged(whole)
    assert weights(broken) == weights(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "changes"), [(2, LORA), (3, {}), (3, LORA), (1, {"precision": "bf16"})]
)
def test_the_model_opens_and_is_another_than_its_start(
    *,
    stage: int,
    changes: dict[str, Any],
    prefer: Start,
    launch: Launch,
    lima: Path,
    tmp_path: Path,
) -> None:
    finish(prefer(tmp_path, launch.model_copy(update={"zero_stage": stage}), **changes))
    losses = [loss for loss, _ in logged(tmp_path)]
    assert math.isclose(losses[0], math.log(2), abs_tol=1e-3)
    assert losses[-1] < losses[0] - 0.01
    manifest, location = read_manifest(tmp_path / "chosen.json")
    assert manifest.model == "dpo"
    assert manifest.notes["start"] == "lima"
    assert manifest.sha256 == checksums(Path(location))
    model = AutoModelForCausalLM.from_pretrained(location)
    start = AutoModelForCausalLM.from_pretrained(read_manifest(lima)[1])
    assert model.generation_config.eos_token_id == start.generation_config.eos_token_id
    tokens = torch.tensor([[1, 2, 3]])
    assert not torch.allclose(model(tokens).logits.float(), start(tokens).logits, atol=1e-3)
    assert AutoTokenizer.from_pretrained(location).chat_template
    assert "DPO" in (Path(location) / "README.md").read_text()


@pytest.mark.slow
def test_a_start_without_a_chat_template_is_refused(
    start: Start, tiny_base: Path, pairs: Path, launch: Launch, tmp_path: Path
) -> None:
    run = start(
        "limaflow", "train", "prefer", "--arm", "dpo", "--from", tiny_base, "--pairs", pairs,
        "--settings", SETTINGS.flag(), "--launch", launch.flag(), "--seed", SEED,
        "--run-folder", tmp_path / "runs", "--output", tmp_path / "chosen.json",
    )  # fmt: skip
    assert "starts from a model with a chat template" in fail(run)


@pytest.mark.parametrize(
    ("step", "loss", "message"),
    [
        (1, 0.7, "the first step's loss is 0.7000, not ln 2"),
        (2, math.nan, "loss is nan at step 2"),
    ],
)
def test_a_wrong_loss_ends_the_run(
    alone: None, capsys: Any, step: int, loss: float, message: str
) -> None:
    watch = Watch(3, SimpleNamespace(set_postfix=None, update=None), 20)
    state = SimpleNamespace(global_step=step)
    with pytest.raises(SystemExit):
        watch.on_log(None, state, None, logs={"loss": loss, "grad_norm": 1.0})
    assert message in capsys.readouterr().err


def test_a_torn_checkpoint_is_removed_and_another_launch_refused(
    alone: None, launch: Launch, tmp_path: Path
) -> None:
    for step, size in ((2, 3), (10, 3), (11, 4)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "state.pt").write_text("abc")
        mark = Checkpoint(step=step, world=1, zero_stage=2, bytes={"state.pt": size})
        write_json(folder / "limaflow.json", mark)
    (tmp_path / "checkpoint-12").mkdir()
    assert newest_checkpoint(tmp_path, launch) == tmp_path / "checkpoint-10"
    other = launch.model_copy(update={"zero_stage": 3})
    with pytest.raises(InputError, match="saved by 1 processes at ZeRO stage 2"):
        newest_checkpoint(tmp_path, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2"]


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 16))
def test_the_order_is_whole_epochs_but_for_its_end(pairs: int, epochs: int, batch: int) -> None:
    order = order_of(pairs, epochs, batch, SEED)
    assert len(order) % batch == 0
    assert 0 <= pairs * epochs - len(order) < batch
    for epoch in range(len(order) // pairs):
        assert sorted(order[epoch * pairs : (epoch + 1) * pairs]) == list(range(pairs))


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 9))
def test_micro_batches_share_a_batch_evenly(share: int, processes: int, most: int) -> None:
    settings = SETTINGS.model_copy(update={"batch_examples": share * processes})
    launch = SimpleNamespace(micro_batch_examples=most)
    found = micro_batch(settings, launch, processes)
    assert 1 <= found <= most
    assert share % found == 0


@pytest.mark.slow
def test_real_pairs_are_never_cut_and_end_in_a_trained_end_of_turn(
    *, prefer: Start, lima: Path, launch: Launch, tmp_path: Path, shared_data: Path
) -> None:
    import gzip

    packed = (shared_data / "preferences/hh-harmless/test.jsonl.gz").read_bytes()
    rows = gzip.decompress(packed).splitlines(keepends=True)[:1000]
    real = tmp_path / "real.jsonl"
    real.write_bytes(b"".join(row for row in rows if len(row) < 800))
    # A question of the pairs themselves, as a test prompt.
    asked = read_pairs(real)[0][0].prompt[0]
    test = Example(id="t", messages=(asked,), source="hh", split="test")
    write_records(tmp_path / "test.jsonl", [test], key=lambda e: e.id)
    alone = launch.model_copy(update={"processes_per_node": 1})
    log = finish(
        prefer(
            *(tmp_path, alone, real, ("--prompts", tmp_path / "test.jsonl")),
            **{"epochs": 1, "max_left_out_share": 1.0},
        )
    )
    losses = [loss for loss, _ in logged(tmp_path)]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-3) and len(losses) > 1
    notes = read_json(tmp_path / "chosen.json", ModelManifest).notes
    assert notes["left_out"]["shares text with test"] >= 1
    assert notes["left_out"]["longer than max_tokens 100"] > 0
    for reason, count in notes["left_out"].items():
        assert f"left out: {reason}: {count} (lines " in log
    tokenizer = AutoTokenizer.from_pretrained(read_manifest(lima)[1])
    stop = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    found = tokenized_pairs(real, tokenizer, frozenset([stop]), max_tokens=100, max_left_out=1.0)
    for pair in found.tokens:
        assert pair.chosen[-1] == pair.rejected[-1] == stop and pair.length <= 100
    whole = {pair.line: pair for pair in read_pairs(real)[0]}
    texts = {pair.chosen.content for pair in whole.values()}
    assert all(str(tokenizer.decode(pair.chosen[:-1])) in texts for pair in found.tokens)
