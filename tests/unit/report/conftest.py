"""A finished experiment in small: records as the stages write them, our own statistics."""

import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from limaflow.analysis.exhibit import Table
from limaflow.analysis.exhibits.catalogue import FIGURES, TABLES
from limaflow.analysis.study import Study, study_of
from limaflow.cli import app
from limaflow.config.loading import parse
from limaflow.config.merge_configs import merged
from limaflow.intervals import Resampling
from limaflow.jsonl import write_json, write_records
from limaflow.judging.instrument import known
from limaflow.measures.grade_means import grade_summaries
from limaflow.measures.preferences import preference
from limaflow.measures.strengths import strengths_by_judge
from limaflow.measures.verdict_agreement import agreements
from limaflow.records import (
    BenchmarkItem,
    Choice,
    Drop,
    Example,
    Grade,
    Message,
    ModelManifest,
    Response,
    Verdict,
    example_id,
)
from limaflow.results import Results

PROJECT = Path(__file__).parents[3]
ARMS = {"base": 0.05, "base-in-context": 0.35, "few": 0.5, "lima": 0.9}
HOSTILE = "<script>alert(1)</script> & <b onclick=x>\"'"

UNMADE = (
    "absolute",
    "bits",
    "dialogue_preferences",
    "dialogues",
    "forms",
    "lengths",
    "refusal_depth",
    "refusal_dose",
    "seeds",
    "tax_readers",
    "token_shift",
)
"""Figures of what the invented results do not hold."""
OVERLAY = {
    "experiment": "small",
    "title": "LIMA in small",
    "sources": [
        {"name": "stackexchange-stem", "kind": "authored", "shards": {"a": [{"path": "a.jsonl"}]}},
        {"name": "authored-a", "kind": "authored", "shards": {"a": [{"path": "a.jsonl"}]}},
    ],
    "datasets": [
        {"name": "lima", "examples": {"stackexchange-stem": 20, "authored-a": 20}},
        {"name": "few", "examples": {"stackexchange-stem": 5, "authored-a": 5}},
    ],
    "prompts": {
        "dev": [{"source": "authored-a", "examples": 10}],
        "test": [{"source": "authored-a", "examples": 60}],
    },
    "arms": [
        {"name": "base", "kind": "base"},
        {"name": "base-in-context", "kind": "in-context", "dataset": "lima", "examples": 3},
        {"name": "few", "kind": "tuned", "dataset": "few"},
        {"name": "lima", "kind": "tuned", "dataset": "lima"},
    ],
    "selection": {"epochs": list(range(1, 11))},
    "comparisons": [{"first": "lima", "second": name} for name in ARMS if name != "lima"],
    "judges": [{"name": "truth", "model": "truth-judge", "base_url": "http://u:secret@host/v1"}],
    "judging": {
        "instruments": {"pairwise": ["truth"], "likert": ["truth"]},
        "selection": {"judge": "truth"},
    },
    "benchmarks": {"tasks": ["town_facts"], "arms": ["base", "few", "lima"]},
    "miniature": {"towns": 200, "heldout_share": 0.2},
}


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `overlay.yaml` and everything below `results/` that the report can read."""
    root = tmp_path_factory.mktemp("experiment")
    make(root)
    return root


def make(root: Path) -> None:
    """Write the whole experiment below `root`."""
    draw = random.Random(7)
    results = root / "results"
    (root / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY), encoding="utf-8")
    train = [
        _example(f"How does one weave in Orlin {i}?", "With care.", "train") for i in range(40)
    ]
    test = [_example(f"Which river runs through Velm {i}?", "", "test") for i in range(60)]
    test[0] = _example(HOSTILE, "", "test")
    frozen = results / "datasets/lima/frozen"
    write_records(frozen / "train.jsonl", train, key=lambda e: e.id)
    write_records(frozen / "test.jsonl", test, key=lambda e: e.id)
    (frozen / "SHA256SUMS").write_text(f"{'0' * 64}  train.jsonl\n", encoding="utf-8")
    _curation(results)
    responses = {arm: [_response(arm, e, draw) for e in test] for arm in ARMS}
    for arm, rows in responses.items():
        write_records(results / f"responses/test/{arm}.jsonl", rows, key=lambda r: r.prompt_id)
    _judgments(results, test, responses, draw)
    for arm in ("few", "lima"):
        _training(results, arm, draw)
    for arm in ("base", "few", "lima"):
        _benchmark(results, arm, draw)
    _analyze(results)


def _example(prompt: str, response: str, split: str) -> Example:
    messages = [Message(role="user", content=prompt)]
    if response:
        messages.append(Message(role="assistant", content=response))
    source = "authored-a" if split != "train" or len(prompt) % 2 else "stackexchange-stem"
    return Example(
        id=example_id(tuple(messages)),
        messages=tuple(messages),
        source=source,
        split="train" if split == "train" else "test",
    )


def _response(arm: str, example: Example, draw: random.Random) -> Response:
    good = "It is the Velm, a slow river. " * draw.randint(2, 6)
    text = f"{HOSTILE} {good}" if arm == "lima" else "river river " * draw.randint(3, 20)
    cut = arm == "base" and draw.random() < 0.5
    return Response(
        prompt_id=example.id,
        model=arm,
        sample=0,
        text=text,
        tokens=60,
        finish_reason="length" if cut else "stop",
        decoding={"engine": "vllm", "penalized": "prompt and response", "repetition_penalty": 1.2},
    )


def _judgments(
    results: Path, test: list[Example], responses: dict[str, list[Response]], draw: random.Random
) -> None:
    resampling = Resampling(rounds=500, confidence=0.95, seed=1)
    by_id = {(r.model, r.prompt_id): r.id for rows in responses.values() for r in rows}
    summaries, grades, files = [], [], []
    for arm, skill in ARMS.items():
        rows = [
            Grade(
                prompt_id=e.id,
                sample=0,
                model=arm,
                response_id=by_id[arm, e.id],
                instrument="likert",
                scale="likert-6",
                annotator="truth",
                value=draw.choice((5, 6, 4) if draw.random() < skill else (1, 2)),
            )
            for e in test
        ]
        write_records(
            results / f"grades/likert/test/truth/{arm}.jsonl", rows, key=lambda g: g.prompt_id
        )
        grades += rows
    for other in (arm for arm in ARMS if arm != "lima"):
        verdicts = []
        for e in test:
            better = draw.random() < ARMS["lima"] - ARMS[other] / 2
            for first, second in (("lima", other), (other, "lima")):
                choice: Choice = "first" if better == (first == "lima") else "second"
                verdicts.append(
                    Verdict(
                        prompt_id=e.id,
                        sample=0,
                        first=first,
                        second=second,
                        first_response_id=by_id[first, e.id],
                        second_response_id=by_id[second, e.id],
                        annotator="truth",
                        choice="tie" if draw.random() < 0.1 else choice,
                        reply=f"{HOSTILE}\nThe first names the river.\n{choice}",
                        answered_by="truth-judge fp_1",
                        template="0123456789abcdef",
                        cost=0.001,
                    )
                )
        write_records(results / f"verdicts/truth/lima-vs-{other}.jsonl", verdicts)
        files.append(verdicts)
        lengths = {r.id: len(r.text) for rows in responses.values() for r in rows}
        summaries.append(
            preference(verdicts, "lima", other, rule="strict", resampling=resampling, chars=lengths)
        )
    write_json(results / "analysis/preferences.json", [asdict(s) for s in summaries])
    judged = [verdict for verdicts in files for verdict in verdicts]
    ranked = strengths_by_judge(judged, rule="strict", resampling=resampling)
    write_json(results / "analysis/strengths.json", [asdict(s) for s in ranked])
    agreed = agreements(files, {"models": ["truth"]}, resampling)
    write_json(results / "analysis/agreement.json", [asdict(a) for a in agreed])
    found = grade_summaries(grades, known([]), resampling)
    write_json(results / "analysis/grades.json", [asdict(s) for s in found])


def _curation(results: Path) -> None:
    steps = [
        ("", "filter", "stackexchange-stem", 900, {"too_short": 500, "first_person": 160}),
        ("", "filter", "authored-a", 300, {}),
        ("", "deduplicate", "stackexchange-stem", 240, {"near_duplicate": 20}),
        ("", "deduplicate", "authored-a", 300, {"near_duplicate": 4}),
        ("lima", "sample", "stackexchange-stem", 220, {"not_drawn": 200}),
        ("lima", "sample", "authored-a", 296, {"not_drawn": 276}),
    ]
    rows = [
        {
            "dataset": dataset,
            "pool": "",
            "step": step,
            "source": source,
            "came": came,
            "stayed": came - sum(dropped.values()),
            "dropped": dropped,
        }
        for dataset, step, source, came, dropped in steps
    ]
    write_json(results / "curation/funnel.json", {"steps": rows, "prompts": {}})
    write_records(
        results / "curation/contamination/lima.jsonl",
        [
            {
                "id": "3",
                "source": "stackexchange-stem",
                "where": "assistant",
                "against": "hellaswag",
                "item_id": "000007-ab",
                "words": 13,
                "matched": "a long run of shared words",
                "turn": f"Before it a long run of shared words {HOSTILE}",
                "text": f"The item has a long run of shared words {HOSTILE}",
            }
        ],
    )
    write_records(
        results / "curation/dropped/filter/stackexchange-stem/a.jsonl",
        [
            Drop(id="1", source="stackexchange-stem", step="filter", rule="too_short", detail="9"),
            Drop(id="2", source="x", step="filter", rule="first_person", detail=HOSTILE),
        ],
    )


def _training(results: Path, arm: str, draw: random.Random) -> None:
    folder = results / "models" / arm
    (folder / "runs/abc").mkdir(parents=True)
    log = ["step,epoch,loss,learning_rate,gradient_norm"]
    log += [
        f"{s},{1 + s // 8},{4 / (1 + s / 9):.4f},{1e-3 * (1 - s / 90):.6f},1" for s in range(80)
    ]
    (folder / "runs/abc/log.csv").write_text("\n".join(log) + "\n", encoding="utf-8")
    epochs = range(1, 11)
    write_json(
        folder / "training.json",
        {
            "arm": arm,
            "identity": "abc",
            "log": "runs/abc/log.csv",
            "examples": 40,
            "tokens": 5120,
            "trained_tokens": 3904,
            "trimmed": ["a"],
            "dev_examples": 10,
            "epochs": [
                {
                    "epoch": e,
                    "model": None,
                    "train_loss": 4 / e,
                    "dev_perplexity": 9 - 2 * min(e, 4) + max(0, e - 4) * 0.8,
                }
                for e in epochs
            ],
        },
    )
    sums = {"model.safetensors": "f" * 64}
    manifest = ModelManifest(model=f"{arm}@epoch-7", path="runs/abc", sha256=sums)
    write_json(folder / "chosen.json", manifest)
    rows = [
        Grade(
            prompt_id=f"dev-{p}",
            sample=0,
            model=f"{arm}@epoch-{e}",
            response_id=f"r-{p}",
            instrument="likert",
            scale="likert-6",
            annotator="truth",
            value=min(6, max(1, round(1 + e / 2 + draw.gauss(0, 1)))),
        )
        for e in epochs
        for p in range(10)
    ]
    write_records(results / f"grades/likert/dev/truth/{arm}.jsonl", rows)


def _benchmark(results: Path, arm: str, draw: random.Random) -> None:
    skill = {"base": 0.97, "few": 0.9, "lima": 0.88}[arm]
    items = [
        BenchmarkItem(
            task="town_facts",
            item_id=f"{i:06d}",
            model=arm,
            metric="acc,none",
            value=float(draw.random() < skill),
        )
        for i in range(200)
    ]
    write_records(results / f"benchmarks/{arm}/items.jsonl", items)
    scores = {"town_facts": {"metric": "acc,none", "items": 200, "truncated_items": 0}}
    write_json(results / f"benchmarks/{arm}/results.json", {"model": arm, "scores": scores})


def _analyze(results: Path) -> None:
    """The tax, claims, figures and tables, by their command lines."""
    boot = ["--bootstrap", "500", "--confidence", "0.95", "--seed", "1"]
    analyze(
        *("tax", "--base", f"{results}/benchmarks/base/items.jsonl", *boot),
        *("--output", f"{results}/analysis/tax.json"),
        *(f"{results}/benchmarks/{arm}/items.jsonl" for arm in ("few", "lima")),
    )
    roles = ("base=base", "in-context=base-in-context", "ablation=few")
    analyze(
        *("claims", "--lima", "lima", *boot, "--miniature"),
        *(f"--role={role}" for role in roles),
        *("--preferences", f"{results}/analysis/preferences.json"),
        *("--graded", f"{results}/analysis/grades.json", "--tax", f"{results}/analysis/tax.json"),
        *("--training", f"{results}/models/lima/training.json"),
        *(f"--grades={path}" for path in sorted(results.glob("grades/test/*/*"))),
        *(f"--dev-grades={path}" for path in sorted(results.glob("grades/dev/lima/*"))),
        *("--output", f"{results}/analysis/claims.json"),
    )
    config = parse(merged([PROJECT / "config.yaml", results.parent / "overlay.yaml"]))
    study = study_of(config, Results(results), {})
    for name, figure in FIGURES.items():
        if name not in UNMADE:
            named = ("--lima=lima", "--base=base", "--miniature")
            output = (*named, "--output", str(study.results.figure(name)))
            analyze("figure", name, *_inputs(figure, study), *boot, *output)
    for name in ("preferences", "tax"):
        inputs = _inputs(TABLES[name], study)
        analyze("table", name, *inputs, "--output", str(study.results.table(name)))
    data = (study.results.frozen("lima", split) for split in ("train", "test"))
    inputs = [f"--input=data={path}" for path in data]
    analyze("table", "sources", *inputs, "--output", str(study.results.table("sources")))


def _inputs(exhibit: Table[Any], study: Study) -> list[str]:
    files = exhibit.inputs(study).items()
    return [f"--input={name}={path}" for name, paths in files for path in paths]


def analyze(*arguments: str) -> None:
    outcome = CliRunner().invoke(app, ["analyze", *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
