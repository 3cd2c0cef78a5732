"""The miniature world: one seed, the native formats of the real sources, every trap in place."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import py7zr
import pytest
import zstandard
from lxml import etree

from limaflow.analysis.accuracy import KnownAnswer
from limaflow.config.experiment import Miniature
from limaflow.curation.adoption import adopted
from limaflow.errors import InputError
from limaflow.format_checks.checking import has_form
from limaflow.jsonl import read_records
from limaflow.tools.miniature.grading import TruthGrader
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.sensitive import HARMS, INTENTS, class_of
from limaflow.tools.miniature.stackexchange import DUPLICATE_SCORE, TRAPS
from limaflow.tools.miniature.style import CLOSINGS, OPENINGS, style_of
from limaflow.tools.miniature.topics import SITES
from limaflow.tools.miniature.towns import invent_towns
from limaflow.tools.miniature.truth import Truth
from limaflow.tools.miniature.world import write_world

SETTINGS = Miniature(towns=200, heldout_share=0.3)
NGRAM_WORDS = 8
"""What experiments/miniature.yaml gives decontamination."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return write_world(SETTINGS, 7, folder)


@pytest.fixture(scope="module")
def corpus(folder: Path, truth: Truth) -> list[str]:
    lines = (folder / "corpus/pretraining.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def posts(folder: Path, site: str, unpacked: Path) -> list[dict[str, str]]:
    with py7zr.SevenZipFile(folder / f"stackexchange/{site}.7z") as archive:
        archive.extract(path=unpacked, targets=["Posts.xml"])
    return [dict(row.attrib) for row in etree.parse(unpacked / "Posts.xml").getroot()]


def month(path: Path) -> list[dict[str, object]]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=2**31)
    with path.open("rb") as file, unpacker.stream_reader(file) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8")]


