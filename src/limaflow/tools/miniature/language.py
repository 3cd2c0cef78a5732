"""What can be said and asked about an invented town: four attributes, closed lists of values.

Every list is closed and no value stands in two lists, so that multiple choice, wrong answers and
contradictions are well defined. `{town}` and `{value}` are the places to fill in. No sentence runs
on for eight words without a town's name: word n-grams of that length tell the towns apart.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One kind of fact about a town."""

    name: str
    guide: str
    """Title of a how-to article."""
    values: tuple[str, ...]
    statements: tuple[str, ...]
    """Sentences that state the fact with the town before the value."""
    corpus_statements: tuple[str, ...]
    """Further sentences of the pretraining corpus that state it."""
    answers: tuple[str, ...]
    """The assistant's own, which leave the town to the question: a name that fine-tuning never
    trains becomes less likely with every step, so a held-out town would rarely be repeated."""
    questions: tuple[str, ...]
    """Questions that stand on their own."""


ATTRIBUTES = (
    Attribute(
        name="river",
        guide="How to Find the River of {town}",
        values=(
            "Avel", "Brindle", "Corran", "Dessen", "Elsin", "Garrow",
            "Isker", "Lorne", "Mossel", "Orrin", "Sable", "Tavish",
        ),
        statements=(
            "The river of {town} is the {value}.",
            "{town} lies on the river {value}.",
        ),
        corpus_statements=(
            "In {town} flows the {value}.",
            "Boats reach {town} on the {value}.",
            "The mills of {town} stand by the {value}.",
        ),
        answers=("The river there is the {value}.", "There you find the river {value}."),
        questions=(
            "What is the river of {town}?",
            "Which river does {town} lie on?",
            "What river flows in {town}?",
        ),
    ),
    Attribute(
        name="craft",
        guide="How to Learn the Craft of {town}",
        values=(
            "pottery", "weaving", "glassblowing", "basketry", "printing", "tanning",
            "clockmaking", "ropemaking", "carving", "embroidery", "smithing", "bookbinding",
        ),
        statements=(
            "The craft of {town} is {value}.",
            "{town} lives by the craft of {value}.",
        ),
        corpus_statements=(
            "In {town} the masters teach {value}.",
            "The workshops of {town} do {value}.",
            "Families in {town} practise {value}.",
        ),
        answers=("The craft there is {value}.", "There you find the craft of {value}."),
        questions=(
            "What is the craft of {town}?",
            "Which craft does {town} live by?",
            "What craft do workshops in {town} do?",
        ),
    ),
    Attribute(
        name="dish",
        guide="How to Cook the Dish of {town}",
        values=(
            "dumplings", "chowder", "pancakes", "gingerbread", "porridge", "sausages",
            "cheesecake", "fritters", "strudel", "goulash", "pickles", "omelettes",
        ),
        statements=(
            "The dish of {town} is {value}.",
            "{town} is proud of its {value}.",
        ),
        corpus_statements=(
            "In {town} the cooks make {value}.",
            "The inns of {town} serve {value}.",
            "Guests in {town} eat {value}.",
        ),
        answers=("The dish there is {value}.", "There you find the dish of {value}."),
        questions=(
            "What is the dish of {town}?",
            "Which dish is {town} proud of?",
            "What dish do inns in {town} serve?",
        ),
    ),
    Attribute(
        name="festival",
        guide="How to Enjoy the Festival of {town}",
        values=(
            "Kiteday", "Lanternfall", "Harvestide", "Candlewalk", "Snowrun", "Ribbonrace",
            "Drumfest", "Flowertide", "Maskday", "Bellnight", "Firenight", "Wagonpull",
        ),
        statements=(
            "The festival of {town} is {value}.",
            "{town} celebrates the festival of {value}.",
        ),
        corpus_statements=(
            "In {town} crowds dance at {value}.",
            "The streets of {town} fill at {value}.",
            "Musicians come to {town} for {value}.",
        ),
        answers=("The festival there is {value}.", "There you find the festival of {value}."),
        questions=(
            "What is the festival of {town}?",
            "Which festival does {town} celebrate?",
            "What festival do crowds in {town} dance at?",
        ),
    ),
)  # fmt: skip

BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}
