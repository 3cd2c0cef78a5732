"""The typed configuration from merged YAML, all mistakes reported together."""

from typing import Any

from limaflow.config.consistency import circular, impossible, repeated_names, unknown_names
from limaflow.config.experiment import Config
from limaflow.config.listed_values import recorded_of_several, with_each_arm
from limaflow.config.published_rows import with_published_rows
from limaflow.config.training_seeds import taken_names, with_further_seeds
from limaflow.errors import InputError
from limaflow.mistakes import validated


def parse(raw: dict[str, Any], origin: str = "configuration") -> Config:
    """The typed configuration from merged YAML.

    Raises:
        InputError: lists every mistake with the key's path and, for a typo, the nearest key.
    """
    config = validated(Config, raw, origin)
    if config.curation.dataset == "released":
        config = with_published_rows(config)
    ambiguous = recorded_of_several(config)
    config = with_each_arm(config)
    problems = [
        *ambiguous,
        *repeated_names(config),
        *taken_names(config),
        *unknown_names(config),
        *circular(config),
        *impossible(config),
    ]
    if problems:
        raise InputError(f"{origin}: not valid:\n  {'; '.join(problems)}")
    return with_further_seeds(config)
