"""Off SLURM: jobs of a real Snakemake on a machine with several GPUs, where a stand-in computes."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

STAND_IN = """
import json, os, sys, time
from limaflow.cards import take_cards

words = sys.argv[1:]
if words[:2] == ["generate", "respond"]:
    cards = take_cards(int(words[words.index("--gpus") + 1]))
    start = time.time()
    time.sleep(1.5)
    with open("notes", "a") as file:
        line = {"cards": cards, "seen": os.environ["CUDA_VISIBLE_DEVICES"]}
        file.write(json.dumps({**line, "start": start, "end": time.time()}) + "\\n")
for flag, value in zip(words, words[1:]):
    if flag.endswith("output"):
        with open(value, "w") as file:
            file.write("{}")
"""


@dataclass(frozen=True)
class Note:
    """What one job computed on, and when."""

    cards: tuple[str, ...]
    start: float
    end: float


def notes_of(folder: Path, root: Path, *, visible: str, gpus: int, arms: int) -> list[Note]:
    """Run so many answering jobs, all at once as far as Snakemake lets them."""
    example = {"messages": [{"role": "user", "content": "What of goats?"}]}
    for name in ("train", "prompts"):
        turns = [*example["messages"], {"role": "assistant", "content": "They climb."}]
        (folder / f"{name}.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    names = [f"arm-{number}" for number in range(arms)]
    overlay = {
        "experiment": "cards",
        "sources": [],
        "datasets": [{"name": "lima", "path": "train.jsonl"}],
        "prompts": {"dev": [{"path": "prompts.jsonl"}], "test": [{"path": "prompts.jsonl"}]},
        "base": {"path": "some/model"},
        "arms": [{"name": n, "kind": "model", "path": f"some/{n}"} for n in names],
        "comparisons": [],
        "benchmarks": {"tasks": [], "arms": []},
        "analysis": {"lima_arm": names[0]},
        "generation": {"gpus": gpus},
        "data_root": ".",
    }
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    program = folder / "bin" / "limaflow"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{STAND_IN}")
    program.chmod(0o755)
    path = [program.parent, Path(sys.executable).parent, os.environ["PATH"]]
    ran = subprocess.run(
        [
            *("snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder)),
            *("--cores", "32", "--configfile", str(folder / "overlay.yaml"), "--"),
            *(f"results/cards/responses/test/{name}.jsonl" for name in names),
        ],
        env={
            **os.environ,
            "PATH": os.pathsep.join(map(str, path)),
            "PYTHONPATH": str(root / "src"),
            "CUDA_VISIBLE_DEVICES": visible,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    lines = map(json.loads, (folder / "notes").read_text().splitlines())
    found = [Note(tuple(line["cards"]), line["start"], line["end"]) for line in lines]
    assert len(found) == arms
    return found


def overlapping(notes: list[Note]) -> list[tuple[Note, Note]]:
    """Pairs of jobs that ran at the same time."""
    return [
        (one, other)
        for place, one in enumerate(notes)
        for other in notes[:place]
        if one.start < other.end and other.start < one.end
    ]


@pytest.mark.slow
def test_jobs_at_the_same_time_never_share_a_card(root: Path, tmp_path: Path) -> None:
    mine = [f"MIG-{os.getpid()}-{time.monotonic_ns()}", f"GPU-{time.monotonic_ns()}", "5"]
    notes = notes_of(tmp_path, root, visible=",".join(mine), gpus=1, arms=7)
    pairs = overlapping(notes)
    assert pairs, "jobs do run beside each other"
    assert all(not set(one.cards) & set(other.cards) for one, other in pairs)
    assert {card for note in notes for card in note.cards} == set(mine)


@pytest.mark.slow
def test_a_job_on_several_cards_has_them_alone(root: Path, tmp_path: Path) -> None:
    mine = [f"MIG-{os.getpid()}-{time.monotonic_ns()}/{number}" for number in range(4)]
    notes = notes_of(tmp_path, root, visible=",".join(mine), gpus=2, arms=4)
    assert Counter(len(note.cards) for note in notes) == {2: 4}
    pairs = overlapping(notes)
    assert pairs
    assert all(not set(one.cards) & set(other.cards) for one, other in pairs)
