"""The 25 instructions of IFEval (Zhou et al. 2023, 2311.07911), under the names of its data.

They decide as the checkers that lm-eval ships, which `tests/unit/format_checks` holds them against,
but need no download: those import two packages that are no dependency of lm-eval and fetch models
of nltk when they are imported. What differs: sentences are found by nltk's algorithm with a list of
English abbreviations in place of its trained model; upper and lower case is a matter of case alone,
not of the language too; a letter that is a mark (`#`) is counted, where lm-eval counts a letter by
chance. The language of a response needs the package langdetect; without it that one rule is not
checked, and says so.
"""

import json
import re
from functools import cache
from typing import Any, Literal

from pydantic import Field

from limaflow.format_checks.rule import NotCheckable, Nothing, Rule, holds
from limaflow.settings import Settings

AsPublished = Literal["less than", "at least"]
OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
ABBREVIATIONS = (
    "al apr aug ave capt co col corp dec dept dr e.g esp est etc feb fig gen gov hon i.e inc "
    "jan jr jul jun lt ltd maj mar messrs mr mrs ms mt no nov oct op p.m a.m ph.d pp prof rep "
    "rev sen sep sept sgt sr st u.k u.n u.s u.s.a vol vs "
)
_FENCES = ("```json", "```Json", "```JSON", "```")


class Keywords(Settings):
    """Regular expressions, as in the data."""

    keywords: list[str] = Field(min_length=1)


class Keyword(Settings):
    """How often a keyword stands in the response."""

    keyword: str
    frequency: int
    relation: AsPublished


class Forbidden(Settings):
    """Whole words."""

    forbidden_words: list[str] = Field(min_length=1)


class Letter(Settings):
    """How often a letter stands in the response."""

    letter: str = Field(min_length=1, max_length=1)
    let_frequency: int
    let_relation: AsPublished


class Language(Settings):
    """A code of ISO 639-1."""

    language: str


class Sentences(Settings):
    """A number of sentences."""

    num_sentences: int
    relation: AsPublished


class Paragraphs(Settings):
    """Parts between `***`."""

    num_paragraphs: int


class Words(Settings):
    """A number of words."""

    num_words: int
    relation: AsPublished


class NthParagraph(Settings):
    """The first word of one of the parts between empty lines."""

    num_paragraphs: int
    nth_paragraph: int
    first_word: str


class Placeholders(Settings):
    """Texts in square brackets."""

    num_placeholders: int


class Postscript(Settings):
    """How the postscript begins."""

    postscript_marker: str


class Bullets(Settings):
    """Lines with a bullet."""

    num_bullets: int


class Highlights(Settings):
    """Texts between asterisks."""

    num_highlights: int


class Sections(Settings):
    """Parts that begin with a word and a number."""

    section_spliter: str
    num_sections: int


class Repeated(Settings):
    """What is repeated before the answer."""

    prompt_to_repeat: str


class End(Settings):
    """The last words."""

    end_phrase: str


class Capitals(Settings):
    """A number of words in capitals."""

    capital_frequency: int
    capital_relation: AsPublished


def _found(pattern: str, text: str) -> list[Any]:
    return re.findall(pattern, text, flags=re.IGNORECASE)


def existence(response: str, wanted: Keywords) -> bool:
    """Every keyword is there."""
    return all(_found(keyword, response) for keyword in wanted.keywords)


def frequency(response: str, wanted: Keyword) -> bool:
    """The keyword is there so often."""
    return holds(len(_found(wanted.keyword, response)), wanted.relation, wanted.frequency)


def forbidden_words(response: str, wanted: Forbidden) -> bool:
    """None of the words is there."""
    return not any(_found(rf"\b{word}\b", response) for word in wanted.forbidden_words)


def letter_frequency(response: str, wanted: Letter) -> bool:
    """The letter is there so often, whatever its case."""
    found = response.lower().count(wanted.letter.lower())
    return holds(found, wanted.let_relation, wanted.let_frequency)


def response_language(response: str, wanted: Language) -> bool:
    """The whole response is in a language; one whose language cannot be told counts as such.

    Raises:
        NotCheckable: langdetect is not installed.
    """
    try:
        import langdetect
    except ImportError:
        raise NotCheckable("needs langdetect (pip install lm-eval[ifeval])") from None
    # It draws by chance.
    langdetect.DetectorFactory.seed = 0
    try:
        return bool(langdetect.detect(response) == wanted.language)
    except langdetect.LangDetectException:
        return True


