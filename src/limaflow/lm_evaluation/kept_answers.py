"""Under which name a model's answers to requests are kept."""

from importlib.metadata import version
from pathlib import Path

from limaflow.manifests import content_of
from limaflow.seeds import digest

PACKAGES = ("lm-eval", "transformers", "torch", "datasets")


def identity(manifest_path: Path, precision: str, commit: str | None) -> str:
    """All of a model that an answer to a request depends on; the batch does not count."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    packages = {package: version(package) for package in PACKAGES}
    return digest(content_of(manifest_path), commit, precision, "fp32 softmax", device, packages)
