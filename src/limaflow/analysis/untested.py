"""Claims that this workflow holds no data for yet: listed with the reason, so that none is lost."""

from limaflow.analysis.claims import Claim, cited
from limaflow.analysis.paper import Paper


def untested_claims(paper: Paper) -> list[Claim]:
    """Each claim with its value and why nothing here speaks to it."""
    v = paper.values
    rows = [
        (
            "safety",
            "paper",
            "A handful of refusals in the training set makes most answers to sensitive prompts "
            "safe.",
            f"{v['safe-responses'].text} of {v['safe-prompts'].text}",
            cited(v["safe-responses"]),
            "the prompts do not tell which of them are sensitive",
        ),
        (
            "dialogue",
            "paper",
            "A few dialogues added to the training set make multi-turn answers much better.",
            f"excellent turns from {v['dialogue-excellent-without'].text} to "
            f"{v['dialogue-excellent-with'].text} with {v['dialogues'].text}",
            cited(v["dialogue-excellent-with"]),
            "no multi-turn conversations were held",
        ),
        (
            "format-constraints",
            "paper",
            "A handful of examples with constraints on form teaches the model to keep to such.",
            f"{v['format-examples'].text} in the training set",
            cited(v["format-examples"]),
            "no arm leaves such examples out",
        ),
        (
            "token-shift",
            "objection",
            "Tuning changes mostly words of style: the tuned model's next word is nearly always "
            "the base's first choice.",
            f"{v['unshifted-tokens'].text} of the tokens ({v['unshifted-tokens'].place})",
            cited(v["unshifted-tokens"]),
            "ranks of the tuned model's tokens in the base are not measured",
        ),
        (
            "longest-examples",
            "objection",
            "Simply taking the longest examples of a large set does as well as curating.",
            f"the longest 1,000 of Alpaca win {v['longest-alpaca-wins'].text} against LIMA",
            cited(v["longest-alpaca-wins"]),
            "no arm is tuned on the longest examples of a large set",
        ),
    ]
    return [
        Claim(
            id=name,
            origin=origin,
            statement=statement,
            paper=value,
            source=source,
            rule="",
            verdict="not tested here",
            reason=reason,
        )
        for name, origin, statement, value, source, reason in rows
    ]
