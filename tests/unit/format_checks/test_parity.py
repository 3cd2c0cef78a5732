"""IFEval's instructions decide as the checkers that lm-eval ships, on real prompts."""

import importlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nltk
import pytest
from made_responses import TEXTS, made_for

from limaflow.format_checks.checking import has_form
from limaflow.format_checks.ifeval_rules import _sentence_splitter
from limaflow.format_checks.rule import NotCheckable
from limaflow.records import Candidate
from limaflow.sources.kinds import ifeval
from limaflow.sources.shard import ReadingOptions, Shard

OF_CASE = ("change_case:english_capital", "change_case:english_lowercase")
LANGUAGE = "language:response_language"


@pytest.fixture
def checkers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """lm-eval's module, with what it misses here: its two packages, and nltk's models."""
    for name in ("langdetect", "immutabledict"):
        try:
            importlib.import_module(name)
        except ImportError:
            stub: Any = ModuleType(name)
            stub.immutabledict = dict
            stub.LangDetectException = RuntimeError
            stub.detect = lambda text: "en"
            monkeypatch.setitem(sys.modules, name, stub)
    split = nltk.tokenize.NLTKWordTokenizer().tokenize
    monkeypatch.setattr(nltk.data, "find", lambda name: name)
    monkeypatch.setattr(nltk.data, "load", lambda name: _sentence_splitter())
    monkeypatch.setattr(
        nltk,
        "word_tokenize",
        lambda text: [w for s in _sentence_splitter().tokenize(text) for w in split(s)],
    )
    logging.disable()
    yield importlib.import_module("lm_eval.tasks.ifeval.utils")
    logging.disable(logging.NOTSET)
    for name in [n for n in sys.modules if n.startswith("lm_eval.tasks.ifeval")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def prompts(shared_data: Path, tmp_path: Path) -> list[Candidate]:
    path = shared_data / "benchmarks/ifeval/input_data.jsonl"
    shard = Shard(
        kind="ifeval",
        source="ifeval",
        name="all",
        files=(path,),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    return list(ifeval.read(shard, Counter()))


def differs_by_design(rule: str, arguments: dict[str, Any]) -> bool:
    """A letter that is a mark, which lm-eval replaces by one drawn by chance; a language."""
    mark = rule == "keywords:letter_frequency" and not arguments["letter"].isalpha()
    return mark or rule == LANGUAGE or rule in OF_CASE


def test_every_instruction_decides_as_lm_evals_on_real_prompts(
    checkers: Any, prompts: list[Candidate]
) -> None:
    outcomes: Counter[tuple[str, bool]] = Counter()
    wrong = []
    for prompt in prompts:
        assert prompt.tags is not None
        rules = list(prompt.tags.format)
        asked = checkers.InputExample(
            key=0,
            instruction_id_list=[rule.rule for rule in rules],
            prompt=prompt.title,
            kwargs=[json.loads(rule.arguments) for rule in rules],
        )
        for response in (*TEXTS, *made_for(prompt.title, rules)):
            strict = checkers.test_instruction_following_strict(asked, response)
            loose = checkers.test_instruction_following_loose(asked, response)
            for place, rule in enumerate(rules):
                if differs_by_design(rule.rule, json.loads(rule.arguments)):
                    continue
                theirs = (
                    bool(strict.follow_instruction_list[place]),
                    bool(loose.follow_instruction_list[place]),
                )
                outcomes[rule.rule, theirs[0]] += 1
                if has_form(response, rule) != theirs:
                    wrong.append((rule, response, theirs))
    assert wrong == []
    compared = {rule for rule, _ in outcomes}
    assert len(compared) == 22
    both = {rule for rule in compared if outcomes[rule, True] and outcomes[rule, False]}
    assert both == compared, "each rule is met by some response and missed by another"


def test_case_is_told_without_a_language(checkers: Any, prompts: list[Candidate]) -> None:
    for prompt in prompts:
        for rule in prompt.tags.format if prompt.tags else ():
            if rule.rule in OF_CASE:
                for text in TEXTS:
                    is_upper = rule.rule.endswith("capital")
                    has = text.isupper() if is_upper else text.islower()
                    assert has_form(text, rule)[0] == (has and bool(text.strip()))


def test_a_language_is_told_or_the_rule_says_why_not(prompts: list[Candidate]) -> None:
    rules = [r for p in prompts if p.tags for r in p.tags.format if r.rule == LANGUAGE]
    german = next(rule for rule in rules if "de" in rule.arguments)
    text = "Dies ist ein deutscher Satz, der lang genug ist, um die Sprache zu erkennen."
    try:
        importlib.import_module("langdetect")
    except ImportError:
        with pytest.raises(NotCheckable, match="needs langdetect"):
            has_form(text, german)
    else:
        assert has_form(text, german) == (True, True)
        assert has_form("This is an English sentence of some length.", german) == (False, False)
