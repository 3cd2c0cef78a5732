"""The mailed page and the served one in a real browser, by their keys."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limaflow.jsonl import read_records
from limaflow.records import Verdict
from limaflow.tools.annotation import cli

pytestmark = pytest.mark.slow
SECONDS = 30
PARTS = ("question", "answer-1", "answer-2")
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\n\n[click](javascript:alert(1)) **bold** \u202eback \u2028 {{ 7 * 7 }} <!-- z\u0301\u0302"
)


class Page:
    """The page as a person sees and uses it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        browser.get_log("browser")
        browser.get("about:blank")
        browser.get(address)
        # Other tests' answers to the same packet are not those of this one.
        browser.execute_script("localStorage.clear()")
        browser.get(address)

    def text(self, id: str) -> str:
        return str(self.browser.find_element("id", id).text)

    def until(self, true: Callable[[], Any]) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, SECONDS, poll_frequency=0.05).until(lambda _: true())

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def is_at(self, number: str, said: str | None = None) -> None:
        self.until(lambda: self.text("number") == number)
        if said is not None:
            self.until(lambda: self.text("said") == said)

    def exported(self) -> dict[str, Any]:
        """What the page saves, from its dialog, which is closed again."""
        from selenium.webdriver.common.keys import Keys

        self.press("e")
        self.until(lambda: self.browser.find_element("id", "saving").is_displayed())
        value = self.browser.find_element("id", "answers").get_property("value")
        self.press(Keys.ESCAPE)
        return dict(json.loads(value))

    def chosen(self) -> list[str]:
        found = self.browser.find_elements("css selector", "[aria-pressed=true]")
        return [button.get_attribute("data-choice") for button in found]


def mailed(made: Any, folder: Path, annotator: str = "ann") -> str:
    """The address of the page of a packet as a file."""
    cli.page([made.packet_file(annotator)], output=folder / "mail")
    return (folder / f"mail/{annotator}.html").as_uri()


def choices(path: Path) -> list[str | None]:
    return [verdict.choice for verdict in read_records(path, Verdict)]


