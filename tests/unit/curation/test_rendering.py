"""HTML to Markdown: what stays, what goes, and that nothing is left hanging."""

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limaflow.curation.html_to_markdown import TooDeep
from limaflow.curation.link_texts import is_label
from limaflow.curation.rendering import prose, rendered


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>Brewed in <a href='u'>the old town</a> only.</p>", "Brewed in the old town only."),
        ("<p>Malt.</p><p><a href='u'>http://x.org/a</a></p>", "Malt."),
        ("<p>Malt <a href='u'>http://x.org/a</a> is good.</p>", "Malt is good."),
        ("<p>Malt is good. See <a href='u'>here</a>.</p><p>More.</p>", "Malt is good.\n\nMore."),
        ("<p>Malt.</p><p>Source: <a href='u'>The Malt Times</a></p>", "Malt."),
        ("<p>Malt (<a href='u'>source</a>) is good.</p>", "Malt is good."),
        ("<p>Malt<sup><a href='u'>[1]</a></sup> is good.</p>", "Malt is good."),
        ("<p>Malt.</p><p><img src='x' alt='a malt'></p><p>Hops.</p>", "Malt.\n\nHops."),
        ("<p><a href='b'><img src='x'></a></p>", ""),
        ("<p>It sold for <a href='u'>4%</a> more.</p>", "It sold for 4% more."),
        ("<ul><li><a href='u'>Orval</a></li><li>Chimay</li></ul>", "- Orval\n- Chimay"),
        ("<p>Bare http://x.org/a?b=c address.</p>", "Bare address."),
        ("<p>One<br>two</p>", "One\ntwo"),
        ("<ol><li>Mash\n  it</li><li>Boil</li></ol>", "1. Mash it\n2. Boil"),
        ("<h2>Why</h2><p><strong>So</strong> <em>it</em>.</p>", "## Why\n\n**So** *it*."),
        ("<p>a*b_c &lt;d&gt; &amp; e</p>", "a*b_c <d> & e"),
        ("<script>x()</script><p>Malt</p><hr>", "Malt"),
        ("<p>About 10<sup>-19</sup> J, or 10<sup>16</sup>.</p>", "About 10^-19 J, or 10^16."),
        ("<p>e<sup>x+1</sup>, x<sub>i</sub>, a<sub>n-1</sub></p>", "e^(x+1), x_i, a_(n-1)"),
        ("<p>The 1<sup>st</sup> of May, CO<sub>2</sub></p>", "The 1st of May, CO2"),
        ("<p>H<sub>2</sub>SO<sub>4</sub>, log<sub>2</sub> n</p>", "H2SO4, log_2 n"),
        (
            "<p>You can read <a href='u'>War and Peace</a> by Tolstoy.</p>",
            "You can read War and Peace by Tolstoy.",
        ),
        ("<p><a href='u'>War and Peace</a></p>", "War and Peace"),
        (
            "<p>Call <a href='u'>Malt</a> f() or x[], x = [] and ().</p>",
            "Call Malt f() or x[], x = [] and ().",
        ),
        ("<p>Malt () and [] stay.</p>", "Malt () and [] stay."),
        ("<p>Malt ( <a href='u'>http://x.org</a> ) [<img src='x'>] is.</p>", "Malt is."),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
        (
            "<table><tr><th>a</th></tr><tr><td>1|x</td></tr></table>",
            "| a |\n| --- |\n| 1\\|x |",
        ),
        (
            "<table><tr><th><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul></th></tr></table>",
            "| a; b; c |\n| --- |",
        ),
        ("<p>Malt [<a href='u'>2</a>] [<a href='v'>3</a>].</p>", "Malt."),
        (
            "<p>Malt [2] [3].</p><p>[2] http://x.org<br>[3] <a href='u'>Hops</a></p>",
            "Malt [3].\n\n[3] Hops",
        ),
        ("<p>Malt.<sup>1</sup> Hops<sup>[2]</sup></p>", "Malt.[1] Hops[2]"),
        ("<p>See <a href='u'>War and Peace</a>.</p>", "See War and Peace."),
        ("<p>Read <a href='u'>The Malt</a> <a href='v'>here</a>.</p>", "Read The Malt here."),
        ("<p>Malt. More at http://x.org/a. Hops.</p>", "Malt. Hops."),
        ("<p>Malt<br>http://x.org<br>Hops</p>", "Malt\nHops"),
        ("<ul><li>See <a href='u'>here</a>.</li><li>Malt</li></ul>", "- Malt"),
        ("<p>Malt.<a href='u'> Hops</a></p>", "Malt. Hops"),
        ("<p>&#xE000;Malt&#xE001;&#xE002; 5&#xE003;</p>", "Malt 5"),
        (
            "<p>According to <a href='u'>this article</a>, malt is good.</p>",
            "According to this article, malt is good.",
        ),
        ("<p>:-)</p><p>…</p>", ":-)\n\n…"),
        ("<ul><ul><li>a</li></ul></ul>", "- a"),
        ("<ol start='3'><li>a</li><li></li><li>b</li></ol>", "3. a\n4. b"),
    ],
)
def test_what_is_left_reads_on(html: str, markdown: str) -> None:
    assert rendered(html, "html") == markdown


