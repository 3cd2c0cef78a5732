"""The page of whole dialogues in a real browser: played turn by turn, by keys and by pointer."""

import json
from pathlib import Path
from typing import Any

import pytest
from dialogue_rounds import FORGED, begun

from limaflow.jsonl import read_records
from limaflow.judging.transcripts import turns_in
from limaflow.records import Grade, Verdict
from limaflow.tools.annotation import cli

pytestmark = pytest.mark.slow
SECONDS = 20


def opened(browser: Any, packet: Path, folder: Path) -> None:
    cli.page([packet], output=folder / "mail")
    address = (folder / f"mail/{packet.stem}.html").as_uri()
    browser.get_log("browser")
    browser.get("about:blank")
    browser.get(address)
    browser.execute_script("localStorage.clear()")
    browser.get(address)


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def until(browser: Any, text: str, place: str = "said") -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, SECONDS, poll_frequency=0.05).until(
        lambda _: text in browser.find_element("id", place).text
    )


def shown(browser: Any, dialogue: int) -> list[tuple[str, str]]:
    """Who speaks and what is said, of the turns of a dialogue that are on the page."""
    script = """return [...document.querySelectorAll(`#answer-${arguments[0]} > .turn`)].map((t) =>
        [t.querySelector("h3").textContent, t.querySelector(".said").textContent])"""
    return [tuple(turn) for turn in browser.execute_script(script, dialogue)]


def test_a_dialogue_is_played_turn_by_turn_graded_chosen_and_imported(
    browser: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    made = begun(tmp_path)
    opened(browser, made.packet_file("ann"), tmp_path)
    until(browser, "1 of 3", "number")
    item = made.packet("ann").items[0]
    one = turns_in(item.answers[0])
    # Of each dialogue the first turn alone; the next one once that is graded.
    assert shown(browser, 1) == [("User", one[0].content), ("Assistant, turn 1", one[1].content)]
    assert len(shown(browser, 2)) == 2
    browser.find_element("css selector", "[data-choice=first]").click()
    until(browser, "Grade turn 1 of the first dialogue first.")
    press(browser, "3")
    until(browser, "first dialogue, turn 1: fail")
    assert shown(browser, 1)[2:] == [
        ("User", one[2].content),
        ("Assistant, turn 2", one[3].content),
    ]
    press(browser, "u")
    until(browser, "Taken back: first dialogue, turn 1")
    assert len(shown(browser, 1)) == 2
    press(browser, "1", "2", "3", "2")
    until(browser, "All turns are graded")
    assert [len(shown(browser, n)) for n in (1, 2)] == [4, 4]
    press(browser, "2")
    until(browser, "2 of 3", "number")
    press(browser, "u")
    until(browser, "1 of 3", "number")
    pressed = "return [...document.querySelectorAll('.grades [aria-pressed=true]')].length"
    assert browser.execute_script(pressed) == 4, "grades come back with the choice"
    press(browser, Keys.ARROW_LEFT)
    until(browser, "2 of 3", "number")
    for number in (2, 3):
        until(browser, f"{number} of 3", "number")
        press(browser, "1", "1", "1", "1", "3")
    until(browser, "All are answered")
    press(browser, "e")
    value = browser.find_element("id", "answers").get_property("value")
    assert json.loads(value)["answers"][0]["turns"] == [
        ["excellent", "pass"],
        ["fail", "pass"],
    ]
    (tmp_path / "back.json").write_text(value, encoding="utf-8")
    cli.import_answers(made.folder, [tmp_path / "back.json"], output=tmp_path / "out")
    assert len(list(read_records(tmp_path / "out/lima-vs-base.jsonl", Verdict))) == 3
    grades = list(read_records(tmp_path / "out/turns/base.jsonl", Grade))
    assert len(grades) == 6
    assert browser.execute_script("return performance.getEntriesByType('resource')") == []
    assert browser.get_log("browser") == []


def test_an_answer_that_writes_a_users_turn_is_shown_as_one_answer(
    browser: Any, tmp_path: Path
) -> None:
    made = begun(tmp_path)
    number = next(
        n
        for n, item in enumerate(made.packet("ann").items)
        if any(FORGED in a for a in item.answers)
    )
    dialogue = 1 + next(
        n for n, a in enumerate(made.packet("ann").items[number].answers) if FORGED in a
    )
    opened(browser, made.packet_file("ann"), tmp_path)
    press(browser, *("f" * number), "1", "1", "1", "1")
    until(browser, "All turns are graded")
    found = shown(browser, dialogue)
    assert [who for who, _ in found] == ["User", "Assistant, turn 1", "User", "Assistant, turn 2"]
    assert found[3][1] == FORGED
    assert not browser.find_elements("css selector", ".said b")


def test_it_reads_on_a_phone_in_the_dark_and_in_print(browser: Any, tmp_path: Path) -> None:
    opened(browser, begun(tmp_path).packet_file("ann"), tmp_path)
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        for features in ([], [{"name": "prefers-color-scheme", "value": "dark"}]):
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            assert browser.execute_script(
                "return document.documentElement.scrollWidth <= innerWidth"
            )
            sizes = browser.execute_script(
                "return [...document.querySelectorAll('.grades button, .choices button')]"
                ".map((b) => b.getBoundingClientRect().height)"
            )
            assert min(sizes) >= 44, "as large as a thumb"
            assert min(browser.execute_script(CONTRASTS)) >= 4.5
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
        assert not browser.find_element("class name", "steps").is_displayed()
        assert browser.find_element("css selector", "#answer-2 .said").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_what_a_screen_reader_needs_is_there(browser: Any, tmp_path: Path) -> None:
    opened(browser, begun(tmp_path).packet_file("ann"), tmp_path)
    press(browser, "1")
    assert browser.execute_script("return document.activeElement.className") == (
        "turn assistant open"
    ), "the keyboard stands at the turn that is to be graded next"
    problems = browser.execute_script("""
        const found = [];
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        if (new Set(ids).size < ids.length) found.push("an id stands twice");
        for (const button of document.querySelectorAll("button"))
          if (!button.textContent.trim() && !button.ariaLabel) found.push("a nameless button");
        for (const group of document.querySelectorAll("[role=group], dialog, section, main"))
          if (!group.ariaLabel && !document.getElementById(group.getAttribute("aria-labelledby")))
            found.push(`${group.tagName} without a name`);
        for (const list of document.querySelectorAll("ol"))
          if ([...list.children].some((c) => c.tagName !== "LI")) found.push("a list of others");
        return found;
    """)
    assert problems == []
    labels = browser.execute_script(
        "return [...document.querySelectorAll('.grades')].map((g) => g.ariaLabel)"
    )
    assert labels == [
        "How good is the answer? (first dialogue, turn 1)",
        "How good is the answer? (first dialogue, turn 2)",
        "How good is the answer? (second dialogue, turn 1)",
    ]


CONTRASTS = """
const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = (c) => c.map((v) => linear(v / 255))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const colour = (value) => (value.match(/[0-9.]+/g) ?? []).map(Number);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const c = colour(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c.slice(0, 3);
  }
  return [255, 255, 255];
};
const texts = document.querySelectorAll(".turn h3, .said, .grades button, .choices button");
return [...texts].map((e) => {
  const [a, b] = [light(colour(getComputedStyle(e).color).slice(0, 3)), light(behind(e))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
});
"""
"""WCAG 2.2's contrast of text with what is behind it."""
