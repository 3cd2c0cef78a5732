"""Where the numbers come from: configuration, checksums of data and models."""

import re

import yaml

from limaflow.config.experiment import Config
from limaflow.jsonl import read_json
from limaflow.records import ModelManifest
from limaflow.results import Results


def configuration(config: Config) -> str:
    """The whole configuration as YAML, without passwords that a URL may hold."""
    text = yaml.safe_dump(
        config.as_written.model_dump(mode="json"), sort_keys=False, allow_unicode=True
    )
    return re.sub(r"(://)[^/@\s]+@", r"\1…@", text)


def checksums(results: Results, config: Config) -> dict[str, dict[str, str]]:
    """What it is → file → SHA-256, of the models' and the frozen data sets' files."""
    manifests = {"base model": results.base_model} | {
        f"model of arm {arm.name}": results.chosen_model(arm.name) for arm in config.arms
    }
    found = {
        name: read_json(path, ModelManifest).sha256
        for name, path in manifests.items()
        if path.is_file()
    }
    for dataset in config.datasets:
        sums = results.frozen_checksums(dataset.name)
        if sums.is_file():
            lines = [line.split(maxsplit=1) for line in sums.read_text("utf-8").splitlines()]
            found[f"data set {dataset.name}"] = {
                line[1].lstrip("*"): line[0] for line in lines if len(line) == 2
            }
    return found
