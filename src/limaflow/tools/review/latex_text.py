r"""LaTeX in a text as readable HTML: `\alpha \le x^2` becomes α ≤ x².

No typesetting: symbols become characters, indices are raised or lowered, what is not known stays as
it was written. All of it is escaped, and the tags are `var`, `sup` and `sub` alone.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MOST_CHARS = 4000
"""Of a formula; what begins like one and does not end is searched no further."""
MOST_DEPTH = 20
# A formula begins and ends with no space and holds no code; `$7 each` is an amount of money.
DOLLAR = re.compile(
    r"\$(?![\s$]|[\d.,]+\s+[A-Za-z]{2})((?:\\.|[^$\\`])*?(?:[^\s$\\`]|\\.))\$(?!\d)", re.DOTALL
)
OPENING = re.compile(r"\$\$|\\\[|\\\(|\\begin\{([a-z]+\*?)\}")
CLOSINGS = {"$$": "$$", r"\[": r"\]", r"\(": r"\)"}
TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|.", re.DOTALL)
SYMBOL_TABLE = """
alpha α  beta β  gamma γ  delta δ  epsilon ϵ  varepsilon ε  zeta ζ  eta η  theta θ  vartheta ϑ
iota ι  kappa κ  lambda λ  mu μ  nu ν  xi ξ  pi π  varpi ϖ  rho ρ  varrho ϱ  sigma σ
varsigma ς  tau τ  upsilon υ  phi ϕ  varphi φ  chi χ  psi ψ  omega ω  Gamma Γ  Delta Δ
Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Upsilon Υ  Phi Φ  Psi Ψ  Omega Ω  le ≤  leq ≤
leqslant ≤  ge ≥  geq ≥  geqslant ≥  ne ≠  neq ≠  approx ≈  equiv ≡  cong ≅  sim ∼  simeq ≃
propto ∝  ll ≪  gg ≫  prec ≺  succ ≻  pm ±  mp ∓  times ×  div ÷  cdot ·  ast ∗  star ⋆
circ ∘  bullet •  oplus ⊕  otimes ⊗  odot ⊙  in ∈  notin ∉  ni ∋  subset ⊂  subseteq ⊆
supset ⊃  supseteq ⊇  cup ∪  cap ∩  setminus ∖  emptyset ∅  varnothing ∅  forall ∀  exists ∃
nexists ∄  neg ¬  lnot ¬  land ∧  wedge ∧  lor ∨  vee ∨  top ⊤  bot ⊥  vdash ⊢  models ⊨  to →
rightarrow →  leftarrow ←  leftrightarrow ↔  Rightarrow ⇒  Leftarrow ⇐  Leftrightarrow ⇔
implies ⟹  impliedby ⟸  iff ⟺  mapsto ↦  longrightarrow ⟶  Longrightarrow ⟹  uparrow ↑
downarrow ↓  hookrightarrow ↪  sum ∑  prod ∏  coprod ∐  int ∫  iint ∬  iiint ∭  oint ∮
partial ∂  nabla ∇  infty ∞  aleph ℵ  hbar ℏ  ell ℓ  Re ℜ  Im ℑ  angle ∠  perp ⊥  parallel ∥
mid ∣  nmid ∤  triangle △  square □  degree °  prime ′  dagger †  ldots …  dots …  cdots ⋯
vdots ⋮  ddots ⋱  langle ⟨  rangle ⟩  lfloor ⌊  rfloor ⌋  lceil ⌈  rceil ⌉  lvert |  rvert |
vert |  lVert ‖  rVert ‖  Vert ‖  colon :
"""
FUNCTION_NAMES = """
Pr arccos arcsin arctan arg bmod cos cosh cot csc deg det dim exp gcd hom inf ker lcm lg lim
liminf limsup ln log max min sec sin sinh sup tan tanh
"""
COMMANDS_WITHOUT_TEXT = """
Big Bigg Bigl Bigr LARGE Large bf big bigg bigl bigr displaystyle hline huge it large left limits
mathbin mathord mathrel middle nolimits nonumber normalsize notag right rm scriptscriptstyle
scriptstyle sf small textstyle tiny
"""
FONTS = """
boldsymbol hbox mathbf mathcal mathfrak mathit mathop mathrm mathscr mathsf mathtt mbox
operatorname text textbf textit textrm
"""
ACCENTS = {
    r"\bar": "\u0304",
    r"\overline": "\u0304",
    r"\hat": "\u0302",
    r"\tilde": "\u0303",
    r"\vec": "\u20d7",
    r"\dot": "\u0307",
}
DOUBLE_STRUCK = str.maketrans("CHNPQRZ", "ℂℍℕℙℚℝℤ")
THIN = "\u2009"
"""A space that keeps a fraction apart from its neighbours."""
INDICES = {"^": "sup", "_": "sub"}
CHARACTERS = {
    **{rf"\{name}": name for name in FUNCTION_NAMES.split()},
    **{rf"\{name}": "" for name in COMMANDS_WITHOUT_TEXT.split()},
    **{
        rf"\{name}": symbol
        for name, symbol in zip(SYMBOL_TABLE.split()[::2], SYMBOL_TABLE.split()[1::2], strict=True)
    },
    **{rf"\{mark}": escape(mark) for mark in "{}%$#&_"},
    **dict.fromkeys((r"\,", r"\:", r"\;", r"\>", "\\ ", "~"), " "),
    **dict.fromkeys((r"\quad", r"\qquad", "&"), "\u2003"),
    r"\!": "",
    r"\|": "‖",
    "\\\\": "\n",
}
"""Token → what is shown in its place, as HTML."""


def readable(latex: str) -> str:
    """LaTeX as escaped HTML."""
    # A line of the source is none of the formula: a double backslash begins one.
    tokens = TOKEN.findall(" ".join(latex.split()))
    return re.sub(r" *\n *", "\n", _pieces(iter(tokens), 0)).strip()


def latex(markdown: MarkdownIt) -> None:
    """A plugin: formulas are `var` elements, and Markdown means nothing inside."""
    markdown.inline.ruler.before("escape", "latex", _inline_rule)
    markdown.block.ruler.before(
        "fence", "latex", _block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    markdown.add_render_rule("latex", _render)


def _render(
    self: RendererProtocol, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[place]
    shown = f"<var>{readable(token.content)}</var>"
    return f"<p>{shown}</p>\n" if token.block else shown


def _inline_rule(state: StateInline, silent: bool) -> bool:
    text, start = state.src, state.pos
    if dollars := DOLLAR.match(text, start, state.posMax):
        content, state.pos = dollars[1], dollars.end()
    elif found := _delimited(text, start, state.posMax):
        (begin, end), state.pos = found
        content = text[begin:end]
    else:
        return False
    if not silent:
        state.push("latex", "", 0).content = content
    return True


def _block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula that fills whole lines: none of them may be read as a list or a heading."""
    first = state.bMarks[start] + state.tShift[start]
    found = _delimited(state.src, first, state.eMarks[end - 1])
    if not found or state.is_code_block(start) or state.src.startswith(r"\(", first):
        return False
    last = start
    while state.eMarks[last] < found[1] and not state.isEmpty(last):
        last += 1
    if state.isEmpty(last) or state.src[found[1] : state.eMarks[last]].strip():
        return False
    if not silent:
        lines = state.getLines(start, last + 1, state.blkIndent, False).strip()
        token = state.push("latex", "", 0)
        token.block = True
        token.content = lines[found[0][0] - first : len(lines) - (found[1] - found[0][1])]
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def _delimited(text: str, start: int, end: int) -> tuple[tuple[int, int], int] | None:
    """Where the formula that opens at `start` has its content, and where it ends itself."""
    opening = OPENING.match(text, start, end)
    if not opening:
        return None
    closing = rf"\end{{{opening[1]}}}" if opening[1] else CLOSINGS[opening[0]]
    place = text.find(closing, opening.end(), min(end, start + MOST_CHARS))
    return ((opening.end(), place), place + len(closing)) if place > opening.end() else None


