"""HellaSwag items in training data, as LIMA's released 1,000 hold some, come to light.

HellaSwag cuts wikiHow articles and video captions into a context and four endings, of which one is
the true one (Zellers et al. 2019). The items here are invented in its format, rendered by lm-eval's
own code for it, and planted in articles that go through our wikiHow reader and rules.
"""

import csv
import importlib.util
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from limaflow.curation.decontamination import Protected, decontaminated
from limaflow.curation.filtering import filtered
from limaflow.curation.protected_text import ProtectedText
from limaflow.lm_evaluation.item_texts import item_texts
from limaflow.records import Example
from limaflow.sources.extraction import candidates
from limaflow.sources.kinds.wikihow import WikihowOptions
from limaflow.sources.shard import Shard

WIKIHOW = {
    "activity_label": "Home and Garden",
    "ctx_a": "How to clean a copper pan [header] Mix salt with vinegar. [title] Pour half a cup of "
    "white vinegar into a bowl and stir in two spoons of table salt. [step] The salt scrubs.",
    "ctx_b": "",
    "endings": [
        "Leave the bowl in the oven for an hour and then throw the pan away at once.",
        "[substeps] Never touch copper with your hands, as the metal is known to bite people.",
        "Dip a soft cloth into the bowl and rub the pan in small circles until all stains go.",
        "Sing to the pan.",
    ],
    "label": "2",
}
CAPTION = {
    "activity_label": "Roof shingle removal",
    "ctx_a": "A man is sitting on a roof.",
    "ctx_b": "he",
    "endings": [
        "is using wrap to wrap a pair of skis.",
        "is ripping level tiles off.",
        "is holding a rubik's cube.",
        "starts pulling up roofing on a roof.",
    ],
    "label": "3",
}
ARTICLES = {
    "How to Clean a Copper Pan": "Mix salt with vinegar. Pour half a cup of white vinegar into a "
    "bowl, and stir in two spoons of table salt. The salt scrubs.",
    "How to Polish Old Metal": "Metal dulls over the years. Dip a soft cloth into the bowl and rub "
    "the pan in small circles until all stains go. Then rinse it.",
    "How to Tell a Story": "Begin in the middle: A man is sitting on a roof. He starts pulling up "
    "roofing on a roof. Why? Let the reader wonder.",
    "How to Bake Bread": "Mix flour, water, salt and yeast, and knead the dough until it is smooth "
    "and springs back when it is pressed with a finger.",
}


@pytest.fixture
def items(tmp_path: Path) -> list[ProtectedText]:
    """The items as `limaflow benchmark texts` writes them, rendered by lm-eval's HellaSwag code."""
    spec = importlib.util.find_spec("lm_eval")
    assert spec
    assert spec.submodule_search_locations
    built_in = Path(spec.submodule_search_locations[0]) / "tasks/hellaswag"
    folder = tmp_path / "task"
    folder.mkdir()
    shutil.copy(built_in / "utils.py", folder)
    task = (built_in / "hellaswag.yaml").read_text(encoding="utf-8")
    data = tmp_path / "validation.jsonl"
    data.write_text("".join(f"{json.dumps(item)}\n" for item in (WIKIHOW, CAPTION)))
    task = task.replace("task: hellaswag", "task: hellaswag_like")
    task = task.replace(
        "dataset_path: Rowan/hellaswag",
        f"dataset_path: json\ndataset_kwargs: {{data_files: {{validation: {data}}}}}",
    )
    task = task.replace("training_split: train\n", "")
    (folder / "hellaswag_like.yaml").write_text(task, encoding="utf-8")
    return [
        ProtectedText(task=t.task, item_id=t.item_id, text=t.text, question=t.question)
        for t in item_texts(["hellaswag_like"], folder, limit=None)
    ]


@pytest.fixture
def articles(tmp_path: Path) -> list[Example]:
    """The wikiHow articles as training examples."""
    raw = tmp_path / "wikihow.csv"
    with raw.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["title", "headline", "text"])
        rows.writerows([title, "", text] for title, text in ARTICLES.items())
    shard = Shard(
        kind="wikihow",
        source="wikihow",
        name="all",
        files=(raw,),
        scratch=tmp_path,
        options=WikihowOptions(),
    )
    return filtered(candidates(shard, Counter()), None, seed=1)[0]


def test_context_true_ending_and_short_items_are_found_in_articles(
    items: list[ProtectedText], articles: list[Example]
) -> None:
    kept, dropped, matches = decontaminated(articles, Protected([], items, 13))
    assert [example.prompt for example in kept] == ["How to Bake Bread"]
    prompts = {example.id: example.prompt for example in articles}
    quoted = {prompts[match.id]: match for match in matches}
    assert {drop.rule for drop in dropped} == {"contaminated"}
    pan = quoted["How to Clean a Copper Pan"]
    assert pan.matched.startswith("Mix salt with vinegar. Pour half a cup")
    assert "stir in two spoons" in pan.text
    assert quoted["How to Polish Old Metal"].matched.startswith("Dip a soft cloth into the bowl")
    story = quoted["How to Tell a Story"]
    assert story.matched.startswith("A man is sitting on a roof. He starts pulling up")
    assert story.turn.startswith("Begin in the middle")
    assert {match.against for match in matches} == {"hellaswag_like"}
