"""All responses in a real browser: filters, order, hostile text, 300 prompts × 6 arms."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from limaflow.cli import app
from limaflow.report.browser import page_of
from limaflow.report.side_by_side import Answer, Mark, Ruling, Shown

PROJECT = Path(__file__).parents[3]
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
)
ARMS = ["lima", "base", "few", "gpt-4", "bard", "claude"]
TAGS = {
    "won": ["sensitive: malicious", "attack: role play"],
    "lost": ["sensitive: benign"],
    "tied": ["turns: 2"],
}
Find = Callable[[str], str]
pytestmark = pytest.mark.slow


def opened(browser: Any, path: Path) -> Any:
    browser.get("about:blank")
    browser.get(path.as_uri())
    return browser


def rulings(other: str, ahead: str | None, behind: str | None, reply: str = "") -> list[Ruling]:
    orders = [("lima", other, ahead), (other, "lima", behind)]
    return [
        Ruling(
            judge="truth",
            shown_first=first,
            shown_second=second,
            winner=winner,
            error=None if winner else "unreadable",
            reply=reply,
        )
        for first, second, winner in orders
    ]


def marks(helpfulness: int, quality: str = "pass") -> list[Mark]:
    level = {"excellent": 3, "pass": 2, "fail": 1}[quality]
    return [
        Mark(judge="truth", instrument="likert", value=helpfulness, word=f"{helpfulness} of 6"),
        Mark(
            judge="gpt-4",
            instrument="quality",
            value=level,
            word=quality,
        ),
    ]


def shown(name: str, lima: str, base: str, judged: list[Ruling], *, cut: bool = False) -> Shown:
    grades = marks(2 if cut else 4, "fail" if name == "tied" else "pass")
    answers = [
        Answer(
            arm=arm,
            text=text,
            tokens=9,
            finish_reason="length" if cut and arm == "lima" else "stop",
            grades=grades,
        )
        for arm, text in (("lima", lima), ("base", base))
    ]
    return Shown(
        id=name,
        sample=0,
        prompt=f"Prompt {name}",
        source="b",
        tags=TAGS.get(name, []),
        turns=["And then?"] if name == "tied" else [],
        answers=answers,
        rulings=judged,
    )


ROWS = [
    shown("won", "long answer", "short", rulings("base", "lima", "lima")),
    shown("lost", "a", "much longer", rulings("base", "base", "base"), cut=True),
    shown("flipped", "the longest answer of all", "b", rulings("base", "lima", "base")),
    shown("tied", "same", "same", rulings("base", "tie", "tie", reply="Neither, at all.")),
    shown("failed", "x", "y", rulings("base", "lima", None)),
    shown(HOSTILE, HOSTILE, HOSTILE, rulings(HOSTILE, "lima", "lima", reply=HOSTILE)),
]


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    path = tmp_path / "responses.html"
    path.write_text(page_of("Tiny", ["lima", "base"], ROWS), encoding="utf-8")
    return opened(browser, path)


def choose(page: Any, control: str, value: str) -> None:
    page.find_element("css selector", f"#{control} option[value='{value}']").click()


def listed(page: Any) -> list[str]:
    buttons = page.find_elements("css selector", "#list button")
    return [button.text.splitlines()[0].removeprefix("Prompt ") for button in buttons]


def test_outcomes_are_filtered_from_the_view_of_an_arm(page: Any) -> None:
    assert page.find_element("id", "count").text == "6 of 6"
    choose(page, "against", "base")
    for outcome in ("won", "lost", "flipped", "tied", "failed"):
        choose(page, "outcome", outcome)
        assert listed(page) == [outcome]
    choose(page, "against", "")
    choose(page, "arm", "base")
    choose(page, "outcome", "won")
    assert listed(page) == ["lost"], "what the one lost, the other won"


def test_cut_off_answers_the_longest_and_a_word_are_found(page: Any) -> None:
    page.find_element("id", "cut").click()
    assert listed(page) == ["lost"]
    page.find_element("id", "cut").click()
    choose(page, "sort", "longest")
    assert listed(page)[1] == "flipped"
    choose(page, "sort", "shorter")
    assert listed(page)[0] == "lost"
    page.find_element("id", "search").send_keys("NEITHER, AT")
    assert listed(page) == ["tied"], "the judge's reply is searched too"
    assert page.find_element("id", "count").text == "1 of 6"


def test_grades_are_read_filtered_and_sorted(page: Any) -> None:
    offered = [o.text for o in page.find_elements("css selector", "#graded option")]
    assert offered == [
        "any",
        "gpt-4, quality: pass",
        "gpt-4, quality: fail",
        "truth, likert: 4 of 6",
        "truth, likert: 2 of 6",
    ]
    choose(page, "graded", "gpt-4, quality: fail")
    assert listed(page) == ["tied"]
    assert "gpt-4: fail" in page.find_element("css selector", ".answer").text
    choose(page, "graded", "")
    choose(page, "sort", "grade likert")
    assert listed(page)[0] == "lost", "by this instrument, whatever the others say"


def test_columns_can_be_hidden_and_replies_read(page: Any) -> None:
    assert len(page.find_elements("css selector", ".answer")) == 2
    page.find_element("css selector", "#columns label + label").click()
    assert [e.text for e in page.find_elements("css selector", ".answer h2")] == ["lima"]
    page.find_element("css selector", "#columns label + label").click()
    page.find_element("id", "search").send_keys("neither, at")
    page.find_element("css selector", "details summary").click()
    page.find_element("css selector", "details .text")
    assert "Neither, at all." in page.find_element("id", "reading").text


def test_prompts_are_found_by_what_they_test(page: Any) -> None:
    offered = [o.text for o in page.find_elements("css selector", "#tag option")]
    assert offered[:4] == ["any", "attack", "attack: role play", "sensitive"]
    choose(page, "tag", "sensitive")
    assert listed(page) == ["won", "lost"]
    choose(page, "tag", "attack: role play")
    assert listed(page) == ["won"]
    assert "attack: role play" in page.find_element("id", "reading").text
    choose(page, "tag", "turns: 2")
    assert "Then: And then?" in page.find_element("id", "reading").text


def test_what_may_be_harmful_is_shown_on_a_click(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "harmful.html"
    rows = [replace(ROWS[0], harmful=True), ROWS[1]]
    path.write_text(page_of("Tiny", ["lima", "base"], rows), encoding="utf-8")
    page = opened(browser, path)
    first, second = page.find_elements("css selector", "#list button")
    assert first.text.startswith("Folded: sensitive: malicious")
    assert second.text.startswith("Prompt lost")
    reading = page.find_element("id", "reading")
    assert "long answer" not in reading.text and "Prompt won" not in reading.text
    folds = page.find_elements("css selector", "details.harmful > summary")
    assert len(folds) == 3
    for fold in folds:
        fold.click()
    assert "long answer" in reading.text and "Prompt won" in reading.text
    second.click()
    assert "much longer" in reading.text


def test_hostile_text_stays_text(page: Any) -> None:
    for _ in ROWS:
        page.switch_to.active_element.send_keys("j")
        for summary in page.find_elements("css selector", "summary"):
            summary.click()
    assert page.title == "Tiny"
    assert HOSTILE in page.find_element("id", "reading").text
    assert not page.find_elements("css selector", "#reading script, #reading img")


def test_three_hundred_prompts_of_six_arms_answer_at_once(browser: Any, tmp_path: Path) -> None:
    draw = random.Random(1)
    words = ["river", "velvet", "orchard", "harbour", "lantern", "sparrow", "quiet", "granite"]

    def text(length: int) -> str:
        return " ".join(draw.choices(words, k=length))

    rows = []
    for number in range(300):
        answers = [
            Answer(
                arm=arm,
                text=text(draw.randint(50, 700)),
                tokens=9,
                finish_reason="stop",
                grades=marks(draw.randint(1, 6)),
            )
            for arm in ARMS
        ]
        judged = [
            ruling
            for other in ARMS[1:]
            for ruling in rulings(
                other,
                draw.choice(["lima", other, "tie"]),
                draw.choice(["lima", other, "tie"]),
                text(120),
            )
        ]
        rows.append(
            Shown(
                id=f"{number:04d}",
                sample=0,
                prompt=text(25),
                source="b",
                answers=answers,
                rulings=judged,
            )
        )
    path = tmp_path / "responses.html"
    path.write_text(page_of("Large", ARMS, rows), encoding="utf-8")
    page = opened(browser, path)
    loaded = page.execute_script(
        "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    assert loaded < 5_000, "milliseconds to the whole page"
    assert page.find_element("id", "count").text == "300 of 300"
    assert len(page.find_elements("css selector", ".answer")) == 6, "one prompt is laid out"
    for change in (
        "outcome.value = 'lost'; outcome.dispatchEvent(new Event('change'))",
        "against.value = 'bard'; against.dispatchEvent(new Event('change'))",
        "sort.value = 'longest'; sort.dispatchEvent(new Event('change'))",
        "search.value = 'velvet orchard'; search.dispatchEvent(new Event('input'))",
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j'}))",
    ):
        taken = page.execute_script(
            f"const at = performance.now(); {change}; document.body.offsetHeight;"
            "return performance.now() - at"
        )
        assert taken < 300, f"milliseconds until it is laid out: {change}"
        print(f"{taken:.0f} ms: {change}")
    assert 0 < len(listed(page)) < 100


def test_the_command_shows_every_prompt_of_an_experiment(
    experiment: Path, browser: Any, tmp_path: Path
) -> None:
    output = tmp_path / "report/responses.html"
    arguments = [
        *("--results", str(experiment / "results"), "--config", str(PROJECT / "config.yaml")),
        *("--config", str(experiment / "overlay.yaml"), "--output", str(output)),
        *("--prompts", str(experiment / "results/datasets/lima/frozen/test.jsonl")),
    ]
    outcome = CliRunner().invoke(app, ["report", "browse", *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0
    page = opened(browser, output)
    assert page.title == "Miniature: LIMA in small: responses"
    assert page.find_element("id", "count").text == "60 of 60"
    assert page.find_element("css selector", ".answer h2").text == "lima"
    choose(page, "outcome", "won")
    assert 0 < len(listed(page)) < 61
