"""A figure is one module and its line in the catalogue; a claim an entry of a file of one's own."""

import csv
import json

import pytest
from workspace import Workspace

pytestmark = pytest.mark.slow

EXHIBIT = '''"""Mean number of tokens of each arm's responses."""

from limaflow.analysis.exhibit import Figure
from limaflow.jsonl import read_records
from limaflow.plot_style import BLUE, drawing
from limaflow.records import Response


def inputs(study):
    return {"responses": [study.results.responses("test", arm) for arm in study.arms]}


def read(files, options):
    found = {path.stem: list(read_records(path, Response)) for path in files["responses"]}
    return {arm: sum(r.tokens for r in told) / len(told) for arm, told in found.items()}


def rows(data):
    return [{"arm": arm, "tokens": tokens} for arm, tokens in data.items()]


def draw(data, path, *, miniature):
    with drawing(path, width=7.2, height=2.4, miniature=miniature) as figure:
        figure.subplots().barh(list(data), list(data.values()), color=BLUE)


FIGURE = Figure(
    inputs=inputs,
    read=read,
    rows=rows,
    draw=draw,
    caption="Mean tokens of each arm’s responses.",
    category="Responses",
)
'''
CLAIMS = """
- id: clearly-preferred-to-base
  statement: The tuned model is preferred to its base by far.
  measure: [{quantity: wins_over, role: base, above: 0.6}]
  supported: the whole interval of wins + ½ ties lies above 0.6
  contradicted: the whole interval lies below 0.6
"""


@pytest.fixture
def extended(workspace: Workspace) -> Workspace:
    folder = workspace.folder
    analysis = folder / "src/limaflow/analysis/exhibits"
    (analysis / "response_lengths.py").write_text(EXHIBIT, encoding="utf-8")
    catalogue = "src/limaflow/analysis/exhibits/catalogue.py"
    workspace.edit(catalogue, "    quality,\n", "    quality,\n    response_lengths,\n")
    workspace.edit(
        catalogue,
        '    "training": training.FIGURE,\n',
        '    "training": training.FIGURE,\n    "response-lengths": response_lengths.FIGURE,\n',
    )
    (folder / "mine").mkdir()
    (folder / "mine/claims.yaml").write_text(CLAIMS, encoding="utf-8")
    (folder / "mine.yaml").write_text("analysis: {claims: [mine/claims.yaml]}\n", encoding="utf-8")
    return Workspace(folder, (*workspace.configfiles, "mine.yaml"))


def test_a_new_figure_and_a_claim_from_outside_reach_the_report(extended: Workspace) -> None:
    new = {"figure(figure=response-lengths)", "decide_claims", "html_report"}
    assert extended.planned() == new | {"configuration", "response_browser"}
    done = extended.run()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    page = (extended.results / "report/index.html").read_text(encoding="utf-8")
    assert "<figcaption>Mean tokens of each arm’s responses." in page
    assert "The tuned model is preferred to its base by far." in page
    assert "Asked by this study." in page
    assert "Supported if the whole interval of wins + ½ ties lies above 0.6." in page
    with (extended.results / "figures/response-lengths.csv").open(encoding="utf-8") as file:
        assert {row["arm"] for row in csv.DictReader(file)} >= {"lima", "base"}
    found = json.loads((extended.results / "analysis/claims.json").read_text(encoding="utf-8"))
    assert found["claims"][-1]["measured"][0]["label"].startswith("wins + ½ ties against base")

    assert extended.planned() == set()
    extended.edit("mine/claims.yaml", "above: 0.6}", "above: 0.7}")
    assert extended.planned() == {"decide_claims", "html_report"}


def test_an_edit_of_one_figure_repeats_that_figure_alone(workspace: Workspace) -> None:
    workspace.edit("src/limaflow/analysis/exhibits/quality.py", "0.32 * max", "0.33 * max")
    assert workspace.planned() == {"figure(figure=quality)", "html_report"}


def test_a_mistake_in_a_claim_is_told_before_anything_runs(extended: Workspace) -> None:
    extended.edit("mine/claims.yaml", "wins_over", "wins_ovr")
    command = extended.command()
    done = extended.done([command[0], "-n", *command[1:]])
    assert done.returncode != 0
    assert "did you mean 'wins_over'" in done.stdout + done.stderr
