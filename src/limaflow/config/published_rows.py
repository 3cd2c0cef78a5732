"""The rows that the paper's authors published, in place of what is drawn from sources."""

from limaflow.config.experiment import MAY_BE_REFUSED, Config
from limaflow.curation.settings import PromptDraw, Prompts
from limaflow.errors import InputError
from limaflow.sources.settings import SOURCE_BLOCKS

RELEASED, RELEASED_TEST = "released", "released-test"


def with_published_rows(config: Config) -> Config:
    """The configuration with the published rows in place of what is drawn.

    Dev prompts were not published: they are held out of the training rows, unless brought.
    """
    drawn = [
        dataset.name
        for dataset in config.datasets
        if dataset.examples is not None and dataset.prompts == "kept" and not dataset.without
    ]
    if len(drawn) > 1:
        raise InputError(
            f"curation.dataset: the published rows are one data set, {', '.join(drawn)} are drawn"
        )
    train, prompts = config.curation.released.shards()
    sources = [source for source in config.sources if source.kind != "released"] + [
        SOURCE_BLOCKS["released"](name=RELEASED, kind="released", shards=train),
        SOURCE_BLOCKS["released"](name=RELEASED_TEST, kind="released", shards=prompts),
    ]
    datasets = [
        dataset if dataset.path else dataset.model_copy(update={"examples": {RELEASED: "all"}})
        for dataset in config.datasets
    ]
    number = sum(draw.examples or 0 for draw in config.prompts.dev)
    dev = [draw for draw in config.prompts.dev if draw.path]
    dev += [PromptDraw(source=RELEASED, examples=number)] if number else []
    # Whether requests are refused is asked beside the published prompts, not in place of them.
    beside = {source.name for source in config.sources if source.kind in MAY_BE_REFUSED}
    test = [draw for draw in config.prompts.test if draw.path or draw.source in beside]
    wanted = sum(draw.examples or 0 for draw in config.prompts.test if draw not in test)
    test += [PromptDraw(source=RELEASED_TEST, examples=wanted)] if wanted else []
    return config.model_copy(
        update={"sources": sources, "datasets": datasets, "prompts": Prompts(dev=dev, test=test)}
    )
