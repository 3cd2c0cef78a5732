"""`make gpu-check`: is everything right and fast on this machine's GPUs?

Each part runs in processes of its own, for ten minutes at most, and reports by itself; one that
fails or hangs stops no other. What was found stands in a JSON file, written anew after each part.
`--device cpu` runs the parts that a CPU can run.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gpu_parts import PARTS, Skipped
from gpu_tiny import environment

MINUTES = 10.0
SIGNS = {"passed": "ok", "skipped": "--", "failed": "FAILED"}


def alone(name: str, device: str, output: Path) -> None:
    """Run one part in this process and write its report."""
    report: dict[str, Any] = {"part": name}
    with tempfile.TemporaryDirectory() as folder:
        try:
            report |= {"status": "passed", "facts": PARTS[name](device, Path(folder))}
        except Skipped as reason:
            report |= {"status": "skipped", "reason": str(reason)}
        # Whatever goes wrong is this part's report.
        except Exception as error:
            report |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
    output.write_text(json.dumps(report))


def reported(name: str, device: str, minutes: float) -> dict[str, Any]:
    """The report of one part, run as a child that may neither crash nor hang this one."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        child = subprocess.Popen(
            [sys.executable, __file__, "--device", device, "--alone", name, str(output)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(device),
            start_new_session=True,
        )
        try:
            said = child.communicate(timeout=60 * minutes)[0]
            reason = f"it ended with {child.returncode}: {said[-2000:]}"
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            reason = f"it took over {minutes:g} minutes"
        report = {"part": name, "status": "failed", "reason": reason}
        if output.exists():
            report = json.loads(output.read_text())
    return report | {"seconds": round(time.perf_counter() - start, 1)}


def main() -> int:
    """Run the parts in turn; 1 if any failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options.add_argument("--parts", help="a comma between them; without, all")
    options.add_argument("--minutes", type=float, default=MINUTES, help="that a part may take")
    options.add_argument("--output", type=Path, default=Path("gpu-check.json"))
    options.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.alone:
        alone(chosen.alone[0], chosen.device, Path(chosen.alone[1]))
        return 0
    names = chosen.parts.split(",") if chosen.parts else list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        options.error(f"no part is named {', '.join(unknown)}; there is: {', '.join(PARTS)}")
    if chosen.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            options.error("PyTorch sees no CUDA GPU here; --device cpu runs what a CPU can run")
    reports: list[dict[str, Any]] = []
    for name in names:
        report = reported(name, chosen.device, chosen.minutes)
        reports.append(report)
        chosen.output.write_text(json.dumps(reports, indent=1) + "\n")
        reason = report.get("reason", "")
        print(
            f"{SIGNS[report['status']]:7}{name:20}{report['seconds']:7.1f} s  {reason[:300]}",
            flush=True,
        )
    failed = [report["part"] for report in reports if report["status"] == "failed"]
    print(f"{len(reports)} parts, {len(failed)} failed; {chosen.output} has what they found")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
