"""Objections of later work to the paper, held against what we measured."""

from limaflow.analysis.claims import WINS_RULE, Claim, Evidence, Measured, cited, judged, wins_over
from limaflow.analysis.decision_rules import above, no_loss, within
from limaflow.analysis.paper import Paper


def objections(evidence: Evidence, paper: Paper) -> list[Claim]:
    """The objections in the order of the report; one without data is in the list as not tested."""
    return [
        _preferred_to_in_context(evidence, paper),
        _no_tax(evidence, paper),
        _preference_is_not_knowledge(evidence, paper),
        _order_matters(evidence, paper),
    ]


def _preferred_to_in_context(evidence: Evidence, paper: Paper) -> Claim:
    shots = paper.values["in-context-examples"]
    return judged(
        wins_over(evidence, evidence.roles.in_context),
        id="preferred-to-in-context",
        origin="objection",
        statement="Tuning does more than a few examples put before the question of a base.",
        paper=f"doubted: a base with {shots.text} in its prompt comes close to tuned models",
        source=cited(shots),
        rule=WINS_RULE,
        missing="no comparison of the LIMA arm with an untuned base prompted in context",
    )


def _no_tax(evidence: Evidence, paper: Paper) -> Claim:
    margin = evidence.tax_margin
    worst, best = paper.values["tax-worst"], paper.values["tax-best"]
    return judged(
        [
            Measured(
                label=f"{row.task} ({row.metric}), {row.items} items, tuned minus base",
                interval=row.difference,
                decision=no_loss(row.difference, margin),
            )
            for row in evidence.tax
            if row.arm == evidence.roles.lima
        ],
        id="no-tax",
        origin="objection",
        statement="Tuning on few examples costs nothing on benchmarks: there is no alignment tax.",
        paper=f"not measured by the paper; later from {worst.text} to +{best.text}",
        source=f"{cited(worst)}; {cited(best)}",
        rule="contradicted if a task's whole interval lies below 0; supported if every interval "
        f"lies above −{margin:g}",
        missing="the LIMA arm and its base have no benchmark results",
    )


def _preference_is_not_knowledge(evidence: Evidence, paper: Paper) -> Claim:
    preferred, accurate = (
        paper.values["gsm8k-style-preferred"],
        paper.values["gsm8k-style-examples"],
    )
    wins = wins_over(evidence, evidence.roles.base)
    gains = [
        Measured(
            label=f"{row.task} ({row.metric}), tuned minus base",
            interval=row.difference,
            decision=within(row.difference, -1, evidence.tax_margin),
        )
        for row in evidence.tax
        if row.arm == evidence.roles.lima
    ]
    return judged(
        [*wins, *gains] if wins and gains else [],
        id="preference-is-not-knowledge",
        origin="objection",
        statement="A model can be preferred without being any more accurate.",
        paper=f"preferred in {preferred.text}, accurate in {accurate.text} of {accurate.place}",
        source=cited(preferred),
        rule="supported if wins + ½ ties against the base lie above 0.5 and no benchmark gains "
        f"more than {evidence.tax_margin:g}, each by its whole interval",
        missing="needs both a comparison with the base and benchmark results",
    )


def _order_matters(evidence: Evidence, paper: Paper) -> Claim:
    value = paper.values["same-verdict-after-swap"]
    bound = (value.high or 0) / 100
    return judged(
        [
            Measured(
                label=f"same verdict in both orders, {p.comparison}, judge {p.judge}",
                interval=p.position_consistency,
                decision=above(p.position_consistency, bound),
            )
            for p in evidence.preferences
            if p.position_consistency is not None
        ],
        id="order",
        origin="objection",
        statement="Our judge keeps its verdict when the two answers swap places more often than "
        "GPT-4 is reported to.",
        paper=f"the same verdict in {value.text}",
        source=cited(value),
        rule=f"supported if every whole interval lies above {bound:g}",
        missing="no comparison was judged in both orders",
    )
