"""Where the files of an experiment lie: every path below `results/<experiment>/`, in one place.

The root may be a folder or Snakemake's `<results>`, so that rules and commands name the same files.
"""

from dataclasses import dataclass
from pathlib import Path

from limaflow.records import Split


@dataclass(frozen=True)
class Results:
    """The files of one experiment, by what they hold."""

    root: Path

    def candidates(self, source: str, shard: str) -> Path:
        return self.root / f"curation/candidates/{source}/{shard}.jsonl"

    def extracted(self, source: str, shard: str) -> Path:
        return self.root / f"curation/extracted/{source}/{shard}.json"

    def filtered(self, source: str, shard: str) -> Path:
        return self.root / f"curation/filtered/{source}/{shard}.jsonl"

    def dropped(self, step: str) -> Path:
        """The folder of what one step of curation dropped."""
        return self.root / f"curation/dropped/{step}"

    def prompts(self, split: Split) -> Path:
        return self.root / f"curation/prompts/{split}.jsonl"

    def pool(self, name: str) -> Path:
        return self.root / f"curation/pool/{name}.jsonl"

    def contamination_of_pool(self, name: str) -> Path:
        return self.root / f"curation/contamination/{name}.jsonl"

    def contamination_of_dataset(self, name: str) -> Path:
        return self.root / f"datasets/{name}/contamination.jsonl"

    @property
    def funnel(self) -> Path:
        return self.root / "curation/funnel.json"

    def dataset(self, name: str) -> Path:
        """The folder of one data set."""
        return self.root / f"datasets/{name}"

    def frozen(self, dataset: str, split: Split) -> Path:
        return self.dataset(dataset) / f"frozen/{split}.jsonl"

    def frozen_checksums(self, dataset: str) -> Path:
        return self.dataset(dataset) / "frozen/SHA256SUMS"

    @property
    def base_model(self) -> Path:
        return self.root / "base/model.json"

    def training(self, arm: str) -> Path:
        return self.root / f"models/{arm}/training.json"

    def chosen_model(self, arm: str) -> Path:
        return self.root / f"models/{arm}/chosen.json"

    def responses(self, split: Split, arm: str) -> Path:
        """Of dev, the responses of every judged epoch of a tuned arm."""
        return self.root / f"responses/{split}/{arm}.jsonl"

    def verdicts(self, annotator: str, comparison: str) -> Path:
        return self.root / f"verdicts/{annotator}/{comparison}.jsonl"

    def grades(self, instrument: str, split: Split, annotator: str, arm: str) -> Path:
        return self.root / f"grades/{instrument}/{split}/{annotator}/{arm}.jsonl"

    def format_checks(self, arm: str) -> Path:
        return self.root / f"formats/{arm}.jsonl"

    @property
    def benchmark_texts(self) -> Path:
        return self.root / "benchmarks/texts.jsonl"

    def benchmark_items(self, arm: str) -> Path:
        return self.root / f"benchmarks/{arm}/items.jsonl"

    def benchmark_results(self, arm: str) -> Path:
        return self.root / f"benchmarks/{arm}/results.json"

    def item_grades(self, instrument: str, judge: str, arm: str) -> Path:
        """What a judge says of an arm's replies to benchmark items."""
        return self.root / f"benchmarks/{arm}/graded/{instrument}/{judge}.jsonl"

    @property
    def human_grades(self) -> Path:
        """What people say of replies to benchmark items, of all arms."""
        return self.root / "benchmarks/human_grades.jsonl"

    def shifted_tokens(self, arm: str) -> Path:
        return self.root / f"token_shift/{arm}.jsonl"

    def analysis(self, name: str) -> Path:
        """One file of statistics, such as `preferences`, `grades`, `tax`, `claims`."""
        return self.root / f"analysis/{name}.json"

    def figure(self, name: str) -> Path:
        return self.root / f"figures/{name}.svg"

    def table(self, name: str) -> Path:
        return self.root / f"tables/{name}.csv"

    @property
    def config(self) -> Path:
        return self.root / "config.json"

    def page(self, name: str) -> Path:
        return self.root / f"report/{name}.html"
