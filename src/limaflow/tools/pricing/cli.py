"""`limaflow judge price`: what the judges and endpoints of an experiment would cost."""

from pathlib import Path
from typing import Annotated

import typer


def print_prices(
    files: Annotated[list[Path], typer.Argument(help="config.yaml and overlays, later ones win.")],
    results: Annotated[
        Path | None, typer.Option(help="The experiment's results; by default results/NAME.")
    ] = None,
) -> None:
    """What an experiment's judges and endpoints would cost, as far as it has come; asks nobody."""
    from limaflow.config.loading import parse
    from limaflow.config.merge_configs import merged
    from limaflow.endpoints.spending import unsettled
    from limaflow.endpoints.store import Store
    from limaflow.tools.pricing.experiment import prices_of

    config = parse(merged(files), origin=" + ".join(map(str, files)))
    prices, unpriced = prices_of(config, results or Path("results") / config.experiment)
    for price in prices:
        print(price.line())
    print(
        f"together: {sum(p.to_ask for p in prices):,} questions to ask, cost "
        f"{sum(p.cost for p in prices):.2f}, at most {sum(p.cost_at_most for p in prices):.2f}"
    )
    if unpriced:
        print(f"not priced, since responses are not there yet: {'; '.join(unpriced)}")
    if Path(config.judging.store).exists():
        with Store(Path(config.judging.store)) as store:
            spent, reserved = store.spent(config.experiment), store.reserved(config.experiment)
        print(f"so far: {spent.of(config.judging.budget)}")
        if besides := unsettled(reserved):
            print(f"besides: {besides}")
