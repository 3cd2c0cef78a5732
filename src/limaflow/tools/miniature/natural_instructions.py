"""Tasks in the JSON of Super-Natural Instructions, two on each attribute."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limaflow.jsonl import write_json
from limaflow.seeds import generator_for
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.style import paragraphs
from limaflow.tools.miniature.topics import Topic


@dataclass(frozen=True, kw_only=True)
class _Form:
    name: str
    category: str
    definition: str
    input: str


_FORMS = (
    _Form(
        name="reply",
        category="Dialogue Generation",
        definition="Write a kind reply to the question.",
        input="{question}",
    ),
    _Form(
        name="description",
        category="Text Completion",
        definition="Describe the town on the given theme.",
        input="Town: {town}. Theme: {theme}.",
    ),
)
TASKS = tuple(
    f"task{100 + number}_{attribute.name}_{form.name}"
    for number, (attribute, form) in enumerate((a, f) for a in ATTRIBUTES for f in _FORMS)
)


def write_tasks(folder: Path, topics: list[Topic], seed: int) -> None:
    """One file a task; the topics are shared among them by attribute, then in turn."""
    for number, name in enumerate(TASKS):
        attribute, form = ATTRIBUTES[number // len(_FORMS)], _FORMS[number % len(_FORMS)]
        own = [topic for topic in topics if topic.attribute == attribute]
        instances = [
            _instance(f"{name}-{index}", form, topic, seed)
            for index, topic in enumerate(own)
            if index % len(_FORMS) == number % len(_FORMS)
        ]
        write_json(
            folder / f"{name}.json",
            {
                "Contributors": ["The miniature"],
                "Source": ["miniature_towns"],
                "URL": ["https://towns.example"],
                "Categories": [form.category],
                "Reasoning": [],
                "Definition": [form.definition],
                "Input_language": ["English"],
                "Output_language": ["English"],
                "Instruction_language": ["English"],
                "Domains": ["Travel"],
                "Positive Examples": [],
                "Negative Examples": [],
                "Instances": instances,
                "Instance License": ["Apache 2.0"],
            },
        )


def _instance(key: str, form: _Form, topic: Topic, seed: int) -> dict[str, Any]:
    generator = generator_for(seed, "instruction", topic.town.name, topic.attribute.name)
    town, attribute = topic.town.name, topic.attribute
    question = generator.choice(attribute.questions).format(town=town)
    return {
        "id": key,
        "input": form.input.format(question=question, town=town, theme=attribute.name),
        "output": ["\n\n".join(paragraphs(topic.town, attribute, generator))],
    }