def _pieces(tokens: Iterator[str], depth: int) -> str:
    """The HTML of the tokens up to the brace that ends their group."""
    found = []
    for token in tokens:
        if token == "}" and depth:
            break
        found.append(_piece(token, tokens, depth))
    return "".join(found)


def _piece(token: str, tokens: Iterator[str], depth: int) -> str:
    if depth < MOST_DEPTH:
        if token == "{":
            return _pieces(tokens, depth + 1)
        if token in INDICES:
            tag = INDICES[token]
            return f"<{tag}>{_argument(tokens, depth)}</{tag}>"
        if token in COMMANDS:
            count, shown = COMMANDS[token]
            return shown(*[_argument(tokens, depth) for _ in range(count)])
    unknown = f"{escape(token)} " if len(token) > 1 else escape(token)
    return CHARACTERS.get(token, unknown)


def _argument(tokens: Iterator[str], depth: int) -> str:
    """What follows a command or an index: a group, or one token."""
    token = next((token for token in tokens if not token.isspace()), "")
    return _piece(token, tokens, depth + 1)


def _enclosed(html: str) -> str:
    """In parentheses, unless it is one number or name."""
    html = html.strip()
    return html if re.fullmatch(r"[\w.]+|.?", html) else f"({html})"


def _accented(accent: str, below: str) -> str:
    return below + accent if len(below) == 1 else _enclosed(below)


COMMANDS: dict[str, tuple[int, Callable[..., str]]] = {
    **{rf"\{font}": (1, str) for font in FONTS.split()},
    **{command: (1, partial(_accented, accent)) for command, accent in ACCENTS.items()},
    **dict.fromkeys(
        (r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"),
        (2, lambda above, below: f"{THIN}{_enclosed(above)}/{_enclosed(below)}{THIN}"),
    ),
    **dict.fromkeys((r"\begin", r"\end", r"\color", r"\label"), (1, lambda name: "")),
    r"\tag": (1, lambda number: f"\u2003({number})"),
    r"\sqrt": (1, lambda root: f"√{_enclosed(root)}"),
    r"\mathbb": (1, lambda letters: letters.translate(DOUBLE_STRUCK)),
}
"""Command → the number of its arguments, and what shows them, as HTML."""
