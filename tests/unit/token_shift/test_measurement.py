"""Planted shifts are found as planted, a model beside itself has none, a kill loses none."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from response_jobs import response_job
from shifted_models import GREEDY, PAPER, swapped
from tiny_model import written_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from limaflow.errors import InputError
from limaflow.generation.prompts import read_prompts
from limaflow.generation.respond import respond
from limaflow.intervals import Resampling
from limaflow.jsonl import read_records, write_records
from limaflow.records import Response
from limaflow.token_shift.measurement import (
    Reference,
    ShiftJob,
    chosen_prompts,
    measure,
    references_of,
)
from limaflow.token_shift.shifted_response import ShiftedResponse, read_shifted
from limaflow.token_shift.summaries import summarized
from limaflow.training.conversation import add_dialogue_tokens, extend_embeddings
from limaflow.training.end_of_turn import exported_tokenizer, name_stops


@pytest.fixture
def planted(
    job_of: Callable[..., ShiftJob], tiny_base: Path, tmp_path: Path
) -> tuple[ShiftJob, int]:
    """A greedy job of a model that writes a rare token in place of the base's commonest one."""
    own = measure(job_of(decoding=GREEDY))
    common = Counter(token for response in own for token in response.tokens).most_common(1)[0][0]
    rare = 77
    assert not any(rare in response.tokens for response in own)
    folder = swapped(tiny_base, tmp_path / "tuned", common, rare)
    return job_of(model=str(folder), decoding=GREEDY, output=tmp_path / "planted.jsonl"), rare


def test_a_planted_shift_is_found_where_it_was_planted_and_nowhere_else(
    planted: tuple[ShiftJob, int], tiny_base: Path
) -> None:
    job, rare = planted
    found = measure(job)
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    asked = {p.id: p for p in chosen_prompts(read_prompts(job.prompts), 100, 7)}
    shifted = unshifted = 0
    for response in found:
        prompt = tokenizer(asked[response.prompt_id].prompt + "\n")["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *response.tokens]])).logits[0].double()
        for place, token in enumerate(response.tokens):
            row = logits[len(prompt) + place - 1]
            expected = 1 + int((row > row[token]).sum())
            assert response.ranks[place] == expected
            assert response.log_probabilities[place] == pytest.approx(
                float(row.log_softmax(-1)[token]), abs=1e-4
            )
            assert response.own_ranks[place] == 1
            assert response.choice_ranks[place] == expected
            assert (expected > 1) == (token == rare)
            shifted += expected > 3
            unshifted += expected == 1
    assert shifted >= 5 and unshifted >= 50
    shift = summarized(found, Resampling(rounds=200, confidence=0.95, seed=1))
    whole = shift.summaries[0]
    assert whole.tokens == sum(len(response.tokens) for response in found)
    assert whole.shifted.estimate * whole.tokens == pytest.approx(shifted)
    assert whole.unshifted.estimate * whole.tokens == pytest.approx(unshifted)
    assert whole.choice_shifted.estimate == whole.shifted.estimate
    assert whole.floor.estimate == 0
    # Untrained, it also writes parts of characters, whose texts come with a later token.
    assert shift.tokens
    assert all(token.text.endswith(tokenizer.decode([rare])) for token in shift.tokens)


def test_the_divergence_is_that_of_the_two_distributions(
    planted: tuple[ShiftJob, int], tiny_base: Path
) -> None:
    job, _ = planted
    response = measure(job)[0]
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    prompt = next(p.prompt for p in read_prompts(job.prompts) if p.id == response.prompt_id)
    tokens = torch.tensor([[*tokenizer(prompt + "\n")["input_ids"], *response.tokens]])
    with torch.inference_mode():
        own, base = (
            AutoModelForCausalLM.from_pretrained(folder)(tokens).logits[0].double().log_softmax(-1)
            for folder in (job.model, tiny_base.parent / "model")
        )
    expected = (own.exp() * (own - base)).sum(-1)[-len(response.tokens) - 1 : -1]
    assert response.divergences == pytest.approx(expected.tolist(), abs=1e-4)
    assert max(response.divergences) > 0


@pytest.mark.parametrize("decoding", [GREEDY, PAPER])
def test_a_model_beside_itself_has_no_shift(
    job_of: Callable[..., ShiftJob], decoding: object
) -> None:
    found = measure(job_of(decoding=decoding))
    for response in found:
        assert response.ranks == response.own_ranks
        assert set(response.choice_ranks) == {1}
        assert set(response.divergences) == {0.0}
        assert response.log_probabilities == response.own_log_probabilities
    whole = summarized(found, Resampling(rounds=200, confidence=0.95, seed=1)).summaries[0]
    assert whole.choice_shifted.estimate == whole.beyond_floor.estimate == whole.divergence == 0
    assert (whole.shifted.estimate == 0) == (decoding is GREEDY)


def test_the_tokens_are_those_of_the_studys_responses(
    job_of: Callable[..., ShiftJob], tiny_base: Path, tmp_path: Path
) -> None:
    job = job_of()
    found = {(r.prompt_id, r.sample): r for r in measure(job)}
    respond(
        response_job(tiny_base, job.prompts, tmp_path / "responses.jsonl", decoding=PAPER, batch=3)
    )
    responses = list(read_records(tmp_path / "responses.jsonl", Response))
    assert len(responses) == len(found) == 24
    for response in responses:
        shifted = found[response.prompt_id, response.sample]
        assert response.tokens == len(shifted.tokens)
        assert response.text == re.sub("</?s>", "", "".join(shifted.texts)).strip()


def test_a_base_reads_the_tuned_models_own_template(
    job_of: Callable[..., ShiftJob], tiny_base: Path, tmp_path: Path
) -> None:
    # As fine-tuning starts, before its first step.
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.parent / "model")
    model = AutoModelForCausalLM.from_pretrained(tiny_base.parent / "model")
    extend_embeddings(model, tokenizer, add_dialogue_tokens(tokenizer))
    name_stops(model, tokenizer)
    model.save_pretrained(tmp_path / "started")
    exported_tokenizer(tokenizer).save_pretrained(tmp_path / "started")
    found = measure(job_of(model=str(tmp_path / "started"), style="chat", decoding=GREEDY))
    assert all(set(response.ranks) == {1} for response in found)
    assert all(set(response.divergences) == {0.0} for response in found)


