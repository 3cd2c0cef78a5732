"""The code that runs and the machine it runs on, as a record names them."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from limaflow.manifests import sha256_of
from limaflow.recording.record import Code, Machine

PACKAGES = (
    "limaflow",
    "torch",
    "transformers",
    "deepspeed",
    "peft",
    "lm-eval",
    "datasets",
    "openai",
    "numpy",
    "scipy",
    "matplotlib",
    "snakemake",
)
PACKAGE = Path(__file__).parent.parent
CHECKOUT = PACKAGE.parent.parent


def package_versions() -> dict[str, str]:
    """Installed version of each package that shapes a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def code_now() -> Code:
    """The code as it lies on the disk now: to be asked at the start of a job."""
    lock = CHECKOUT / "envs" / "requirements.lock"
    return Code(
        revision=_revision(),
        source=_source(),
        lock=sha256_of(lock) if lock.is_file() else "",
        packages=package_versions(),
    )


def _revision() -> str:
    if not (CHECKOUT / ".git").exists():
        return ""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _source() -> str:
    hasher = hashlib.sha256()
    for folder, folders, names in os.walk(PACKAGE):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            hasher.update(f"{path.relative_to(PACKAGE)}\0".encode())
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def machine_now() -> Machine:
    """This machine, as far as this process may use it."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        gpus=_gpus(),
        processes=int(os.environ.get("WORLD_SIZE", "1")),
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor()


def _gpus() -> tuple[str, ...]:
    """Those that torch may use, where the job has loaded it: another job has no use for any."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