@cache
def _sentence_splitter() -> Any:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    known = PunktParameters()
    known.abbrev_types = set(ABBREVIATIONS.split())
    return PunktSentenceTokenizer(known)


def number_sentences(response: str, wanted: Sentences) -> bool:
    """So many sentences."""
    found = len(_sentence_splitter().tokenize(response))
    return holds(found, wanted.relation, wanted.num_sentences)


def number_paragraphs(response: str, wanted: Paragraphs) -> bool:
    """So many parts between `***`, of which none but the first and last may be blank."""
    parts = [bool(part.strip()) for part in re.split(r"\s?\*\*\*\s?", response)]
    return all(parts[1:-1]) and sum(parts) == wanted.num_paragraphs


def number_words(response: str, wanted: Words) -> bool:
    """So many runs of letters, digits and underscores."""
    return holds(len(re.findall(r"\w+", response)), wanted.relation, wanted.num_words)


def nth_paragraph_first_word(response: str, wanted: NthParagraph) -> bool:
    """So many paragraphs, and the first word of one of them."""
    parts = response.split("\n\n")
    found = sum(bool(part.strip()) for part in parts)
    if wanted.nth_paragraph > found or found != wanted.num_paragraphs:
        return False
    begun = parts[wanted.nth_paragraph - 1].split()
    if not begun:
        return False
    word = re.split(r"[.,?!'\"]", begun[0].lstrip("'").lstrip('"'))[0]
    return word.lower() == wanted.first_word.lower()


def number_placeholders(response: str, wanted: Placeholders) -> bool:
    """At least so many texts in square brackets."""
    return len(re.findall(r"\[.*?\]", response)) >= wanted.num_placeholders


def postscript(response: str, wanted: Postscript) -> bool:
    """A postscript that begins with the marker."""
    marker = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}.get(
        wanted.postscript_marker, wanted.postscript_marker.lower()
    )
    return bool(re.search(rf"\s*{marker}.*$", response.lower(), flags=re.MULTILINE))


def number_bullet_lists(response: str, wanted: Bullets) -> bool:
    """Just so many lines that begin with an asterisk or a dash."""
    stars = re.findall(r"^\s*\*[^\*].*$", response, flags=re.MULTILINE)
    dashes = re.findall(r"^\s*-.*$", response, flags=re.MULTILINE)
    return len(stars) + len(dashes) == wanted.num_bullets


def constrained_response(response: str, _: Nothing) -> bool:
    """One of three sentences is there."""
    return any(option in response for option in OPTIONS)


def number_highlighted_sections(response: str, wanted: Highlights) -> bool:
    """At least so many texts between asterisks; those between double ones count again."""
    single = re.findall(r"\*[^\n\*]*\*", response)
    double = re.findall(r"\*\*[^\n\*]*\*\*", response)
    found = sum(bool(text.strip("*").strip()) for text in single)
    found += sum(bool(text[2:-2].strip()) for text in double)
    return found >= wanted.num_highlights


def multiple_sections(response: str, wanted: Sections) -> bool:
    """At least so many headings of the word and a number."""
    found = re.split(rf"\s?{wanted.section_spliter}\s?\d+\s?", response)
    return len(found) - 1 >= wanted.num_sections


def json_format(response: str, _: Nothing) -> bool:
    """JSON alone, bare or in a code block."""
    text = response.strip()
    for fence in _FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def title(response: str, _: Nothing) -> bool:
    """A title in double angular brackets."""
    return any(text.strip("<>").strip() for text in re.findall(r"<<[^\n]+>>", response))


def two_responses(response: str, _: Nothing) -> bool:
    """Two different texts with six asterisks between them."""
    parts = [part.strip() for part in response.split("******")]
    there = [part for part in parts if part]
    return all(parts[1:-1]) and len(there) == 2 and there[0] != there[1]


def repeat_prompt(response: str, wanted: Repeated) -> bool:
    """The prompt comes first, whatever its case."""
    return response.strip().lower().startswith(wanted.prompt_to_repeat.strip().lower())


