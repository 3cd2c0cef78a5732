"""Figure 4: responses to read."""

from limaflow.analysis.artifacts import passages
from limaflow.analysis.artifacts.artifact import Artifact, Passage
from limaflow.analysis.exhibit import Files, Options
from limaflow.analysis.paper import paper
from limaflow.analysis.study import Study
from limaflow.jsonl import read_records
from limaflow.records import Example, Response
from limaflow.seeds import generator_for

SHOWN = 4


def inputs(study: Study) -> Files:
    return {
        "prompts": [study.results.prompts("test")],
        "responses": [study.results.responses("test", study.lima)],
    }


def read(files: Files, options: Options) -> list[Passage]:
    """The LIMA arm's first responses to prompts drawn by the seed, without those on safety."""
    said = {
        response.prompt_id: response
        for response in read_records(files["responses"][0], Response)
        if response.sample == 0
    }
    asked = sorted(
        (
            prompt
            for prompt in read_records(files["prompts"][0], Example)
            if prompt.id in said and not tests_safety(prompt)
        ),
        key=lambda prompt: prompt.id,
    )
    drawn = generator_for(options.seed, "figure 4").sample(asked, min(SHOWN, len(asked)))
    text = paper().texts["figure-4"]
    return [
        Passage(
            label=f"prompt {number}, {prompt.source}",
            ours=f"{prompt.prompt}\n→ {said[prompt.id].text or '(empty)'}",
            paper=text.text,
            place=text.source,
        )
        for number, prompt in enumerate(drawn, start=1)
    ]


def tests_safety(prompt: Example) -> bool:
    """Whether a prompt is known to ask for what may be harmful to show."""
    tags = prompt.tags
    return tags is not None and bool(tags.sensitive or tags.contrast or tags.attack)


FIGURE_4 = Artifact(
    title="Figure 4: responses to read",
    inputs=inputs,
    read=read,
    rows=passages.rows,
    printed=passages.printed,
    draw=passages.draw,
    uses=("bootstrap",),
)
