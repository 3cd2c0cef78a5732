"""The paper's rules, each on what it is meant to catch and what it must let pass."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.config.merge_configs import merged
from limaflow.curation.filters import RULES, objection, rules_table
from limaflow.curation.filters.cross_reference import ELSEWHERE
from limaflow.curation.filters.first_person import pronoun
from limaflow.curation.filters.rule import Reading
from limaflow.curation.settings import THRESHOLDS, Filters
from limaflow.errors import InputError
from limaflow.mistakes import validated
from limaflow.records import Candidate

Build = Callable[..., Candidate]
FILLER = "Malt is mashed and boiled. " * 60


def verdict(candidate: Candidate, filters: Filters) -> tuple[str, str] | None:
    return objection(Reading(candidate, filters.quotes_and_code_count), filters)


def test_a_sound_candidate_passes(candidate: Build, paper_filters: Filters) -> None:
    assert verdict(candidate(), paper_filters) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"response": "", "response_score": None}, "unanswered"),
        ({"response_score": 9}, "response_score"),
        ({"response_score": -2}, "response_score"),
        ({"title": "What is this beer called here?"}, "title_not_self_contained"),
        ({"title": "Glass cleaning"}, "title_not_self_contained"),
        ({"title": "Does anyone know how beer is made?"}, "title_not_self_contained"),
        ({"title": "What do you drink, anybody?"}, "title_not_self_contained"),
        ({"title": "Where does one buy beer? [closed]"}, "title_not_self_contained"),
        ({"response": "<p>Malt is mashed.</p>"}, "response_too_short"),
        ({"response": f"<p>{FILLER * 3}</p>"}, "response_too_long"),
        ({"response": f"<p>I mash it. {FILLER}</p>"}, "first_person"),
        ({"response": f"<p>As mentioned, {FILLER}</p>"}, "cross_reference"),
    ],
)
def test_each_rule_names_its_drop(
    candidate: Build, paper_filters: Filters, changes: dict[str, object], rule: str
) -> None:
    found = verdict(candidate(**changes), paper_filters)
    assert found is not None
    assert found[0] == rule


@pytest.mark.parametrize(
    "title", ["Why would anyone brew at home", "What's the theory of hops", "What’s in an ale"]
)
def test_titles_that_ask_about_the_world_pass(
    candidate: Build, paper_filters: Filters, title: str
) -> None:
    asking = paper_filters.model_copy(update={"require_question_title": True})
    assert verdict(candidate(title=title), asking) is None


def test_the_form_of_a_question_is_asked_for_by_a_switch_of_its_own(
    candidate: Build, paper_filters: Filters
) -> None:
    topic = candidate(title="was working great, now all foam")
    assert verdict(topic, paper_filters) is None
    asking = paper_filters.model_copy(update={"require_question_title": True})
    assert verdict(topic, asking) == ("title_asks_nothing", topic.title)


def test_thresholds_include_their_ends(candidate: Build, paper_filters: Filters) -> None:
    for chars, passes in [(1199, False), (1200, True), (4096, True), (4097, False)]:
        found = verdict(candidate(response=f"<p>{'x' * chars}</p>"), paper_filters)
        assert (found is None) is passes
    assert verdict(candidate(response_score=10), paper_filters) is None


def test_length_counts_what_is_read_and_not_the_markup(
    candidate: Build, paper_filters: Filters
) -> None:
    address = "http://example.org/" + "x" * 4000
    response = f'<p>{FILLER}<a href="{address}">barley</a></p>'
    assert verdict(candidate(response=response), paper_filters) is None


def test_a_rule_that_is_off_lets_everything_pass(candidate: Build) -> None:
    off = Filters()
    assert off.off
    bad = candidate(title="This?", response="I said, as mentioned above", response_score=-1)
    assert verdict(bad, off) is None


def test_the_first_rule_that_fires_names_the_drop(candidate: Build, paper_filters: Filters) -> None:
    bad = candidate(title="This?", response="I say", response_score=1)
    found = verdict(bad, paper_filters)
    assert found is not None
    assert found[0] == "response_score"


@pytest.mark.parametrize(
    "text",
    [
        "I brew.",
        "so I'd say",
        "it is my view",
        "tell me",
        "i'm sure",
        "(I think)",
        "MY beer",
        "In Germany I would",
        "he said, 'I'm going",
        "In part I think",
        "in class I learned",
        "As for me",
        "my wife and I are",
        "- I think",
        "> I",
        "**I**",
        "if *I* were",
        "than I.",
        "A friend of mine told",
        "World War II and I think",
        "A good buddy of mine did",
        "friends of mine",
        "I, for one",
        "I—like many—",
        "the current I have",
        "I/we think and I do",
        "Me too",
        "In Paris I found it",
        "I (32) did",
        "Myself",
        "My Mac",
        "In C++ I use",
        "the type I want",
        "Henry V, I think",
    ],
)
def test_first_person_is_caught(text: str) -> None:
    assert pronoun(text)


@pytest.mark.parametrize(
    "text",
    [
        "World War I was long",
        "Type I errors",
        "I/O is slow",
        "I-95",
        "i.e. so",
        "the I.R.A.",
        "a myth",
        "Elizabeth I ruled England",
        "Copper(I) oxide",
        "Appendix I of the norm",
        "The I–IV–V progression",
        "ii–V–I",
        "You mine diamonds",
        "a coal mine is",
        "a network of mine shafts",
        "the collapse of mine roofs",
        "to mine bitcoin",
        "Windows ME is old",
        "Windows Me is old",
        "Portland, ME",
        "(I) first",
        "I, II and III",
        "I and II",
        "types I and II",
        "V and I",
        "I. Introduction",
        "The current I is large",
        "I = V/R",
        "V = I",
        "V = IR, I=2",
        "Elizabeth I's reign",
        "my.cnf",
        "My Documents",
        "mysql",
        "a type I error",
        "class I railroads",
        "phase I trials",
        "Queen Mab I ruled",
        "J. I. Packer",
        "letter 'I'",
        "a small 'I'.",
        "[I.] That",
        "the letter I looks",
        "Henry VIII and Elizabeth I were",
        "Ctrl+I",
        "Photosystem I absorbs",
        "Calculus I covers",
        "*I* = V/R",
        "Fe(I)",
        "Vatican I met",
        "Case I: x",
        "mp.me.com",
        "the pronoun I is capital",
        "Napoleon I (1769-1821)",
    ],
)
def test_a_capital_i_that_is_no_pronoun_is_not(text: str) -> None:
    assert not pronoun(text)


@pytest.mark.parametrize(
    "text",
    [
        "As mentioned by others",
        "as Bob noted, it",
        "see the other answers",
        "the accepted answer is wrong",
        "on Stack Exchange",
        "@Bob is right",
        "EDIT: more",
        "the OP asks",
        "in the comments",
        "the picture below shows",
        "asked on SO",
        "from math.SE",
        "this math.stackexchange",
        "the graph below shows",
        "the link above",
        "as mentioned in the comments",
        "as stated in the other answer",
        "as already mentioned",
        "as said above",
        "everyone on this site",
        "on superuser",
        "on Super User",
        "see comments below",
        "in SE posts",
        "answered on Stack Overflow",
        "as @bob said",
        "comments below the question",
        "the above link",
        "as has already been pointed out",
        "as noted in your question",
        "MathOverflow has it",
        "possible duplicate of X",
        "graphs below.",
        "**Edit:** x",
        "on MSE",
        "As pointed out in Are there any uses",
    ],
)
def test_references_to_elsewhere_are_caught(text: str) -> None:
    assert ELSEWHERE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "the answer is yes",
        "stack the crates",
        "write to bob@x.org",
        "edit the file",
        "top op",
        "a superuser account",
        "the Super User account",
        "@Override",
        "the @override annotation",
        "@property",
        "as stated in the theorem",
        "as mentioned in the manual",
        "as mentioned in our manual",
        "as noted in chapter 2",
        "as noted in section 3",
        "comments below the line",
        "a stack overflow error",
        "StackOverflowError",
        "from SO(3)",
        "to SU(2)",
        "the graph below the curve",
        "the plot above sea level",
        "figure below 10",
        "keep comments above the function",
        "in the comments of the code",
        "a duplicate of the row",
        "as suggested by its name",
        "as stated by the theorem",
        "@media queries",
        "@angular/core",
        "the @Entity class",
        "South SE Asia",
        "Java SE 8",
        "update the row",
        "@SpringBoot annotation",
        "on SE Asia",
        "a video link",
    ],
)
def test_plain_words_are_not(text: str) -> None:
    assert not ELSEWHERE.search(text)


@pytest.mark.parametrize(
    "quoted",
    [
        "<blockquote><p>I said my piece, as mentioned.</p></blockquote>",
        "<pre><code>for I in my_list: pass</code></pre>",
        "<p>Run <code>my I</code>.</p>",
        '<p>He said "I like my beer".</p>',
        "<p>He said “I like my beer”.</p>",
    ],
)
def test_quotations_and_code_count_only_when_told(
    candidate: Build, paper_filters: Filters, quoted: str
) -> None:
    written = candidate(response=quoted + f"<p>{FILLER}</p>")
    assert verdict(written, paper_filters) is None
    strict = paper_filters.model_copy(update={"quotes_and_code_count": True})
    found = verdict(written, strict)
    assert found is not None
    assert found[0] == "first_person"


@pytest.mark.parametrize("mark", ["[IP]", "[OT]", "[mp]", "[WP] [IP]", " [PI]"])
def test_what_reddit_marks_as_no_prompt_of_text_goes(candidate: Build, mark: str) -> None:
    title = f"{mark} A door in the wood"
    assert verdict(candidate(kind="reddit", title=title), Filters()) == (
        "no_prompt_of_text",
        mark.strip(),
    )
    assert verdict(candidate(kind="stackexchange", title=title), Filters()) is None
    assert verdict(candidate(kind="reddit", title="[WP] A door [IP]"), Filters()) is None


def test_titles_of_askreddit_must_stand_alone(candidate: Build, root: Path) -> None:
    raw = merged([root / "config.yaml"])
    [source] = [s for s in raw["sources"] if s.get("subreddit") == "AskReddit"]
    filters = Filters.model_validate(raw["curation"]["filters"][source["filters"]])
    for title, stands in [("What do you regret most?", True), ("Redditors, what is this?", False)]:
        prompt = candidate(kind="reddit", title=title, response="", response_score=None)
        assert (verdict(prompt, filters) is None) is stands


@pytest.mark.parametrize(
    "leaning",
    [
        "<p>The graph below shows it.</p><p><img src='x'></p><p>So.</p>",
        "<p>There are lots of resources on it:</p><ul><li><a href='u'>http://x.org</a></li></ul>",
        "<p>It looks like this: <img src='x'></p><p>So.</p>",
        "<p>Malt is mashed as one may read in all the books of the last century, and in later ones"
        " of much the same kind, in http://x.org, and so on.</p>",
        "<p>The steps are:</p>",
        "<p>The first was brewed in 1912: http://x.org And then came more.</p>",
    ],
)
def test_answers_that_lean_on_what_was_removed_go(candidate: Build, leaning: str) -> None:
    filters = Filters.model_validate({"drop_leaning_on_removed": True})
    found = verdict(candidate(response=f"<p>Malt.</p>{leaning}"), filters)
    assert found is not None
    assert found[0] == "leans_on_removed"


@pytest.mark.parametrize(
    "whole",
    [
        "<p>A graph has edges.</p>",
        "<p>Malt.</p><p><img src='x'></p><p>Hops.</p>",
        "<p>The code is:</p><pre><code>x</code></pre>",
        "<p>Two kinds:</p><ul><li><a href='u'>Orval</a></li></ul>",
        "<p>See:</p><ul><li>Orval: http://x.org</li><li>Chimay: http://y.org</li></ul>",
        "<p>Malt is good (<a href='u'>source</a>).</p><p>More <a href='u'>here</a>.</p>",
    ],
)
def test_answers_that_are_whole_without_it_stay(candidate: Build, whole: str) -> None:
    assert (
        verdict(
            candidate(response=whole), Filters.model_validate({"drop_leaning_on_removed": True})
        )
        is None
    )


def test_prompts_alone_are_kept_where_a_source_may_hold_them(
    candidate: Build, paper_filters: Filters
) -> None:
    alone = candidate(
        kind="reddit", response="", response_score=None, title="What do you regret most?"
    )
    relaxed = paper_filters.model_copy(update={"min_response_chars": None})
    assert verdict(alone, relaxed) is None


@given(st.text(), st.integers(-5, 30))
def test_any_text_gets_a_verdict_and_a_short_detail(
    paper_filters: Filters, text: str, score: int
) -> None:
    changes = {"min_response_score": 3, "min_response_chars": 1, "max_response_chars": 50}
    filters = paper_filters.model_copy(update=changes)
    found = verdict(
        Candidate(
            id="x",
            source="s",
            shard="s",
            kind="stackexchange",
            title="How is beer made?",
            response=text,
            markup="html",
            response_score=score,
        ),
        filters,
    )
    assert found is None or (found[0] and "\n" not in found[1])


def test_the_configuration_has_the_papers_thresholds_that_the_rules_declare(
    root: Path, paper_filters: Filters
) -> None:
    raw = merged([root / "config.yaml"])["curation"]["filters"]
    stackexchange = Filters.model_validate(raw["stackexchange"])
    papers = [threshold.key for threshold in THRESHOLDS if threshold.paper is not None]
    papers.append("title_prompt_share")
    assert {key: getattr(stackexchange, key) for key in papers} == {
        key: getattr(paper_filters, key) for key in papers
    }
    assert not paper_filters.off
    assert all(Filters.model_validate(raw[kind]).off for kind in ("wikihow", "authored"))


def test_the_schema_shows_every_threshold_with_its_meaning_and_its_off_value() -> None:
    shown = Filters.model_json_schema()["properties"]
    for threshold in THRESHOLDS:
        assert shown[threshold.key]["description"] == threshold.meaning
        assert shown[threshold.key]["default"] == threshold.off


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"min_response_char": 5}, "min_response_char: unknown key; did you mean 'min_response_"),
        ({"min_response_chars": 50, "max_response_chars": 40}, "min_response_chars 50 exceeds"),
        ({"max_response_chars": 0}, "max_response_chars: Input should be greater than or equal"),
        ({"drop_first_person": "often"}, "drop_first_person: Input should be a valid boolean"),
    ],
)
def test_a_mistake_in_a_threshold_is_named(block: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validated(Filters, block, "curation.filters.x")


def test_every_rule_is_a_module_with_a_function_of_its_name(root: Path) -> None:
    modules = {path.stem for path in (root / "src/limaflow/curation/filters").glob("*.py")}
    assert modules - {"__init__", "rule"} == set(RULES)
    assert {name: rule.check.__name__ for name, rule in RULES.items()} == {n: n for n in RULES}


def test_the_documentation_has_the_rules_as_they_declare_themselves(root: Path) -> None:
    text = (root / "docs/curation.md").read_text(encoding="utf-8")
    assert rules_table() in text, "put the output of `limaflow curate rules` there"
