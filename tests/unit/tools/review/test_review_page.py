"""The page in a real browser, by its keys, over a real server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from limaflow.curation.ledger import read
from limaflow.jsonl import write_records
from limaflow.records import Example, Message, example_id

pytestmark = pytest.mark.slow

SECONDS = 30
Start = Callable[..., Any]


class Page:
    """The page as a person sees and uses it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        browser.get_log("browser")
        browser.get(address)
        self.until(self.title)

    def until(self, true: Callable[[], Any]) -> None:
        """Wait till something holds; elements may be drawn anew meanwhile."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(
            self.browser,
            SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[StaleElementReferenceException],
        )
        wait.until(lambda _: true())

    def texts(self, selector: str) -> list[str]:
        return [found.text for found in self.browser.find_elements("css selector", selector)]

    def text(self, selector: str) -> str:
        return " ".join(self.texts(selector))

    def title(self) -> str:
        return self.text("main .turn.user .text")

    def press(self, *keys: str, control: bool = False) -> None:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        chain = ActionChains(self.browser)
        chain = chain.key_down(Keys.CONTROL) if control else chain
        chain = chain.send_keys(*keys)
        (chain.key_up(Keys.CONTROL) if control else chain).perform()

    def reads(self, prompt: str) -> None:
        self.until(lambda: self.title() == prompt)

    def counts(self, text: str) -> None:
        self.until(lambda: self.text("#counts") == text)


def decided(server: Any) -> list[tuple[str, str, str]]:
    return [(d.id, d.decision, d.reason) for d in read([server.ledger]).decisions]


def test_a_review_by_keys_alone(browser: Any, start: Start, sample: list[Example]) -> None:
    from selenium.webdriver.common.keys import Keys

    server = start()
    page = Page(browser, server.address)
    page.reads(sample[0].prompt)
    assert server.token not in browser.current_url
    page.press("k")
    page.reads(sample[1].prompt)
    page.press("r")
    page.until(lambda: page.texts("#reasons li"))
    page.press("1")
    page.reads(sample[2].prompt)
    page.press("r")
    page.press("boils over", Keys.ENTER)
    page.reads(sample[3].prompt)
    page.counts("3 of 6 · 1 kept · 0 edited · 2 rejected")
    page.press(Keys.ARROW_LEFT)
    page.reads(sample[2].prompt)
    assert "You rejected this: boils over" in page.text("main .banner")
    page.press("g")
    page.reads(sample[3].prompt)
    page.press("k")
    page.until(lambda: "replacement" in page.text("[aria-current]"))
    assert decided(server) == [
        (sample[0].id, "keep", ""),
        (sample[1].id, "reject", "wrong or misleading"),
        (sample[2].id, "reject", "boils over"),
        (sample[3].id, "keep", ""),
    ]
    assert browser.get_log("browser") == []


def test_editing_and_undoing(browser: Any, start: Start, sample: list[Example]) -> None:
    from selenium.webdriver.common.keys import Keys

    server = start()
    page = Page(browser, server.address)
    page.reads(sample[0].prompt)
    page.press("e")
    page.until(lambda: page.texts("textarea"))
    page.press("In short: k r u. ")
    page.press(Keys.ESCAPE)
    assert "Esc again" in page.text("#said")
    page.press(Keys.ENTER, control=True)
    page.until(lambda: "You edited this" in page.text("main .banner"))
    assert page.texts("main ins") == ["In short: k r u. "]
    [edit] = read([server.ledger]).decisions
    assert edit.messages == (
        sample[0].messages[0],
        Message(role="assistant", content=f"In short: k r u. {sample[0].response}"),
    )
    page.press("k")
    page.reads(sample[1].prompt)
    page.press("k")
    page.reads(sample[2].prompt)
    page.press("u")
    page.reads(sample[1].prompt)
    page.press("u")
    page.reads(sample[0].prompt)
    page.counts("0 of 4 · 0 kept · 0 edited · 0 rejected")
    assert page.text("main .turn.assistant .text") == sample[0].response
    assert [d[1] for d in decided(server)] == ["edit", "keep", "undo", "undo"]


def test_filters_and_search_narrow_the_list(
    browser: Any, start: Start, sample: list[Example]
) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    page = Page(browser, start().address)
    page.press("k")
    page.counts("1 of 4 · 1 kept · 0 edited · 0 rejected")
    state = Select(browser.find_element("id", "state"))
    state.select_by_value("open")
    page.until(lambda: len(page.texts(".row")) == 3)
    page.press("k")
    page.until(lambda: len(page.texts(".row")) == 2)
    state.select_by_value("keep")
    page.until(lambda: len(page.texts(".row.keep")) == 2)
    state.select_by_value("all")
    page.press("/")
    page.press(sample[3].prompt.split()[2])
    page.reads(sample[3].prompt)
    assert len(page.texts(".row")) == 1
    page.press(Keys.ESCAPE, "k")
    page.counts("3 of 4 · 3 kept · 0 edited · 0 rejected")


def test_a_server_killed_at_once_loses_nothing(
    browser: Any, start: Start, sample: list[Example]
) -> None:
    from selenium.webdriver.common.keys import Keys

    server = start()
    page = Page(browser, server.address)
    page.press("k")
    page.reads(sample[1].prompt)
    page.press("k")
    page.reads(sample[2].prompt)
    server.kill()
    page.press("k")
    page.until(lambda: "does not answer" in page.text("#trouble"))
    page.press("e")
    page.until(lambda: page.texts("textarea"))
    page.press("long work ")
    page.press(Keys.ENTER, control=True)
    page.until(lambda: "not saved" in page.text("#trouble"))
    [field] = browser.find_elements("css selector", ".turn:last-of-type textarea")
    assert field.get_property("value").startswith("long work ")
    with server.ledger.open("a") as file:
        file.write('{"decision": "rej')
    again = start()
    assert "cut short" in "".join(again.output)
    page = Page(browser, again.address)
    page.reads(sample[2].prompt)
    page.counts("2 of 4 · 2 kept · 0 edited · 0 rejected")


def test_hostile_texts_are_only_text(
    browser: Any, start: Start, sample: list[Example], tmp_path: Path
) -> None:
    attack = (
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
        "\n\n[click](javascript:alert(1)) ![x](http://evil.example/x.png) **bold** <b>raw</b>"
    )
    messages = (
        Message(role="user", content=f"Why? {attack}"),
        Message(role="assistant", content=attack),
    )
    server = start()
    server.process.terminate()
    server.process.wait()
    hostile = Example(
        id=example_id(messages),
        messages=messages,
        source="<img src=x onerror=document.title='owned'>",
        split="train",
    )
    write_records(tmp_path / "sampled.jsonl", [hostile])
    page = Page(browser, start().address)
    page.until(lambda: "bold" in page.text("main strong"))
    assert "<script>" in page.text("main")
    assert browser.find_elements("css selector", "main :is(script, img, a, b)") == []
    page.press("m")
    page.until(lambda: "**bold**" in page.text("main .turn.assistant"))
    assert browser.title == "Review of sampled"
    assert browser.get_log("browser") == []


def test_two_reviewers_meet_after_deciding(
    browser: Any, start: Start, sample: list[Example]
) -> None:
    bob = start("bob").client()
    body = {"id": sample[0].id, "decision": "reject", "reason": "dull", "since": 0}
    assert bob.post("/api/decide", json=body).status_code == httpx.codes.OK
    page = Page(browser, start("ann").address)
    page.reads(sample[0].prompt)
    assert "bob" not in page.text("body")
    page.press("k")
    page.reads(sample[1].prompt)
    page.press("p")
    page.until(lambda: "bob rejected this: dull" in page.text("aside"))
    assert "disagree" in page.text(".row.keep")
