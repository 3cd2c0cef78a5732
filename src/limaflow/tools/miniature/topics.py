"""Which source asks about which fact: every fact of the world goes to one source.

Training sources share the facts of the towns that are not held out; the prompts of dev and test
share those of the held-out towns. No fact is asked about twice, so whatever a model knows of a
held-out town it knows from pretraining.
"""

from dataclasses import dataclass

from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES, Attribute
from limaflow.tools.miniature.towns import Town


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Stack Exchange site: the attribute it is about, and its share of the towns asked about."""

    name: str
    source: str
    attribute: str
    share: float


SITES = (
    Site(name="hydrology", source="stackexchange-stem", attribute="river", share=0.35),
    Site(name="engineering", source="stackexchange-stem", attribute="craft", share=0.27),
    Site(name="sailing", source="stackexchange-stem", attribute="river", share=0.2),
    Site(name="cooking", source="stackexchange-other", attribute="dish", share=0.35),
    Site(name="folklore", source="stackexchange-other", attribute="festival", share=0.27),
    Site(name="travel", source="stackexchange-other", attribute="festival", share=0.2),
)
_TRAINING_SHARES = {
    "wikihow": 0.33,
    "writingprompts": 0.25,
    "natural-instructions": 0.09,
    "authored-a": 0.33,
}
_PROMPT_SHARES = {"authored-a-dev": 0.15, "askreddit": 28 / 240, "authored-b": 0.3}


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What one question is about: one fact of one town."""

    town: Town
    attribute: Attribute

    @property
    def value(self) -> str:
        """The right answer."""
        return self.town.facts[self.attribute.name]


def assign_topics(towns: tuple[Town, ...], seed: int) -> dict[str, list[Topic]]:
    """Source or site → the topics of its questions, in random order."""
    result: dict[str, list[Topic]] = {}
    rest: list[Topic] = []
    for attribute in ATTRIBUTES:
        own = [Topic(town=town, attribute=attribute) for town in towns if not town.held_out]
        generator_for(seed, "handing out", attribute.name).shuffle(own)
        count, start = len(own), 0
        for site in SITES:
            if site.attribute == attribute.name:
                end = start + round(count * site.share)
                result[site.name], start = own[start:end], end
        rest += own[start:]
    result |= _shared(rest, _TRAINING_SHARES, seed, "training")
    held_out = [
        Topic(town=town, attribute=attribute)
        for town in towns
        if town.held_out
        for attribute in ATTRIBUTES
    ]
    result |= _shared(held_out, _PROMPT_SHARES, seed, "prompts")
    asked = sum(len(result[source]) for source in _PROMPT_SHARES)
    # `_shared` has put them in order and taken the first ones.
    return result | {"forms": held_out[asked:]}


def _shared(
    topics: list[Topic], shares: dict[str, float], seed: int, purpose: str
) -> dict[str, list[Topic]]:
    generator_for(seed, "handing out", purpose).shuffle(topics)
    result, start = {}, 0
    for source, share in shares.items():
        count = round(len(topics) * share)
        result[source] = topics[start : start + count]
        start += count
    return result
