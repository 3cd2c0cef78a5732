"""The page in a real browser, by its keys, over a real server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from limaflow.curation.filtering import filtered
from limaflow.curation.ledger import read
from limaflow.curation.settings import Filters
from limaflow.jsonl import write_records
from limaflow.records import Candidate, Example, Message, Provenance, example_id
from limaflow.tools.review.review_session import Session
from limaflow.tools.review.reviewed_sample import Material
from limaflow.tools.review.server import application
from limaflow.tools.review.shares import Share

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

    def text_of(self, selector: str) -> str:
        """The text of an element, in view or not."""
        found = self.browser.find_element("css selector", selector)
        return str(found.get_property("textContent"))

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


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The address of a page that is served in this process."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


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
    assert browser.switch_to.active_element.get_attribute("id") == "text", "typing may go on"
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


def test_title_and_body_are_swapped_by_a_key_and_the_original_is_shown(
    browser: Any, start: Start, sample: list[Example], tmp_path: Path
) -> None:
    body = "<p>I would like to know: what makes <em>ale</em> so dark and sweet, malt or sugar?</p>"
    candidate = Candidate(
        id="c",
        source="beer",
        shard="beer",
        kind="stackexchange",
        title="What makes ale?",
        body=body,
        response="<p>Malt.</p>",
        markup="html",
        provenance=Provenance(site="beer", ids=("1",), title="What makes ale?"),
    )
    [example], _ = filtered([candidate], Filters(title_prompt_share=0), 1)
    write_records(tmp_path / "candidates.jsonl", [candidate])
    material = Material(
        dataset="lima",
        sample=[example, *sample],
        reserve=[],
        ledger=tmp_path / "l.jsonl",
        seed=1,
        candidates=[tmp_path / "candidates.jsonl"],
    )
    with served(application(Session(material, "ann", Share()))) as address:
        page = Page(browser, f"{address}/#{example.id}")
        page.until(lambda: "What makes ale?" in page.text(".beside"))
        assert (
            page.title() == "I would like to know: what makes ale so dark and sweet, malt or sugar?"
        )
        page.press("o")
        page.until(lambda: body in page.texts(".source"))
        page.press("m", "s")
        page.reads("What makes ale?")
        assert "I would like to know" in page.text_of("details.beside div")
        [edit] = read([tmp_path / "l.jsonl"]).decisions
        assert [m.content for m in edit.messages or ()] == ["What makes ale?", "Malt."]
        page.press("u")
        page.reads("I would like to know: what makes ale so dark and sweet, malt or sugar?")
    assert browser.get_log("browser") == []


def test_progress_is_counted_by_source(browser: Any, start: Start, sample: list[Example]) -> None:
    server = start()
    server.process.terminate()
    server.process.wait()
    rows = [replace(e, source=f"s{n % 2}") for n, e in enumerate(sample)]
    write_records(server.ledger.parent / "sampled.jsonl", rows)
    page = Page(browser, start().address)
    page.press("k")
    page.reads(sample[1].prompt)
    browser.execute_script("document.querySelector('details.progress').open = true")
    lines = [line.split() for line in page.texts("#by-source tr")]
    assert lines[1:] == [["s0", "1", "2", "1", "0", "0"], ["s1", "0", "2", "0", "0", "0"]]


def test_a_phone_shows_one_column_and_paper_the_texts_alone(browser: Any, start: Start) -> None:
    page = Page(browser, start().address)
    size = {"deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, **size}
    )
    try:
        wide = "return document.documentElement.scrollWidth"
        page.until(lambda: browser.execute_script(wide) == 390)
        places = [browser.find_element("css selector", s).rect for s in ("#list", "main", "aside")]
        assert [place["width"] for place in places] == [390] * 3
        assert [place["y"] for place in places] == sorted(place["y"] for place in places)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        shown = [
            name
            for name in ("header", "#list", "main", "aside", "footer")
            if browser.find_element("css selector", name).is_displayed()
        ]
        assert shown == ["main", "aside"]
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
