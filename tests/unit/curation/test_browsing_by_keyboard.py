"""The page of a frozen data set in a real browser: keys, search, filters, hostile text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limaflow.curation.browsing import page_of
from limaflow.records import Example, Provenance

pytestmark = pytest.mark.slow
Build = Callable[..., Example]
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
)


@pytest.fixture
def page(browser: Any, example: Build, tmp_path: Path) -> Any:
    """The page of four conversations, opened from a file."""
    links = Provenance(urls=("https://example.org/q/1", "javascript:alert(1)"), authors=("Ann",))
    rows = [
        example("How is malt made?", "Grain sprouts.\n\n    mash()", source="beer"),
        example("How is wine made?", "Grapes ferment.", source="wine", provenance=links),
        example(HOSTILE, HOSTILE, source=HOSTILE),
        example("Why hops?", split="test", source="beer"),
    ]
    path = tmp_path / "index.html"
    path.write_text(page_of("Tiny", rows), encoding="utf-8")
    browser.get("about:blank")
    browser.get(path.as_uri())
    return browser


def test_keys_search_and_filters_lead_to_a_conversation(page: Any) -> None:
    def count() -> str:
        return str(page.find_element("id", "count").text)

    def shown() -> str:
        return str(page.find_element("id", "conversation").text)

    def press(*keys: str) -> None:
        page.switch_to.active_element.send_keys(*keys)

    assert count() == "4 of 4"
    before = shown()
    press("j")
    after = shown()
    assert after != before
    press("k")
    assert shown() == before
    press("/")
    press("GRAPES")
    assert count() == "1 of 4"
    assert "Grapes ferment." in shown()
    assert page.find_element("css selector", "mark").text == "Grapes"
    press("\ue00c")
    press("j")
    assert page.find_element("id", "search").get_attribute("value") == "GRAPES"
    page.find_element("id", "search").clear()
    page.find_element("id", "search").send_keys(" ")
    page.find_element("css selector", "#split option[value=test]").click()
    assert count() == "1 of 4"
    assert "Why hops?" in shown()
    page.find_element("css selector", "#source option[value=wine]").click()
    assert "Nothing is found." in page.find_element("id", "list").text


def test_hostile_text_is_text_and_the_policy_holds(page: Any) -> None:
    for _ in range(4):
        page.switch_to.active_element.send_keys("j")
    assert page.title == "Tiny"
    page.find_element("id", "search").send_keys("grapes")
    links = page.find_elements("css selector", "article a")
    assert [link.get_attribute("href") for link in links] == ["https://example.org/q/1"]
    assert "javascript:alert(1)" in page.find_element("id", "conversation").text
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = \"document.title='owned'\";"
        "document.body.append(s);"
    )
    assert page.title == "Tiny"
