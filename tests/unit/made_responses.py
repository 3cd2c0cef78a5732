"""Responses with all kinds of forms, and those made to have the forms that a prompt asks for."""

import json
from typing import Any

from limaflow.prompt_tags import FormatRule

TEXTS = [
    "Yes.",
    "My answer is yes.",
    "It is so. It is not so! Is it? Dr. Smith knows, e.g. from the U.S. They left at 5 p.m. Then",
    "* one\n* two\n* three",
    "- one\n- two\n- three\n- four",
    "**Bold** and *light*, and *another* one with ** nothing **",
    "Sure, here it is:\n* one\n* two\nIs there anything else?",
    "one\n***\ntwo\n***\nthree",
    "***\none\n***\n***\ntwo",
    "one\n\ntwo\n\n'It' is three",
    "weekend one\n\n\n\ntwo",
    'Here:\n```json\n{"a": 1}\n```',
    '```JSON\n{"a": [1, 2]}\n```',
    '{"a": 1',
    '"All of it in quotation marks."',
    'Ends with "Any other questions?"',
    "<<A title>>\nThen a text, with commas, and more",
    "<< >>",
    "one answer\n******\nanother answer",
    "same\n******\nsame",
    "one\n******\n\n******\ntwo",
    "THIS IS ALL IN CAPITALS AND IN ENGLISH, SURELY, FOR IT IS LONG ENOUGH TO TELL.",
    "this is all in lower case and in english, surely, for it is long enough to tell.",
    "Some NASA WORDS are IN CAPITALS, NASA's and (USA) too. END. Of it",
    "Write to [name] at [address], on [date] or [time]",
    "A letter.\n\nP.S. And more",
    "A letter.\n\nP. P. S and p.p.s more",
    "SECTION 1\none\nSECTION 2\ntwo\nSection 3 three\nDay 1 PARAGRAPH 2",
    "Dies ist ein deutscher Satz, der lang genug ist, um die Sprache zu erkennen.",
    "   \n ",
    "qqq jjj ttt # ! nnn eee",
    "word " * 120,
    "A sentence of five words. " * 25,
]


def made_for(prompt: str, rules: list[FormatRule]) -> list[str]:
    """Responses that have some of the forms, by their arguments."""
    given: dict[str, Any] = {k: v for rule in rules for k, v in json.loads(rule.arguments).items()}
    number = next((v for v in given.values() if isinstance(v, int)), 3)
    words = given.get("keywords") or given.get("forbidden_words") or [given.get("keyword", "so")]
    wide = "\n".join(f"* point {n}" for n in range(number))
    return [
        prompt,
        f"{given.get('prompt_to_repeat', prompt)}\n\nThe answer",
        " and ".join(words),
        f"{words[0]}! " * number,
        wide,
        f"Of course:\n{wide}\nThat is all.",
        "\n***\n".join(f"part {n}" for n in range(number)),
        f"{given.get('first_word', 'so')}, it begins\n\n" * number,
        f"a word {given.get('end_phrase', 'end')}",
        "\n".join(f"{given.get('section_spliter', 'Section')} {n}" for n in range(number)),
        f"A text\n{given.get('postscript_marker', 'P.S.')} more",
        f"{given.get('letter', 'x')} " * number,
        "WORD " * number,
        "It is so. " * number,
        "[a] " * number,
        "*a b* " * number,
    ]