def test_models_whose_ids_mean_other_texts_are_refused(
    job_of: Callable[..., ShiftJob], tmp_path: Path
) -> None:
    texts = ["Quartz veins cross the old mine." for _ in range(9)]
    other = written_model(tmp_path / "other", texts=texts, context=128)
    reference = Reference(name="stranger", role="base", model=str(other))
    with pytest.raises(InputError, match="stranger and the tuned model do not share a tokenizer"):
        measure(job_of(references=[reference]))


def test_a_killed_job_goes_on_and_writes_the_same_bytes(
    job_of: Callable[..., ShiftJob], prompts: Path, tiny_base: Path, tmp_path: Path
) -> None:
    whole = job_of(batch=1, output=tmp_path / "whole.jsonl")
    measure(whole)
    command = [
        *(sys.executable, "-c", "import sys; from limaflow.cli import app; app(sys.argv[1:])"),
        *("shift", "run", "--model", str(tiny_base), "--name", "tuned"),
        *("--reference", f"base={tiny_base}", "--format", "raw", "--prompts", str(prompts)),
        *("--responses", "100", "--decoding", PAPER.model_dump_json(), "--seed", "7"),
        *("--batch", "1", "--drawn-at-once", "8", "--output", str(tmp_path / "killed.jsonl")),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        kept = list(tmp_path.glob(".killed.jsonl.*.kept"))
        if any(text.count('"ranks"') > 0 for text in (k.read_text() for k in kept)):
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait()
    kept = sorted(tmp_path.glob(".killed.jsonl.*.kept"))
    assert len(kept) == 2
    for file in kept:
        with file.open("a") as opened:
            opened.write('{"torn": ')
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert (tmp_path / "killed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_is_done_is_not_done_again(
    job_of: Callable[..., ShiftJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measure(job_of())
    first = (tmp_path / "shifted.jsonl").read_bytes()
    (tmp_path / "shifted.jsonl").unlink()
    monkeypatch.setattr("limaflow.token_shift.measurement.scored", None)
    monkeypatch.setattr("limaflow.token_shift.drawing.respond", None)
    measure(job_of())
    assert (tmp_path / "shifted.jsonl").read_bytes() == first


def test_references_are_named_with_their_role() -> None:
    found = references_of(["base=hub/name", "seed:other=a/model.json"])
    assert found == [
        Reference(name="base", role="base", model="hub/name"),
        Reference(name="other", role="seed", model="a/model.json"),
    ]
    for words in (["base"], ["what:base=x"], ["=x"], ["base="]):
        with pytest.raises(InputError, match="is not NAME=MODEL"):
            references_of(words)
    with pytest.raises(InputError, match="the same name"):
        references_of(["a=x", "a=y"])


def test_records_that_do_not_fit_are_refused(
    job_of: Callable[..., ShiftJob], tmp_path: Path
) -> None:
    found = measure(job_of())
    cut = [replace(found[0], ranks=found[0].ranks[1:]), *found[1:]]
    twice = [*found, found[0]]
    for records, message in ((cut, r"jsonl:1: not as many"), (twice, "twice"), ([], "no resp")):
        write_records(tmp_path / "bad.jsonl", records)
        with pytest.raises(InputError, match=message):
            read_shifted([tmp_path / "bad.jsonl"])
    assert isinstance(found[0], ShiftedResponse)


def test_in_context_prompts_are_refused(job_of: Callable[..., ShiftJob]) -> None:
    with pytest.raises(InputError, match="use --format chat or raw"):
        measure(job_of(style="in-context"))
