"""The paper's own claims, held against what we measured."""

from limaflow.analysis.claims import (
    WINS_RULE,
    Claim,
    Evidence,
    Measured,
    cited,
    comparisons_with,
    judged,
    of_the_paper,
    wins_over,
)
from limaflow.analysis.decision_rules import above, no_loss, within
from limaflow.analysis.epochs import spearman
from limaflow.analysis.paper import Paper
from limaflow.measures.summaries import mirrored


def paper_claims(evidence: Evidence, paper: Paper) -> list[Claim]:
    """The claims in the order of the report; one without data is in the list as not tested."""
    return [
        _preferred_to_base(evidence, paper),
        _quantity(evidence, paper),
        _quality(evidence, paper),
        _perplexity(evidence, paper),
        _agreement(evidence, paper),
        *_strong_baselines(evidence, paper),
    ]


def _preferred_to_base(evidence: Evidence, paper: Paper) -> Claim:
    return judged(
        wins_over(evidence, evidence.roles.base),
        id="preferred-to-base",
        origin="paper",
        statement="Tuning on few curated examples gives better answers than the untuned base.",
        paper="implied; the paper shows no comparison with the untuned base",
        source=of_the_paper(paper, "Section 1", "?"),
        rule=WINS_RULE,
        missing="no comparison of the LIMA arm with an untuned base",
    )


def _quantity(evidence: Evidence, paper: Paper) -> Claim:
    sweep = [row for row in paper.likert.rows if row.label.startswith("filtered")]
    margin = _quality_effect(paper) / 2
    return judged(
        [
            Measured(
                label=f"grade of {evidence.roles.lima} minus {gap.arm}, judge {gap.judge}, "
                f"{gap.prompts} prompts",
                interval=gap.difference,
                decision=within(gap.difference, -margin, margin),
            )
            for gap in evidence.gaps
            if gap.arm in evidence.roles.ablation
        ],
        id="quantity",
        origin="paper",
        statement="The number of examples matters little once they are good and diverse.",
        paper=f"{sweep[0].mean:g} with {sweep[0].examples:,} to {sweep[-1].mean:g} with "
        f"{sweep[-1].examples:,} examples (grades 1–6)",
        source=of_the_paper(paper, "Figure 6", paper.likert.mark),
        rule=f"supported if the whole interval lies within ±{margin:g} grades, half the effect "
        "that the paper reports for filtering (Figure 5)",
        missing="no graded arm is tuned on another number of examples",
    )


def _quality(evidence: Evidence, paper: Paper) -> Claim:
    return judged(
        [
            Measured(
                label=f"grade of {evidence.roles.lima} minus {gap.arm}, judge {gap.judge}, "
                f"{gap.prompts} prompts",
                interval=gap.difference,
                decision=above(gap.difference, 0),
            )
            for gap in evidence.gaps
            if gap.arm in evidence.roles.unfiltered
        ],
        id="quality",
        origin="paper",
        statement="Filtered examples give better answers than as many unfiltered ones.",
        paper=f"+{_quality_effect(paper):g} grades (1–6)",
        source=of_the_paper(paper, "Figure 5", paper.likert.mark),
        rule="supported if the whole interval lies above 0",
        missing="no graded arm is tuned on unfiltered examples",
    )


def _quality_effect(paper: Paper) -> float:
    """Filtered minus unfiltered Stack Exchange, in grades (Figure 5)."""
    means = {row.label: row.mean for row in paper.likert.rows}
    filtered, raw = "filtered Stack Exchange, 2K", "unfiltered Stack Exchange, 2K"
    return round(means[filtered] - means[raw], 2)


def _perplexity(evidence: Evidence, paper: Paper) -> Claim:
    rows = paper.epochs.rows
    theirs = spearman([row.perplexity for row in rows], [row.quality for row in rows])
    lowest = min(rows, key=lambda row: row.perplexity)
    found = evidence.after_lowest
    rose = found is not None and found.lowest < found.last
    return judged(
        [
            Measured(
                label=f"grade after epoch {found.last} minus after epoch {found.lowest}, where "
                f"perplexity is lowest, {found.prompts} prompts; rank correlation of perplexity "
                f"and grade over {found.epochs} epochs {found.correlation:+.2f}",
                interval=found.difference,
                decision=above(found.difference, 0),
            )
        ]
        if found is not None and rose
        else [],
        id="perplexity",
        origin="paper",
        statement="Answers go on getting better while perplexity on held-out answers gets worse, "
        "so perplexity cannot choose the checkpoint.",
        paper=f"{rows[-1].quality - lowest.quality:+.2f} grades from the lowest perplexity to the "
        f"last step; rank correlation {theirs:+.2f} over {len(rows)} points",
        source=of_the_paper(paper, paper.epochs.place, "D"),
        rule="supported if the whole interval of the difference in grade lies above 0",
        missing="perplexity is lowest at the last judged epoch"
        if found is not None
        else "fewer than two epochs have both a perplexity and judged dev answers",
    )


AGREEMENT_MARGIN = 0.05


def _agreement(evidence: Evidence, paper: Paper) -> Claim:
    crowd, model, authors = (
        paper.values[f"agreement-{pair}"] for pair in ("crowd-crowd", "crowd-gpt", "author-gpt")
    )
    return judged(
        [
            Measured(
                label=f"tie-discounted accuracy of {row.first} with {row.second} "
                f"({row.tie_discounted.estimate:.2f}) minus that among {row.first}, "
                f"{row.items} items",
                interval=row.minus_first,
                decision=no_loss(row.minus_first, AGREEMENT_MARGIN),
            )
            for row in evidence.agreements
            if (row.relation, row.first, row.second) == ("between", "people", "models")
            and row.minus_first is not None
        ],
        id="agreement",
        origin="paper",
        statement="The model that annotates agrees with people about as well as people do with "
        "each other.",
        paper=f"crowd and crowd {crowd.text}, crowd and GPT-4 {model.text}, authors and GPT-4 "
        f"{authors.text}",
        source=cited(model),
        rule=f"supported if the whole interval lies above −{AGREEMENT_MARGIN:g}; contradicted if "
        "it lies below 0",
        missing="no two people and a model judged the same pairs",
    )


def _strong_baselines(evidence: Evidence, paper: Paper) -> list[Claim]:
    """One claim a bar of Figures 1 and 2: LIMA is at least as good in so many prompts."""
    claims = []
    for row in paper.preferences.rows:
        share = (row.win + row.tie) / 100
        half = 1.96 * (share * (1 - share) / paper.preferences.prompts) ** 0.5
        measured = [
            Measured(
                label=f"wins + ties against {p.second}, judge {p.judge}, {p.prompts} prompts",
                interval=mirrored(p.lose),
                decision=above(mirrored(p.lose), share - half),
            )
            for p in comparisons_with(evidence, row.arms)
        ]
        claims.append(
            judged(
                measured,
                id=f"baseline-{row.arms[0]}-{row.annotator.lower()}",
                origin="paper",
                statement=f"LIMA is at least as good as {row.baseline} in {share:.0%} of prompts "
                f"(annotated by {row.annotator}).",
                paper=f"{row.win:g} / {row.tie:g} / {row.lose:g} % win / tie / lose",
                source=of_the_paper(paper, row.place, paper.preferences.mark),
                rule=f"supported if the whole interval lies above {share - half:.2f}, the lower "
                f"end of the paper's own 95 % interval ({paper.preferences.prompts} prompts)",
                missing=f"no arm is named {' or '.join(row.arms)}",
            )
        )
    return claims
