"""Answers that point at other answers, at the site, or at what is not in the text go."""

import re

from limaflow.curation.filters.rule import Reading, Rule, Threshold, around

# Names of sites count as they are written, since "super user" and "stack overflow" are words too.
SITE = (
    r"\bstack ?exchange\b"
    r"|\b(?-i:Stack ?Overflow|stackoverflow)\b(?! (?:errors?|exceptions?|attacks?)\b)"
    r"|\b(?:on|at|over at) stack overflow\b(?! (?:errors?|exceptions?|attacks?)\b)"
    r"|\b(?-i:Super ?User|Server ?Fault|serverfault|Ask ?Ubuntu|askubuntu|Math ?Overflow"
    r"|mathoverflow)\b(?! (?:accounts?|privileges?|mode|rights|permissions?|access|passwords?)\b)"
    r"|\bon (?:super ?user|server ?fault)\b(?! (?:accounts?|mode)\b)"
    r"|\bon (?-i:SO|SE|MSE|MO)\b(?![(\d/]| (?:Asia|Linux))|\b(?:at|from) (?-i:SO|SE)\b(?![(\d/])"
    r"|\b[a-z]{2,20}\.(?-i:SE)\b"
    r"|\b(?-i:SE) (?:sites?|network|communit(?:y|ies)|posts?|users?|questions?|answers?)\b"
)
POST = r"(?:answers?|comments?|questions?|posts?|threads?|repl(?:y|ies)|title)"
WHOSE = (
    r"(?:(?:the|your|his|her|their|an?|my|some|all|other|another|others|previous|accepted) ){0,3}"
)
# "As stated in the theorem" stays: it points into the subject.
SUBJECT = (
    rf"(?:in|on|at) (?!{WHOSE}{POST}\b)(?:the|this|that|an?|its|their|our|most|many|several"
    r"|section|chapter|part|article|paragraph|figure|table|appendix|annex|rfc|iso)\b"
)
AS_MENTIONED = (
    r"\bas (?:already |previously |was |has (?:already )?been |I |others? (?:have )?"
    r"|(?-i:[A-Z]\w+) (?:has |have |already |also )?)?"
    r"(?:mentioned|noted|said|stated|pointed out|suggested|commented)\b"
    rf"(?! {SUBJECT}| by (?:its|their|this|the (?!other|OP|asker|poster)))"
)
ANSWERS = (
    r"\b(?:other|another|previous|earlier|existing|accepted|top|upvoted|linked) answers?\b"
    r"|['’]s answer\b|\b(?:both|all|these|the) answers (?:above|below|here|so far|are|have)\b"
    r"|\banswers? (?:above|below|here|already|given|posted)\b"
    r"|\b(?:this|original|linked|other) (?:question|post|poster|thread)\b|\byour post\b"
    r"|\b(?-i:OP)(?:['’]s)?\b|\bthe asker\b"
    r"|\bon this (?:site|forum|board)\b|\b(?:up|down)-?vot(?:e|ed|es|ing)\b"
    r"|\b(?:possible|exact) duplicate of\b|\bduplicate of (?:this|that|another) \w+"
    r"|\bclosed as (?:a )?duplicate\b"
)
CODE = r"(?:the|your|each|every|a|this) (?:code|source|file|function|method|class|script|header)"
COMMENTS = (
    rf"\b(?:in|from|to) (?:the|your|his|her|their|a) comments?\b(?! (?:block|line|of {CODE}))"
    rf"|\bcomments? (?:above|below)\b(?! (?:the|this|that|each|a|your) (?!{POST}\b))"
)
# Annotations and decorators of programs look like names of users.
USER = (
    r"(?<![\w.])(?<!\bthe )(?<!\ban )(?<!\ba )@"
    r"(?!(?:override|deprecated|property|staticmethod|classmethod|media|import|param|returns?"
    r"|throws|see|since|author|version|interface|entity|autowired|test|null(?:able)?|notnull"
    r"|font-face|keyframes|include|mixin|echo|end|class|id|gmail|yahoo|hotmail)\b)"
    r"[A-Za-z]\w+\b(?![(/{]| (?:annotations?|decorators?|tags?|directives?|rules?|attributes?"
    r"|keywords?|symbols?|methods?|blocks?)\b)"
)
ADDED = (
    r"^[^\w\n]{0,9}(?:edit|update|addendum|p\.?s\.?)\s{0,3}\d{0,2}\W{0,3}[:—]|\((?:edit|update)\b"
)
SHOWN = (
    r"(?:image|picture|pic|photo|photograph|diagram|chart|screenshot|graph|graphic|plot|figure"
    r"|drawing|sketch|illustration|animation|gif|video|link|url)s?"
)
PLACED = (
    rf"\b{SHOWN} (?:above|below)\b(?! (?:the|an?|your|sea|zero|average|it|that|this)\b| \W?\d)"
    rf"|\b(?:above|below|following|attached|linked) {SHOWN}\b"
)
ELSEWHERE = re.compile(
    "|".join([SITE, AS_MENTIONED, ANSWERS, COMMENTS, USER, ADDED, PLACED]),
    re.IGNORECASE | re.MULTILINE,
)
"""Words that point out of a text; `limaflow.curation.filtering` looks for them in prompts too."""


def cross_reference(reading: Reading, _: bool) -> str | None:
    """Object to the author's own words that point elsewhere."""
    found = ELSEWHERE.search(reading.own_words)
    return around(reading.own_words, found) if found else None


RULE = Rule(
    check=cross_reference,
    threshold=Threshold(
        key="drop_cross_references",
        type=bool,
        paper=True,
        off=False,
        meaning='whether "as mentioned", "stack exchange" and the like drop an answer',
    ),
    reads="own words of the response",
)