def test_a_packet_is_answered_by_keys_saved_and_imported(
    browser: Any, beer: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    page = Page(browser, mailed(beer, tmp_path))
    page.is_at("1 of 4")
    assert "neither is significantly better than the other" in page.text("instructions")
    item = beer.packet("ann").items[0]
    assert [page.text(id) for id in PARTS] == [item.question, *item.answers]
    page.press("i", "1")
    page.is_at("2 of 4", "1: first")
    page.press(Keys.ARROW_RIGHT)
    page.is_at("3 of 4", "2: second")
    page.press(Keys.ARROW_DOWN)
    page.is_at("4 of 4", "3: neither")
    page.press("u")
    page.is_at("3 of 4", "Taken back: 3, neither")
    page.press("u")
    page.is_at("2 of 4", "Taken back: 2, second")
    page.press("f", "f", "b")
    page.is_at("3 of 4")
    page.press(Keys.ARROW_LEFT)
    page.is_at("4 of 4", "3: first")
    page.press("n")
    page.is_at("2 of 4")
    assert page.text("counts") == "2 of 4 answered"
    browser.refresh()
    page.is_at("2 of 4")
    assert page.text("counts") == "2 of 4 answered"
    assert page.exported()["answers"][1]["item"] == 3
    page.press("3")
    page.is_at("4 of 4")
    page.press("2")
    page.until(lambda: "All are answered" in page.text("said"))
    assert page.chosen() == ["second"]
    page.press("b", "1")
    page.is_at("4 of 4, chosen: second")
    file = tmp_path / "back.json"
    file.write_text(json.dumps(page.exported()), encoding="utf-8")
    cli.import_answers(beer.folder, [file], output=tmp_path / "verdicts", partial=True)
    keyed = beer.key.packets[0].items
    by_prompt = {
        v.prompt_id: v.choice
        for v in read_records(tmp_path / "verdicts/ours-vs-theirs.jsonl", Verdict)
    }
    assert [by_prompt[i.prompt_id] for i in keyed] == ["first", "tie", "first", "second"]
    assert browser.execute_script("return performance.getEntriesByType('resource')") == []
    assert browser.get_log("browser") == []


def test_an_answer_is_graded_by_the_number_of_its_level(
    browser: Any, beer: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    made = replace(beer, folder=tmp_path / "likert")
    cli.packet(
        prompts=beer.prompts,
        instrument="likert",
        responses=[beer.ours],
        annotator=["ann"],
        seed=3,
        output=made.folder,
    )
    page = Page(browser, mailed(made, tmp_path))
    assert browser.title == "How helpful is the answer? (ann)"
    item = made.packet("ann").items[0]
    assert [page.text(id) for id in PARTS[:2]] == [item.question, *item.answers]
    page.press("7", Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    page.is_at("1 of 4")
    for number, level in enumerate("6131", start=1):
        page.until(lambda at=number: page.text("number").startswith(f"{at} of 4"))
        page.press(level)
    page.until(lambda: "All are answered" in page.text("said"))
    assert page.chosen() == ["1"]
    assert [a["choice"] for a in page.exported()["answers"]] == [*"6131"]
    assert browser.get_log("browser") == []


def test_hostile_texts_are_only_text_and_survive_unaltered(
    browser: Any, begin: Any, tmp_path: Path
) -> None:
    made = begin({HOSTILE: (HOSTILE, "x" * 5000), "Why?\r\n\0 \x7f": ("", "\U0001f37a ü\t")})
    page = Page(browser, mailed(made, tmp_path))
    page.is_at("1 of 2")
    shown = set()
    for key in "12":
        shown |= {browser.find_element("id", i).get_property("textContent") for i in PARTS}
        assert browser.find_elements("css selector", ".said *") == []
        page.press(key)
    assert shown == {HOSTILE, "x" * 5000, "Why?\r\n\0 \x7f", "(empty)", "\U0001f37a ü\t"}
    page.until(lambda: "All are answered" in page.text("said"))
    assert browser.title == "Which answer is better? (ann)"
    wide = "return document.documentElement.scrollWidth <= innerWidth"
    assert browser.execute_script(wide)
    saved = tmp_path / "ann.json"
    saved.write_text(json.dumps(page.exported()), encoding="utf-8")
    cli.import_answers(made.folder, [saved], output=tmp_path / "verdicts")
    browser.execute_script(
        "const s = document.createElement('script'); s.textContent = \"document.title='owned'\";"
        "document.body.append(s); fetch('https://evil.example/').catch(() => {});"
    )
    assert browser.title == "Which answer is better? (ann)"
    refused = [line["message"] for line in browser.get_log("browser")]
    assert len(refused) >= 2 and all("Content Security Policy" in line for line in refused)


def test_the_down_key_scrolls_a_long_text_before_it_chooses(
    browser: Any, begin: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    page = Page(browser, mailed(begin({"Long?": ("so long " * 3000, "short")}), tmp_path))
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: browser.execute_script("return scrollY > 0"))
    browser.execute_script("scrollTo(0, document.documentElement.scrollHeight)")
    page.press(Keys.ARROW_DOWN)
    assert page.text("counts") == "0 of 1 answered", "the end has only just come into view"

    def answered() -> bool:
        page.press(Keys.ARROW_DOWN)
        return page.text("counts") == "1 of 1 answered"

    page.until(answered)
    assert page.chosen() == ["neither"]


def test_a_choice_before_the_end_of_an_answer_was_in_view_is_recorded(
    browser: Any, begin: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = begin({"Long?": ("so long " * 3000, "short"), "Short?": ("yes", "no")})
    page = Page(browser, mailed(made, tmp_path))
    items = made.packet("ann").items
    long = next(n for n, item in enumerate(items, start=1) if item.question == "Long?")
    far = 1 + max(range(2), key=lambda n: len(items[long - 1].answers[n]))
    page.press("i")  # closes the instructions, which stand before the first item
    page.until(lambda: not browser.find_element("id", "instructions").get_property("open"))
    if long == 2:
        page.press("f")
    page.press("1")
    page.until(lambda: "the end of an answer was not in view yet" in page.text("said"))
    page.press("1")
    page.until(lambda: "All are answered" in page.text("said"))
    first = {a["item"]: a for a in page.exported()["answers"]}
    assert (first[long]["unseen"], first[3 - long]["unseen"]) == ([far], [])
    assert all(answer["shown_ms"] >= 0 for answer in first.values())

    page.press("u", "u")
    page.until(lambda: page.text("counts") == "0 of 2 answered")
    for _ in items:
        browser.execute_script("scrollTo(0, document.documentElement.scrollHeight)")
        time.sleep(2.1)
        counted = page.text("counts")
        page.press("1")
        page.until(lambda before=counted: page.text("counts") != before)
    file = tmp_path / "slowly.json"
    file.write_text(json.dumps(page.exported()), encoding="utf-8")
    cli.import_answers(made.folder, [file], output=tmp_path / "verdicts")
    assert "hasty" not in capsys.readouterr().out
    assert browser.get_log("browser") == []


def test_a_page_changed_on_its_way_takes_no_answers(
    browser: Any, beer: Any, tmp_path: Path
) -> None:
    address = mailed(beer, tmp_path)
    file = tmp_path / "mail/ann.html"
    file.write_text(file.read_text("utf-8").replace("Yes: bock", "Yes: beer"), encoding="utf-8")
    page = Page(browser, address)
    assert re.search(r"Item \d was changed on its way", page.text("trouble"))
    assert browser.find_elements("css selector", "main, footer") == []


def test_answers_move_to_another_browser_with_their_file(
    browser: Any, beer: Any, tmp_path: Path
) -> None:
    page = Page(browser, mailed(beer, tmp_path))
    page.press("2", "1")
    page.is_at("3 of 4")
    file = tmp_path / "half.json"
    file.write_text(json.dumps(page.exported()), encoding="utf-8")
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    page.is_at("1 of 4")
    page.press("e")
    browser.find_element("id", "file").send_keys(str(file))
    page.until(lambda: page.text("counts") == "2 of 4 answered")
    assert "2 of 4 are not answered yet" in page.text("left")
    file.write_text(file.read_text().replace('"first"', '"neither"'))
    browser.find_element("id", "file").send_keys(str(file))
    page.until(lambda: "half.json was changed" in page.text("trouble"))


def test_a_small_screen_shows_the_answers_below_each_other(
    browser: Any, beer: Any, tmp_path: Path
) -> None:
    size = browser.get_window_size()
    browser.set_window_size(500, 850)
    try:
        page = Page(browser, mailed(beer, tmp_path))
        first, second, choice = (
            browser.find_element("css selector", s).rect
            for s in ("#answer-1", "#answer-2", ".choices button")
        )
        assert first["y"] + first["height"] < second["y"] < choice["y"]
        assert choice["height"] >= 44, "as large as a thumb"
        assert page.browser.execute_script(
            "return document.documentElement.scrollWidth <= innerWidth"
        )
    finally:
        browser.set_window_size(size["width"], size["height"])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], tuple[Any, str]]]:
    """Starts `limaflow annotate serve` on a packet: (process, address)."""
    running: list[subprocess.Popen[str]] = []

    def begin(packet: Path) -> tuple[Any, str]:
        command = [sys.executable, "-c", "from limaflow.cli import main; main()", "annotate"]
        process = subprocess.Popen(
            [*command, "serve", str(packet), "--answers", str(tmp_path / "ann.answers.jsonl")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        assert process.stdout
        output = ""
        for line in process.stdout:
            output += line
            if "Ctrl+C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", output)
        assert found, output
        return process, found.group()

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_served_page_saves_at_once_and_a_kill_loses_nothing(
    browser: Any, beer: Any, serve: Any, tmp_path: Path
) -> None:
    process, address = serve(beer.packet_file("ann"))
    page = Page(browser, address)
    page.is_at("1 of 4")
    assert "token" not in browser.current_url
    page.press("1")
    page.is_at("2 of 4")
    page.press("2")
    page.is_at("3 of 4")
    page.press("u")
    page.is_at("2 of 4")
    page.press("3")
    page.is_at("3 of 4")
    assert browser.get_log("browser") == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    page.press("1")
    page.until(lambda: "does not answer" in page.text("trouble"))
    answers = tmp_path / "ann.answers.jsonl"
    with answers.open("a") as file:
        file.write('{"annotator": "an')
    _, again = serve(beer.packet_file("ann"))
    page = Page(browser, again)
    page.is_at("3 of 4")
    assert page.text("counts") == "2 of 4 answered"
    page.press("2")
    page.is_at("4 of 4")
    page.press("2")
    page.until(lambda: "you may close this page" in page.text("said"))
    cli.import_answers(beer.folder, [answers], output=tmp_path / "verdicts", partial=True)
    entries = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    assert [e["choice"] for e in entries] == [
        "first",
        "second",
        "undo",
        "neither",
        "second",
        "second",
    ]
    recorded = [(e["shown_ms"] is None, e["unseen"]) for e in entries]
    assert recorded.pop(2) == (True, None)
    assert [unknown for unknown, _ in recorded] == [False] * 5
    assert [unseen for _, unseen in recorded[1:]] == [[]] * 4
    assert sorted(map(str, choices(tmp_path / "verdicts/ours-vs-theirs.jsonl"))) == [
        "first",
        "second",
        "second",
        "tie",
    ]


def test_a_server_takes_only_answers_to_what_it_showed(
    beer: Any, serve: Any, tmp_path: Path
) -> None:
    import httpx

    _, address = serve(beer.packet_file("ann"))
    origin = address.split("/?")[0]
    assert httpx.get(f"{origin}/api/answers").status_code == 403
    client = httpx.Client(base_url=origin, headers={"Origin": origin})
    assert "script-src 'sha256-" in client.get(address).headers["content-security-policy"]
    right = {"item": 1, "hash": beer.packet("ann").items[0].hash, "choice": "neither"}
    for wrong in ({"hash": "0"}, {"item": 5}, {"choice": "both"}, {"item": "x"}):
        answer = client.post("/api/answer", json={**right, **wrong})
        assert answer.status_code in (400, 409), answer.text
    assert client.post("/api/answer", json=right).json()[0]["choice"] == "neither"
    assert client.post("/api/undo", json={}).json() == []
    assert client.post("/api/undo", json={}).json() == []
    assert len((tmp_path / "ann.answers.jsonl").read_text().splitlines()) == 2
    other = subprocess.run(
        [
            *(sys.executable, "-c", "from limaflow.cli import main; main()", "annotate", "serve"),
            *(str(beer.packet_file("bob")), "--answers", str(tmp_path / "ann.answers.jsonl")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 1
    assert "holds answers to another packet" in other.stderr
