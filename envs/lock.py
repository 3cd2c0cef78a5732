"""Write requirements.lock from the environment, and limaflow.yaml with the same pins for conda."""

import re
from importlib.metadata import distributions
from pathlib import Path

HERE = Path(__file__).parent
OWN = {"limaflow", "pip"}


def pins() -> list[str]:
    """`name==version` of every installed distribution, without a build tag such as +cpu."""
    found = {d.name: re.sub(r"\+.*", "", d.version) for d in distributions()}
    return sorted(
        (f"{name}=={version}" for name, version in found.items() if name not in OWN),
        key=str.lower,
    )


def conda_file(lines: list[str]) -> str:
    """The pins as a conda environment file; pip installs them inside it."""
    head = (
        "# The pins of requirements.lock for `snakemake --sdm conda`; `make lock` writes both.\n"
        "channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n"
        "  # Triton, DeepSpeed and torch.compile compile while a program runs.\n"
        "  - gcc\n  - gxx\n  - pip\n  - pip:\n"
    )
    return head + "".join(f"      - {line}\n" for line in lines)


if __name__ == "__main__":
    lines = pins()
    (HERE / "requirements.lock").write_text(
        "# Every package of the environment, exactly; `make lock` writes it anew from .venv.\n"
        + "".join(f"{line}\n" for line in lines)
    )
    (HERE / "limaflow.yaml").write_text(conda_file(lines))