def test_code_blocks_keep_every_character() -> None:
    code = "def f(x):\n\n\n    return  x  # http://x.org [1]()\n"
    assert rendered(f"<p>So:</p><pre><code>{code}</code></pre>", "html") == (
        f"So:\n\n```\n{code.rstrip()}\n```"
    )


def test_a_code_block_keeps_the_name_of_its_language() -> None:
    for html in (
        "<pre class='lang-py prettyprint-override'><code>x = []</code></pre>",
        "<pre><code class='language-py'>x = []</code></pre>",
    ):
        assert rendered(html, "html") == "```py\nx = []\n```"
    assert rendered("<pre class='lang-none'><code>x</code></pre>", "html") == "```\nx\n```"


def test_a_fence_is_longer_than_the_fences_in_its_code() -> None:
    html = (
        "<ul><li><pre><code>a [1]() http://x.org\n```\n</code></pre></li></ul><p>http://x.org</p>"
    )
    assert rendered(html, "html") == "- ````\n  a [1]() http://x.org\n  ```\n  ````"


def test_markdown_code_keeps_every_character() -> None:
    code = "```\na[i](x.y) http://x.org\n``` ~~~\n```\n~~~ text\n`a[i](x.y)`\n~~~"
    assert rendered(f"{code}\nhttp://x.org `a[i](x.y)`", "markdown") == f"{code}\n`a[i](x.y)`"


@pytest.mark.parametrize(
    ("markdown", "clean"),
    [
        ("f[x](y) and a \\[b\\]", "f[x](y) and a \\[b\\]"),
        ("[War](http://x.org/War_(x)) now", "War now"),
        ('[a](</b c>), [d](http://x.org "e")', "a, d"),
        ("[Malt][1] is[2] good[3].\n\n[1]: http://x.org\n[2]: http://x.org", "Malt is good[3]."),
        ("Malt <http://x.org>", "Malt"),
        ("[![a](http://x.org/b.png)](http://x.org) Malt", "Malt"),
        ("1. See [here](http://x.org).\n2. Malt", "2. Malt"),
    ],
)
def test_markdown_links_go_whole(markdown: str, clean: str) -> None:
    assert rendered(markdown, "markdown") == clean


def test_elements_nested_without_end_are_refused() -> None:
    assert rendered("<blockquote>" * 30 + "Malt", "html").endswith("Malt")
    for unit in ("<blockquote>", "<ul><li>", "<table><tr><td>"):
        for read in (rendered, prose):
            with pytest.raises(TooDeep, match="nested over 60 deep"):
                read(unit * 5000, "html")


def test_inline_code_stays() -> None:
    assert rendered("<p>Run <code>ls -l () , x</code> now</p>", "html") == "Run `ls -l () , x` now"


def test_nested_lists_stay_nested() -> None:
    html = "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"
    assert rendered(html, "html") == "- a\n  - b\n- c"


def test_markdown_loses_its_links_and_keeps_their_text() -> None:
    text = "See [the page](http://x.org) and ![pic](http://x.org/a.png) at http://x.org/b."
    assert "http" not in rendered(text, "markdown")
    assert "the page" in rendered(text, "markdown")


@pytest.mark.parametrize(
    "text",
    ["def greet():\n    return ()", "x = []", "f(x) = ( )", "two  spaces , and a comma", "a |  b"],
)
def test_plain_text_and_markdown_keep_what_they_say(text: str) -> None:
    assert rendered(text, "text") == text
    assert rendered(text, "markdown") == text


def test_plain_text_keeps_its_addresses() -> None:
    assert rendered("Summarise http://x.org/a", "text") == "Summarise http://x.org/a"


def test_prose_leaves_out_what_others_wrote() -> None:
    html = "<blockquote><p>I am</p></blockquote><p>Malt <code>my</code> is.</p><pre>I</pre>"
    assert prose(html, "html") == "Malt is."
    assert prose("> I am\n\nMalt `my` is.\n\n```\nI\n```", "markdown").split() == ["Malt", "is."]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_renders_without_outer_space(text: str) -> None:
    for markup in ("html", "markdown", "text"):
        assert rendered(text, markup) == rendered(text, markup).strip()


PUNCTUATED = st.text(
    st.sampled_from("abI1 \n.,:;!?()[]{}<>|/\\*_~`#>$@&'\"“”-–—^=+"), max_size=60
).filter(lambda text: not is_label(text))


@settings(deadline=None)
@given(PUNCTUATED)
def test_a_text_without_links_keeps_every_character_but_space(text: str) -> None:
    kept = "".join(text.split())
    assert "".join(rendered(text, "text").split()) == kept
    assert "".join(rendered(f"<p>{escape(text)}</p>", "html").split()) == kept
    if "](" not in text and "![" not in text:
        assert "".join(rendered(text, "markdown").split()) == kept


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<a href='x'>",
                "</a>",
                "<li>",
                "<ul>",
                "here",
                " see ",
                "<pre>",
                "<blockquote>",
                "http://a.b/c",
                "\n",
                ".",
            ]
        )
    )
)
def test_broken_html_leaves_no_address_and_no_tag(parts: list[str]) -> None:
    text = rendered("".join(parts), "html")
    assert "<a" not in text
    assert not re.search("[\ue000-\ue003]", text)
