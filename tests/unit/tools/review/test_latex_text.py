r"""LaTeX on the review page: read without a library; the text around it stays as it is."""

import time
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limaflow.tools.review.latex_text import MOST_CHARS, readable
from limaflow.tools.review.server import MARKDOWN


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\alpha \le x^2", "α ≤ x<sup>2</sup>"),
        (r"a_1 * b_{i,j}^{n+1} * c", "a<sub>1</sub> * b<sub>i,j</sub><sup>n+1</sup> * c"),
        (r"\frac{x+1}{2} \neq \sqrt{\pi}", "(x+1)/2\u2009 ≠ √π"),
        (r"\frac12", "1/2"),
        (r"\sqrt{n}\cfrac{1}{\frac ab} \tag{1}", "√n\u20091/(a/b)\u2009 \u2003(1)"),
        (r"f : \mathbb{R} \to \mathbb{C}", "f : ℝ → ℂ"),
        (r"\left\{ x \mid x < 0 \right\}", "{ x ∣ x &lt; 0 }"),
        (r"\sin\theta, \text{ if } \vec v \ne 0", "sinθ,  if  v⃗ ≠ 0"),
        ("\\begin{align}\n a &= b \\\\\n - c &= d\n\\end{align}", "a \u2003= b\n- c \u2003= d"),
        (r"\unheard{of} & <b>", "\\unheard of \u2003 &lt;b&gt;"),
    ],
)
def test_symbols_become_characters_and_the_unknown_stays(latex: str, shown: str) -> None:
    assert readable(latex) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Let $a_1 * b_2 * c$ be.", "<p>Let <var>a<sub>1</sub> * b<sub>2</sub> * c</var> be.</p>"),
        (r"As \(x \in A\) and \[ y \]", "<p>As <var>x ∈ A</var> and <var>y</var></p>"),
        ("So\n$$\nx\n- y\n$$\nholds.", "<p>So</p>\n<p><var>x - y</var></p>\n<p>holds.</p>"),
        ("> $$\n> - y\n> $$", "<blockquote>\n<p><var>- y</var></p>\n</blockquote>"),
        ("$$x$$ alone", "<p><var>x</var> alone</p>"),
        ("`$x$` and\n\n    $y$", "<p><code>$x$</code> and</p>\n<pre><code>$y$\n</code></pre>"),
        ("It costs $5 and then $10, or `$6`.", "It costs $5 and then $10, or <code>$6</code>."),
        ("$7 each, so 5*7=$35, or US$3/AU$4.", "$7 each, so 5*7=$35, or US$3/AU$4."),
        ("$$\n- one\n\n- two", "<p>$$</p>\n<ul>"),
        (r"\$5 and \$6", "<p>$5 and $6</p>"),
    ],
)
def test_formulas_are_told_from_prose_code_and_money(text: str, shown: str) -> None:
    assert shown in MARKDOWN.render(text)


pieces = st.sampled_from(
    [
        *"abx01 {}^_&$\n<`\\",
        *("$$", "\\[", "\\]", "\\(", "\\)", "\\\\", "\\begin{a}", "\\end{a}", "- ", "> "),
        *("\\frac", "\\sqrt", "\\alpha", "\\text", "\\bar"),
    ]
)


@settings(max_examples=300)
@given(st.lists(pieces, max_size=60).map("".join))
def test_any_text_is_rendered_with_known_tags_alone(text: str) -> None:
    for html in (readable(text), MARKDOWN.render(text)):
        for tag in html.split("<")[1:]:
            name = tag.lstrip("/").split(">")[0].split(" ")[0]
            known = "var sup sub p ul li ol blockquote pre code br h1 h2 hr table em strong"
            assert name in known.split(), html


@given(st.text(st.characters(exclude_characters="\\{}^_&~$", exclude_categories=("Z", "C"))))
def test_text_without_commands_is_only_escaped(text: str) -> None:
    assert readable(text) == escape(text)


@pytest.mark.parametrize(
    "piece",
    ["$$ ", "\\( ", "$$\n", "$a ", "\\begin{a}\n", "\\begin{a} ", "\\[\n", "x^", "{", "$\\"],
)
def test_what_begins_like_a_formula_and_never_ends_takes_no_time(piece: str) -> None:
    begun = time.process_time()
    MARKDOWN.render(piece * 5000)
    readable(piece * 5000)
    assert time.process_time() - begun < 5


def test_a_formula_that_is_too_long_is_text() -> None:
    found: Any = MARKDOWN.render(f"$$ {'x ' * MOST_CHARS}$$")
    assert "<var>" not in found