def end_checker(response: str, wanted: End) -> bool:
    """The phrase comes last, but for quotation marks, whatever its case."""
    return response.strip().strip('"').lower().endswith(wanted.end_phrase.strip().lower())


def capital_word_frequency(response: str, wanted: Capitals) -> bool:
    """So many words in capitals."""
    from nltk.tokenize import NLTKWordTokenizer

    split = NLTKWordTokenizer().tokenize
    sentences = _sentence_splitter().tokenize(response)
    found = sum(word.isupper() for sentence in sentences for word in split(sentence))
    return holds(found, wanted.capital_relation, wanted.capital_frequency)


def english_capital(response: str, _: Nothing) -> bool:
    """All letters are capitals."""
    return response.isupper()


def english_lowercase(response: str, _: Nothing) -> bool:
    """No letter is a capital."""
    return response.islower()


def no_comma(response: str, _: Nothing) -> bool:
    """There is no comma."""
    return "," not in response


def quotation(response: str, _: Nothing) -> bool:
    """Quotation marks around all of it."""
    text = response.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


IFEVAL: dict[str, Rule[Any]] = {
    "keywords:existence": Rule(check=existence, arguments=Keywords, asks="has all keywords"),
    "keywords:frequency": Rule(check=frequency, arguments=Keyword, asks="has a keyword so often"),
    "keywords:forbidden_words": Rule(
        check=forbidden_words, arguments=Forbidden, asks="has none of the words"
    ),
    "keywords:letter_frequency": Rule(
        check=letter_frequency, arguments=Letter, asks="has a letter so often"
    ),
    "language:response_language": Rule(
        check=response_language, arguments=Language, asks="is in a language"
    ),
    "length_constraints:number_sentences": Rule(
        check=number_sentences, arguments=Sentences, asks="so many sentences"
    ),
    "length_constraints:number_paragraphs": Rule(
        check=number_paragraphs, arguments=Paragraphs, asks="so many parts between ***"
    ),
    "length_constraints:number_words": Rule(
        check=number_words, arguments=Words, asks="so many words"
    ),
    "length_constraints:nth_paragraph_first_word": Rule(
        check=nth_paragraph_first_word,
        arguments=NthParagraph,
        asks="so many paragraphs, one with a given first word",
    ),
    "detectable_content:number_placeholders": Rule(
        check=number_placeholders, arguments=Placeholders, asks="so many [placeholders], or more"
    ),
    "detectable_content:postscript": Rule(
        check=postscript, arguments=Postscript, asks="has a postscript"
    ),
    "detectable_format:number_bullet_lists": Rule(
        check=number_bullet_lists, arguments=Bullets, asks="just so many bullets"
    ),
    "detectable_format:constrained_response": Rule(
        check=constrained_response, arguments=Nothing, asks="one of three given sentences"
    ),
    "detectable_format:number_highlighted_sections": Rule(
        check=number_highlighted_sections,
        arguments=Highlights,
        asks="so many *highlighted texts*, or more",
    ),
    "detectable_format:multiple_sections": Rule(
        check=multiple_sections, arguments=Sections, asks="so many numbered sections, or more"
    ),
    "detectable_format:json_format": Rule(check=json_format, arguments=Nothing, asks="JSON alone"),
    "detectable_format:title": Rule(check=title, arguments=Nothing, asks="has a <<title>>"),
    "combination:two_responses": Rule(
        check=two_responses, arguments=Nothing, asks="two different answers with ****** between"
    ),
    "combination:repeat_prompt": Rule(
        check=repeat_prompt, arguments=Repeated, asks="repeats the request first"
    ),
    "startend:end_checker": Rule(check=end_checker, arguments=End, asks="ends with a phrase"),
    "change_case:capital_word_frequency": Rule(
        check=capital_word_frequency, arguments=Capitals, asks="so many words in capitals"
    ),
    "change_case:english_capital": Rule(
        check=english_capital, arguments=Nothing, asks="capitals alone"
    ),
    "change_case:english_lowercase": Rule(
        check=english_lowercase, arguments=Nothing, asks="no capitals"
    ),
    "punctuation:no_comma": Rule(check=no_comma, arguments=Nothing, asks="no comma"),
    "startend:quotation": Rule(check=quotation, arguments=Nothing, asks="in quotation marks"),
}
