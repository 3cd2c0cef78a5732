"""`make gpu-check` on a CPU: the parts that it can run pass, the others say why they do not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def checked(folder: Path, *options: str) -> tuple[int, list[dict]]:
    output = folder / "gpu-check.json"
    command = [sys.executable, ROOT / "benchmarks/gpu_check.py", *options, "--output", output]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    return done.returncode, json.loads(output.read_text()) if output.exists() else []


@pytest.mark.slow
def test_a_cpu_runs_the_parts_that_it_can_and_skips_the_others(tmp_path: Path) -> None:
    code, reports = checked(tmp_path, "--device", "cpu", "--parts", "machine,zero,liger,table-7b")
    assert [r["status"] for r in reports] == ["passed", "passed", "skipped", "skipped"], reports
    assert code == 0
    machine, zero, *_ = reports
    assert machine["facts"]["matrix_product_tflops"] > 0
    assert zero["facts"]["processes"] == 2
    assert [g["case"] for g in zero["facts"]["gradients"]] == [f"fp32 ZeRO-{n}" for n in range(4)]


def test_a_part_that_takes_too_long_is_reported_and_stops_no_other(tmp_path: Path) -> None:
    code, reports = checked(
        tmp_path, "--device", "cpu", "--parts", "zero,generation", "--minutes", "0.0001"
    )
    assert [r["part"] for r in reports] == ["zero", "generation"]
    assert all(r["status"] == "failed" and "minutes" in r["reason"] for r in reports)
    assert code == 1


def test_a_part_that_there_is_not_is_refused(tmp_path: Path) -> None:
    assert checked(tmp_path, "--device", "cpu", "--parts", "zeros") == (2, [])
