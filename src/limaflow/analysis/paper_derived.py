"""Numbers that follow from the paper's values, by the names that claims use for them."""

from limaflow.analysis.epochs import spearman
from limaflow.analysis.paper import Paper
from limaflow.analysis.replication import Margin, replication_margin


def derived(paper: Paper) -> dict[str, float | Margin]:
    """Name → number, shares from 0 to 1; or the margin around a share."""
    return {
        **_likert(paper),
        **_perplexity(paper),
        **_outputs(paper),
        **_named_bars(paper),
        "half-effect-of-dialogues": round(
            (
                (paper.values["dialogue-excellent-with"].value or 0)
                - (paper.values["dialogue-excellent-without"].value or 0)
            )
            / 200,
            3,
        ),
        "half-unsafe-malicious": round(
            (
                1
                - (paper.values["safe-malicious"].value or 0)
                / (paper.values["malicious-prompts"].value or 1)
            )
            / 2,
            3,
        ),
        "most-same-verdicts": (paper.values["same-verdict-after-swap"].high or 0) / 100,
    }


def bars(paper: Paper) -> list[dict[str, object]]:
    """The bars of Figures 1 and 2 as names of texts and bounds; `each` are the arms of a bar.

    `share` is where LIMA wins or ties, `margin` how far from it another share counts as the same.
    """
    prompts, annotators = paper.preferences.prompts, paper.preferences.annotators
    found: list[dict[str, object]] = []
    for row in paper.preferences.rows:
        share = (row.win + row.tie) / 100
        found.append(
            {
                "arm": row.arms[0],
                "arms": " or ".join(row.arms),
                "each": row.arms,
                "kinds": [annotators[row.annotator].kind],
                "judge_models": list(annotators[row.annotator].models),
                "arm_models": list(paper.preferences.models.get(row.baseline, ())),
                "annotator": row.annotator,
                "by": row.annotator.lower(),
                "baseline": row.baseline,
                "figure": row.place,
                "mark": paper.preferences.mark,
                "win": row.win,
                "tie": row.tie,
                "lose": row.lose,
                "share": share,
                "margin": replication_margin(share, prompts),
                "prompts": prompts,
            }
        )
    return found


def _named_bars(paper: Paper) -> dict[str, float]:
    """The shares of each bar in percent, as `win-gpt-4-humans`."""
    found: dict[str, float] = {}
    for row in paper.preferences.rows:
        bar = f"{row.arms[0]}-{row.annotator.lower()}"
        shares = {"win": row.win, "tie": row.tie, "lose": row.lose, "win-or-tie": row.win + row.tie}
        found |= {f"{name}-{bar}": share for name, share in shares.items()}
    return found


def _likert(paper: Paper) -> dict[str, float]:
    rows = {row.label: row for row in paper.likert.rows}
    filtered, raw = "filtered Stack Exchange, 2K", "unfiltered Stack Exchange, 2K"
    effect = round(rows[filtered].mean - rows[raw].mean, 2)
    sweep = [row for label, row in rows.items() if label.startswith("filtered")]
    return {
        "effect-of-filtering": effect,
        "effect-of-diversity": round(rows[filtered].mean - rows["wikiHow, 2K"].mean, 2),
        "half-effect-of-filtering": effect / 2,
        "fewest-grade": sweep[0].mean,
        "fewest-examples": sweep[0].examples,
        "most-grade": sweep[-1].mean,
        "most-examples": sweep[-1].examples,
    }


def _perplexity(paper: Paper) -> dict[str, float]:
    rows = paper.epochs.rows
    lowest = min(rows, key=lambda row: row.perplexity)
    return {
        "gain-after-lowest-perplexity": rows[-1].quality - lowest.quality,
        "perplexity-correlation": spearman(
            [row.perplexity for row in rows], [row.quality for row in rows]
        ),
        "perplexity-points": len(rows),
    }


def _outputs(paper: Paper) -> dict[str, float | Margin]:
    excellent, passing = (
        paper.values[f"outputs-{word}"].value or 0 for word in ("excellent", "pass")
    )
    prompts = paper.values["outputs-prompts"].value or 1
    shares = {"excellent": excellent / 100, "passing": (excellent + passing) / 100}
    return {
        "outputs-sample": prompts,
        **{f"share-{word}": share for word, share in shares.items()},
        **{f"margin-{word}": replication_margin(s, prompts) for word, s in shares.items()},
    }