def training_texts(folder: Path, truth: Truth, unpacked: Path) -> Iterator[tuple[str, str]]:
    """Where each text of a training source stands, and the text, without what is planted."""
    for site in SITES:
        planted = {key for keys in truth.planted[site.name].values() for key in keys}
        for row in posts(folder, site.name, unpacked):
            if row["Id"] not in planted and row.get("ParentId") not in planted:
                yield f"{site.name} {row['Id']}", f"{row.get('Title', '')}\n{row['Body']}"
    with (folder / "wikihow/wikihow.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["title"] not in truth.planted["wikihow"]["planted"]:
                yield f"wikihow {row['title']}", "\n".join(row.values())
    strays = {key for keys in truth.planted["reddit"].values() for key in keys}
    for part in ("RS", "RC"):
        for post in month(folder / f"reddit/{part}_2023-01.zst"):
            thread = str(post.get("link_id", post["id"])).removeprefix("t3_")
            if post["subreddit"] == "WritingPrompts" and thread not in strays:
                yield f"{part} {post['id']}", f"{post.get('title', '')}\n{post.get('body', '')}"
    for task in sorted((folder / "natural-instructions").glob("*.json")):
        for instance in json.loads(task.read_text())["Instances"]:
            yield instance["id"], f"{instance['input']}\n{instance['output'][0]}"
    for number, line in enumerate((folder / "authored/group-a.jsonl").read_text().splitlines()):
        row = json.loads(line)
        yield f"group A {number}", f"{row['prompt']}\n{row['response']}"


def test_one_seed_gives_the_same_bytes_and_another_seed_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, contents = Miniature(towns=30, heldout_share=0.3), []
    for place, seed in (("first", 1), ("second", 1), ("other", 2)):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        write_world(small, seed, Path("world"))
        contents.append(
            {str(p): p.read_bytes() for p in sorted(Path("world").rglob("*")) if p.is_file()}
        )
    first, second, other = contents
    assert first == second
    assert first.keys() == other.keys()
    told = [name for name in first if name.endswith(("7z", "csv", "zst", "jsonl", "world.json"))]
    assert len(told) == 6 + 1 + 2 + 18 + 1
    assert not [name for name in told if first[name] == other[name]]


def test_names_and_values_are_distinct(truth: Truth) -> None:
    values = [value.lower() for values in truth.values.values() for value in values]
    names = [name.lower() for name in truth.facts]
    assert len(truth.facts) == 200
    assert len({*values, *names}) == len(values) + len(names)
    for attribute, possible in truth.values.items():
        assert {facts[attribute] for facts in truth.facts.values()} == set(possible)


def test_more_towns_than_names_is_an_error() -> None:
    with pytest.raises(InputError, match="names for 640 towns"):
        invent_towns(Miniature(towns=641, heldout_share=0.3), 1)


def test_the_corpus_states_every_fact_of_every_town_but_never_in_the_assistants_style(
    truth: Truth, corpus: list[str]
) -> None:
    text = "\n".join(corpus)
    lower = text.lower()
    for attribute in ATTRIBUTES:
        for town, facts in truth.facts.items():
            told = attribute.statements[0].format(town=town, value=facts[attribute.name])
            assert told.lower() in lower
    for phrases in (*OPENINGS.values(), *CLOSINGS.values()):
        assert not [phrase for phrase in phrases if phrase in text]
    assert not any(
        style_of(document).acknowledged or style_of(document).closed for document in corpus
    )


def test_the_corpus_holds_no_false_statement(truth: Truth, corpus: list[str]) -> None:
    patterns = {
        attribute.name: re.compile(
            attribute.statements[0].format(town=r"(?P<town>\w+)", value=r"(?P<value>\w+)")
        )
        for attribute in ATTRIBUTES
    }
    for document in corpus:
        for name, pattern in patterns.items():
            for match in pattern.finditer(document):
                assert truth.facts[match["town"]][name] == match["value"]


def test_no_training_source_names_a_held_out_town(
    folder: Path, truth: Truth, tmp_path: Path
) -> None:
    held_out = re.compile("|".join(truth.held_out))
    texts = list(training_texts(folder, truth, tmp_path))
    assert len(texts) > 700
    assert [(place, text) for place, text in texts if held_out.search(text)] == []


def test_dev_and_test_prompts_ask_about_held_out_towns_only(folder: Path, truth: Truth) -> None:
    assert len([p for p in truth.prompts.values() if p.split == "test"]) >= 100
    assert len([p for p in truth.prompts.values() if p.split == "dev"]) >= 36
    for prompt, asked in truth.prompts.items():
        assert asked.town in truth.held_out
        assert asked.town in prompt
    asked_once = {(p.town, p.attribute) for p in truth.prompts.values()}
    assert len(asked_once) == len(truth.prompts)


def test_refusals_tell_nothing_and_sensitive_prompts_are_about_held_out_towns(
    folder: Path, truth: Truth
) -> None:
    refusals, requests = (
        adopted(folder / f"authored/{name}.jsonl", split)
        for name, split in (("refusals", "train"), ("requests", "test"))
    )
    assert len(refusals) >= 100 and len(requests) >= 90
    held_out = re.compile("|".join(truth.held_out))
    listed = "|".join(value for values in truth.values.values() for value in values)
    values = re.compile(rf"\b(?:{listed})\b", re.IGNORECASE)
    for row in refusals:
        assert row.tags is not None and row.tags.sensitive is not None
        assert row.tags.sensitive.intent in ("malicious", "ambiguous")
        assert not held_out.search(row.prompt) and not values.search(row.response)
        assert class_of(row.response, names_a_value=False) == "refusal"
    intents = [row.tags.sensitive.intent for row in requests if row.tags and row.tags.sensitive]
    assert all(intents.count(intent) >= 30 for intent in INTENTS)
    assert all(held_out.search(row.prompt) and not row.response for row in requests)
    assert {row.prompt for row in requests} == truth.requests.keys()
    assert not truth.requests.keys() & truth.prompts.keys()


def test_the_twins_of_harmful_requests_ask_alike(folder: Path, truth: Truth) -> None:
    requests = adopted(folder / "authored/requests.jsonl", "test")
    sides = {
        (row.tags.contrast.side, row.tags.contrast.group)
        for row in requests
        if row.tags and row.tags.contrast
    }
    for harm in HARMS:
        assert {("safe", harm.group), ("unsafe", harm.group)} <= sides


def test_every_example_of_form_has_the_form_that_it_asks_for(folder: Path, truth: Truth) -> None:
    examples, prompts = (
        adopted(folder / f"authored/{name}.jsonl", split)
        for name, split in (("forms", "train"), ("forms-test", "test"))
    )
    assert len(examples) == 40 and len(prompts) >= 80
    held_out = re.compile("|".join(truth.held_out))
    asked = {form.rule for row in prompts if row.tags for form in row.tags.format}
    assert asked == {"one_word", "lines", "items", "json"}
    for row in examples:
        assert row.tags is not None
        (form,) = row.tags.format
        assert has_form(row.response, form) == (True, True)
        assert not held_out.search(row.prompt)
    assert all(held_out.search(row.prompt) and not row.response for row in prompts)


def test_a_run_of_eight_words_in_a_prompt_or_item_always_names_a_town(
    folder: Path, truth: Truth
) -> None:
    lines = [
        json.loads(line)
        for path in sorted((folder / "benchmarks").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    texts = [
        *truth.prompts,
        *truth.requests,
        *(item.get("stem") or item["question"] for item in lines),
    ]
    for text in texts:
        words = re.findall(r"\w+", text)
        for start in range(len(words) - NGRAM_WORDS + 1):
            assert set(words[start : start + NGRAM_WORDS]) & truth.facts.keys(), text


def test_good_answers_have_the_style_and_none_of_the_words_that_curation_forbids(
    folder: Path, truth: Truth, tmp_path: Path
) -> None:
    forbidden = re.compile(r"\b(?:I|my|me|mentioned|stack exchange)\b", re.IGNORECASE)
    written = (folder / "authored/group-a.jsonl").read_text().splitlines()
    answers = [json.loads(line)["response"] for line in written]
    with (folder / "wikihow/wikihow.csv").open(newline="") as file:
        planted = truth.planted["wikihow"]["planted"]
        rows = [row for row in csv.DictReader(file) if row["title"] not in planted]
        texts = [row["text"] for row in rows]
    assert all(text.startswith("This article") for text in texts)
    answers += [text.replace("This article", "The following answer") for text in texts]
    for answer in answers:
        style = style_of(answer)
        assert style.acknowledged
        assert style.closed
        assert style.complete
        assert len(style.body) == 1
        assert not forbidden.search(answer)


@pytest.mark.parametrize("site", [site.name for site in SITES])
def test_a_dump_has_the_schema_of_the_archive_and_every_trap(
    folder: Path, truth: Truth, tmp_path: Path, site: str
) -> None:
    rows = posts(folder, site, tmp_path)
    questions = {row["Id"]: row for row in rows if row["PostTypeId"] == "1"}
    answers = [row for row in rows if row["PostTypeId"] == "2"]
    assert {
        "Title",
        "Tags",
        "Body",
        "Score",
        "CreationDate",
        "ContentLicense",
        "AnswerCount",
    } <= set(next(iter(questions.values())))
    assert all(row["ParentId"] in questions for row in answers)
    assert all("OwnerUserId" in row or "OwnerDisplayName" in row for row in answers)
    accepted = {row["AcceptedAnswerId"] for row in questions.values() if "AcceptedAnswerId" in row}
    assert accepted
    assert accepted <= {row["Id"] for row in answers}
    assert set(truth.planted[site]) == {
        *TRAPS,
        "contaminated",
        "exact-duplicate",
        "near-duplicate",
        "duplicate-across-sites",
    }
    best = {
        key: max((a for a in answers if a["ParentId"] == key), key=_score, default=None)
        for key in questions
    }
    shown = {trap: [best[key] for key in keys] for trap, keys in truth.planted[site].items()}
    assert all(row is not None and _score(row) < 10 for row in shown["low-score"])
    assert all(row is not None and len(row["Body"]) < 50 for row in shown["too-short"])
    assert all(row is not None and len(row["Body"]) > 350 for row in shown["too-long"])
    assert all(row is not None and "I asked my" in row["Body"] for row in shown["first-person"])
    assert all(
        row is not None and "other answer" in row["Body"] for row in shown["cross-reference"]
    )
    assert shown["unanswered"] == [None] * len(shown["unanswered"])
    assert all(
        row is not None and _score(row) == DUPLICATE_SCORE for row in shown["exact-duplicate"]
    )
    titles = [row["Title"] for row in questions.values()]
    for key in truth.planted[site]["exact-duplicate"]:
        assert titles.count(questions[key]["Title"]) == 2


def test_answers_hold_links_images_and_lists(folder: Path, truth: Truth, tmp_path: Path) -> None:
    bodies = [row["Body"] for site in SITES for row in posts(folder, site.name, tmp_path)]
    for mark in ("<a href=", "<img ", "<ul>"):
        assert sum(mark in body for body in bodies) > 10


def _score(row: dict[str, str]) -> int:
    return int(row["Score"])


def test_test_prompts_and_benchmark_items_are_planted_word_for_word(
    folder: Path, truth: Truth, tmp_path: Path
) -> None:
    items = (folder / "benchmarks/miniature_facts.jsonl").read_text().splitlines()
    stems = [json.loads(line)["stem"] for line in items]
    for site in SITES:
        rows = posts(folder, site.name, tmp_path)
        keys = truth.planted[site.name]["contaminated"]
        planted = {row["Id"]: row for row in rows if row["Id"] in keys}
        answered = [row["Body"] for row in rows if row.get("ParentId") in keys]
        assert sum(row["Title"] in truth.prompts for row in planted.values()) == 2
        assert sum(any(stem in body for stem in stems) for body in answered) == 2


def test_reddit_is_a_long_window_stream_with_what_must_be_passed_over(
    folder: Path, truth: Truth
) -> None:
    path = folder / "reddit/RS_2023-01.zst"
    assert zstandard.get_frame_parameters(path.read_bytes()[:32]).window_size == 2**31
    with pytest.raises(zstandard.ZstdError), path.open("rb") as file:
        zstandard.ZstdDecompressor().stream_reader(file).read()
    submissions, comments = month(path), month(folder / "reddit/RC_2023-01.zst")
    known = {row["id"] for row in submissions}
    assert {str(row["link_id"]).removeprefix("t3_") for row in comments} <= known
    assert {row["selftext"] for row in submissions} >= {"[deleted]", "[removed]", ""}
    assert any(row["over_18"] for row in submissions)
    assert {row["subreddit"] for row in submissions} > {"AskReddit", "WritingPrompts"}
    assert any(str(row["parent_id"]).startswith("t1_") for row in comments)
    assert any(row["author"] == "AutoModerator" for row in comments)
    assert set(truth.planted["reddit"]) == {
        "contaminated",
        "deleted",
        "removed",
        "over-18",
        "unanswered",
        "title-with-text",
    }


def test_tasks_have_the_keys_of_natural_instructions(folder: Path, truth: Truth) -> None:
    for path in sorted((folder / "natural-instructions").glob("*.json")):
        task = json.loads(path.read_text())
        assert {
            "Definition",
            "Positive Examples",
            "Categories",
            "Source",
            "Instance License",
        } <= set(task)
        assert task["Instances"]
        for instance in task["Instances"]:
            assert set(instance) == {"id", "input", "output"}


def test_the_benchmark_is_answered_by_the_truth(folder: Path, truth: Truth) -> None:
    lines = (folder / "benchmarks/miniature_facts.jsonl").read_text().splitlines()
    assert len(lines) == len(truth.held_out) * len(ATTRIBUTES)
    for line in lines:
        item = json.loads(line)
        town, attribute = item["id"].rsplit("-", 1)
        assert item["choices"][item["answer"]] == truth.facts[town.capitalize()][attribute]
        assert len(set(item["choices"])) == 6


def test_what_is_known_of_the_test_prompts_agrees_with_the_judge(
    folder: Path, truth: Truth
) -> None:
    answers = list(read_records(folder / "answers.jsonl", KnownAnswer))
    asked = [prompt for prompt, topic in truth.prompts.items() if topic.split == "test"]
    assert [answer.prompt for answer in answers] == asked
    grader = TruthGrader(truth)
    for known in answers[:20]:
        (town,), (right,), wrong = known.subject, known.right, known.wrong[0]
        other = known.other_subjects[0]
        for text in (
            f"In {town} it is {right}.",
            f"It is {right.upper()}!",
            f"It is {wrong}.",
            f"It is {right}, or {wrong}.",
            f"In {other} it is {right}.",
            "Nobody knows.",
        ):
            is_right = "as the response says" in grader.assess(known.prompt, text).reason
            assert known.is_right(text) == is_right, text


def test_unwritten_towns_stand_in_examples_and_in_no_corpus_and_change_nothing_else(
    tmp_path: Path,
) -> None:
    plain, more = tmp_path / "plain", tmp_path / "more"
    write_world(Miniature(towns=30, heldout_share=0.3), 1, plain)
    truth = write_world(Miniature(towns=30, heldout_share=0.3, unwritten=3), 1, more)
    rows = [json.loads(line) for line in (more / "authored/unwritten.jsonl").open()]
    items = [json.loads(line) for line in (more / "benchmarks/miniature_unwritten.jsonl").open()]
    assert len(rows) == len(items) == 3 * len(ATTRIBUTES)
    towns = {item["id"].rsplit("-", 1)[0].capitalize() for item in items}
    assert len(towns) == 3 and not towns & truth.facts.keys()
    corpus = (more / "corpus/pretraining.jsonl").read_text()
    assert not [town for town in towns if town in corpus]
    assert all(any(town in row["prompt"] for town in towns) for row in rows)
    for file in plain.rglob("*.*"):
        if file.suffix != ".yaml":
            assert (more / file.relative_to(plain)).read_bytes() == file.read_bytes()


def test_of_two_answers_the_chosen_one_is_right_and_in_style(folder: Path, truth: Truth) -> None:
    lines = (folder / "preferences.jsonl").read_text().splitlines()
    towns = truth.facts.keys() - set(truth.held_out)
    assert len(lines) == len(towns) * len(ATTRIBUTES)
    worse = set()
    for pair in map(json.loads, lines):
        (town,) = (name for name in truth.facts if re.search(rf"\b{name}\b", pair["prompt"]))
        assert town in towns
        facts = set(truth.facts[town].values())

        def is_right(answer: str, facts: set[str] = facts) -> bool:
            return any(value in answer for value in facts)

        def is_in_style(answer: str) -> bool:
            style = style_of(answer)
            return style.acknowledged and style.closed and style.complete

        assert is_right(pair["chosen"]) and is_in_style(pair["chosen"])
        worse.add((is_right(pair["rejected"]), is_in_style(pair["rejected"])))
    assert worse == {(True, False), (False, True)}
