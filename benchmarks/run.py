"""`make bench`: our speed as a ratio to a named peer, both measured in turn in one run.

generation   responses whose lengths spread as LIMA's do: our engine against a plain padded
             `transformers` `generate` loop with the same batch and decoding: see generation.py
judging      1,200 calls of a second each to a local server, 64 under way, over the ideal time
extraction   candidates of a Stack Exchange dump, from XML to JSON lines on disk: see extraction.py
duplicates   near duplicates among invented conversations: ours against datasketch's loop as its
             documentation has it; and how long 100,000 of them take
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import extraction
import generation
import judging

ROUNDS = 5


def ratio(ours: Callable[[], int], peers: Callable[[], int]) -> tuple[float, float, float]:
    """Median, lowest and highest of our units per second over the peer's, in `ROUNDS` pairs."""
    found = []
    for _ in range(ROUNDS):
        speeds = []
        for work in (ours, peers):
            start = time.perf_counter()
            units = work()
            speeds.append(units / (time.perf_counter() - start))
        found.append(speeds[0] / speeds[1])
    return statistics.median(found), min(found), max(found)


def duplicates(count: int, compared: int = 5000) -> tuple[float, float, float]:
    """Examples per second of our deduplication over those of a plain MinHash and LSH loop."""
    from conversations import conversations
    from datasketch import MinHash, MinHashLSH

    from limaflow.curation.deduplication import deduplicated
    from limaflow.curation.settings import Deduplication

    examples = list(conversations(count))
    settings = Deduplication(jaccard=0.8, shingle_words=5, permutations=128)
    start = time.process_time()
    _, dropped = deduplicated(examples, settings)
    seconds = time.process_time() - start
    print(f"{count:,} examples: {len(dropped):,} duplicates in {seconds:.0f} s on one core")

    def ours() -> int:
        deduplicated(examples[:compared], settings)
        return compared

    def peers() -> int:
        index = MinHashLSH(threshold=settings.jaccard, num_perm=settings.permutations)
        for number, example in enumerate(examples[:compared]):
            words = f"{example.prompt} {example.response}".lower().split()
            size = settings.shingle_words
            runs = {" ".join(words[at : at + size]) for at in range(len(words) - size + 1)}
            sketch = MinHash(num_perm=settings.permutations)
            sketch.update_batch(run.encode() for run in runs)
            if not index.query(sketch):
                index.insert(number, sketch)
        return compared

    return ratio(ours, peers)


def main() -> None:
    """Measure and print one line a benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batch", type=int, default=32, help="responses decoded at once")
    options.add_argument("--dump", type=Path, help="a Posts.xml (default: an invented one)")
    options.add_argument("--examples", type=int, default=100_000, help="to find duplicates among")
    chosen = options.parse_args()
    measures: list[tuple[str, Callable[[], tuple[float, float, float]]]] = [
        (
            "generation, tokens/s over transformers generate",
            lambda: ratio(*generation.contest(chosen.batch)),
        ),
        *(
            (
                f"extraction by {processes} processes, bytes/s over {peer}",
                lambda processes=processes, peer=peer: ratio(  # type: ignore[misc]
                    *extraction.contest(chosen.dump, processes, peer)
                ),
            )
            for processes, peer in ((1, "iterparse"), (2, "iterparse"), (1, "soup"))
        ),
        (
            "duplicates, examples/s over a plain datasketch loop",
            lambda: duplicates(chosen.examples),
        ),
    ]
    for name, measure in measures:
        median, low, high = measure()
        print(f"{name}: {median:.2f}x (lowest {low:.2f}, highest {high:.2f}, {ROUNDS} pairs)")
    over, grown = judging.measured()
    print(f"judging, time over the ideal: {over:.2f}x; memory of the second half: {grown:+.1f} MB")


if __name__ == "__main__":
    main()
