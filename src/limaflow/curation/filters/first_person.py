"""Answers in the first person ("I", "my") go.

A capital I may also be a Roman numeral or a symbol; those are recognised by what is around them.
The words read here hold no code and no formulas.
"""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

PRONOUN = re.compile(
    r"(?<![\w.&/+-])I(?![\w/&-]|\.\w)"
    r"|(?<![\w.])i(?:['’](?:m|ve|d|ll)\b| (?:am|was|think|have|had|would|know|believe|guess)\b)"
    r"|\b(?:[Mm]y|MY(?= [A-Za-z]))\b(?!\.\w|-?\w*\.(?:com|org))"
    r"(?! (?:Documents|Computer|Pictures|Music|Videos|Network|Little Pony|Fair Lady)\b)"
    r"|\b[Mm]yself\b|\bme\b(?!\.(?:com|org))|(?<!Windows )\bMe\b(?!\.(?:com|org))"
    # "To mine" is a verb and "a mine" a thing: the pronoun follows these.
    r"|\b(?:(?:[Aa]n?|[Tt]his|[Tt]hat) (?:\w+ )?\w+|one|some|\w+s) of mine\b"
    r"(?! (?:shaft|tunnel|work|site)s?)"
    r"|\bthan mine\b"
)
WINDOW = 40
"""Characters before and after a capital I that tell what it is."""
ROMAN = r"(?:[IVX]{2,}|[VX])\b"
VERB = re.compile(
    r" (?:am|was|have|had|do|did|don['’]t|didn['’]t|will|would|won['’]t|wouldn['’]t|can|can['’]t"
    r"|could|couldn['’]t|should|might|may|must|think|thought|guess|know|knew|believe|like|love"
    r"|want|wanted|wish|see|saw|find|found|use|used|say|said|feel|felt|mean|meant|need|hope"
    r"|suggest|recommend|prefer|got|get|went|made|always|never|just|also|usually|often|once"
    r"|recently|personally|learned|learnt|heard|read|tried|took|remember|wrote|worked|lived|still|only|ever|actually|really|probably|would['’]ve)\b"
)
"""What follows the pronoun and seldom a numeral."""
AFTER_NUMERAL = re.compile(
    rf"['’]s\b|\s?[-–—/,&] ?{ROMAN}|,? (?:and|or|to|through|versus|vs\.?) {ROMAN}"
    r"|[*_]{0,2}\s?[=<≈≤≥≠^×·∈⊂→]"
    r"| (?:is|isn['’]t|has|hasn['’]t|does|doesn['’]t|equals|denotes|represents)\b"
    r"| of (?:the )?[A-Z]| \(\d{3,4}\b"
)
NAMED_NUMERAL = re.compile(
    r"\b(?:War|Type|Part|Class|Phase|Volume|Vol\.|Appendix|Chapter|Section|Stage|Act|Book|Level"
    r"|Grade|Group|Figure|Fig\.|Table|Case|Article|Title|Schedule|Category|Tier|Division|Annex"
    r"|Exhibit|Theorem|Lemma|Vatican|Calculus|Algebra|Analysis|Physics|Chemistry|Statistics"
    r"|Mark|Model|Episode|Season|Round|Saturn|Polaris|Photosystem|Factor|Collagen|Apollo|Rocky"
    # Monarchs and popes who were the first of their name.
    r"|Elizabeth|Charles|James|Henry|William|Edward|Mary|Francis|Francois|François|Napoleon|Peter"
    r"|Catherine|Nicholas|Alexander|Paul|Frederick|Friedrich|Wilhelm|Franz|Joseph|Ferdinand"
    r"|Philip|Leopold|Louis|Otto|Justinian|Theodosius|Constantine|Darius|Xerxes|Cyrus|Ptolemy"
    r"|Ramesses|Rameses|Seti|Suleiman|Selim|Murad|Mehmed|Ahmed|Shapur|Khosrow|Haile Selassie"
    r"|Gregory|Leo|Innocent|Pius|Clement|Boniface|Urban|Zog|Carol|Boris|Christian|Gustav|Afonso"
    r"|Pedro|Matthias|Sigismund|Maximilian|Rudolf|Malcolm|Kenneth|Robert|David|Umberto"
    r"|(?:King|Queen|Pope|Emperor|Empress|Tsar|Czar|Sultan|Prince|Duke|Pharaoh) [A-Z]\w+) $"
)
NUMERAL_LIST = re.compile(rf"{ROMAN}(?:\s?[-–—/,&] ?|,? (?:and|or|to|through) (?:[A-Z]\w+ )?)$")
SYMBOL = re.compile(
    r"\b(?:type|part|class|phase|volume|appendix|chapter|section|stage|act|book|level|grade|group"
    r"|figure|table|case|category|tier|division|letter|capital|uppercase|pronoun|vowel|word|key"
    r"|press|hit|column|row|cell|variable|matrix|symbol|current|interval|ideal|identity|war)s?"
    r" [*_'\"‘“]{0,3}$|(?:[=≈×·^] ?|\b[A-Z]\. ?)$"
)
ENCLOSED = re.compile(r"[(\[]I(?:[)\]].?|\.[)\]])|['‘]I['’]\W?", re.DOTALL)
OUTLINE = re.compile(r"(?:^|\n)[ \t>#*_-]*$")
OUTLINE_POINT = re.compile(r"[.):][*_]{0,2}(?:\s|$)")


def pronoun(text: str) -> re.Match[str] | None:
    """The first word of `text` in the first person."""
    return next((found for found in PRONOUN.finditer(text) if not _is_numeral(found)), None)


def _is_numeral(found: re.Match[str]) -> bool:
    """Whether a capital I counts, names or measures something."""
    if found.group() != "I":
        return False
    text = found.string
    before = text[max(0, found.start() - WINDOW) : found.start()]
    after = text[found.end() : found.end() + WINDOW]
    starts_line = OUTLINE.search(before) and (found.start() < WINDOW or "\n" in before)
    certain = (
        ENCLOSED.fullmatch(f"{before[-1:]}I{after[:2]}")
        or AFTER_NUMERAL.match(after)
        or NAMED_NUMERAL.search(before)
        or (starts_line and OUTLINE_POINT.match(after))
    )
    likely = SYMBOL.search(before) or (
        NUMERAL_LIST.search(before) and not re.match(r" [a-z]", after)
    )
    return bool(certain or (likely and not VERB.match(after)))


def first_person(reading: Reading, _: bool) -> str | None:
    """Object to the author's own words in the first person."""
    found = pronoun(reading.own_words)
    return around(reading.own_words, found) if found else None


RULE = Rule(
    check=first_person,
    threshold=Threshold(
        key="drop_first_person",
        type=bool,
        paper=True,
        off=False,
        meaning='whether "I", "my" and the like drop an answer',
    ),
    reads="own words of the response",
)
