"""Formulas on the pages that people read: drawn as MathML, and never a way in."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from jupyter_ppo.autograde.formulas import (
    FORMULA_MAX,
    FORMULAS_MAX,
    TEXT_MAX,
    formula_html,
    text_html,
)
from jupyter_ppo.autograde.outputs import MARKDOWN_MAX, markdown_html

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
TAGS = {
    *("math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "mspace"),
    *("msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder"),
    *("munderover", "span"),
}
ATTRIBUTES = {
    *("accent", "class", "display", "displaystyle", "fence", "form", "largeop", "linethickness"),
    *("lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rspace", "scriptlevel"),
    *("separator", "stretchy", "width"),
}
HOSTILE = [
    r"\href{javascript:alert(1)}{x}",
    r"\style{position:fixed}{x}",
    r"\class{score}{x}",
    r"\color{white} x",
    r"\textcolor{red}{x}",
    r"\rule{900em}{900em}",
    r"\kern-90em x",
    r"\raise90em{10 of 10}",
    r"\unicode{x202E}",
    r"\verb|<script>|",
    r"\def\a{xx}\def\b{\a\a}\def\c{\b\b}\c",
    r"\newcommand{\a}{\a\a}\a",
    r"\newenvironment{a}{b}{c}\begin{a}\end{a}",
    r"\sideset{}{}{\sum}",
    r"\includegraphics{x}",
    r"\begin{script}x\end{script}",
    "{" * 40 + "x" + "}" * 40,
    r"\sqrt" * 390 + "x",
    r"\left(" * 100 + "x" + r"\right)" * 100,
    "}x{",
    "{x",
    r"\operatorname{" + " " * 1000 + "&}",
    "x" * (FORMULA_MAX + 1),
    "x" * 100_000,
    r"\left( x",
    r"x_1_2",
    "",
    "  ",
]


class Page(HTMLParser):
    """Collects the elements of a piece of HTML, and says whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.depth = 0
        self._open: list[str] = []
        self.is_well_formed = True
        self.feed(str(html))
        self.close()
        self.is_well_formed &= not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        self.depth = max(self.depth, len(self._open))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.is_well_formed &= bool(self._open) and self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_only_mathml(html: str) -> Page:
    """Nothing but elements that draw, with attributes that neither load, move nor colour."""
    found = Page(html)
    assert found.is_well_formed
    assert {*found.tags} <= TAGS
    assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
    for tag, name, value in found.attributes:
        assert re.fullmatch(r"[a-z0-9.-]*", value), (name, value)
        if name == "class":
            assert tag in {"span", "mtd", "mtext"}
        if value.endswith("em"):
            assert -0.5 < float(value.removesuffix("em")) < 4
    assert found.depth < 60
    assert len(html) < 60_000
    return found


def shown(html: object) -> str:
    """What is read in it, without the blanks."""
    return "".join(Page(str(html)).text.split())


@pytest.mark.parametrize(
    ("tex", "read"),
    [
        (r"\lambda", "λ"),
        (r"\hat{A}_t", "A^t"),
        (r"\pi_\theta(a \mid s)", "πθ(a\u2223s)"),
        (r"\mathbb{E}[R]", "\U0001d53c[R]"),
        (r"\mathcal{D}", "\U0001d49f"),
        (r"\mathbf{x}", "\U0001d431"),
        (r"\text{next\_obs}", "next_obs"),
        (r"a < b & c", "a<b&c"),
        (r"50\%", "50%"),
        (r"\arg\max_a Q", "argmaxaQ"),
    ],
)
def test_a_formula_is_drawn(tex: str, read: str) -> None:
    html = formula_html(tex)
    assert html is not None
    assert html.startswith("<math>")
    assert shown(html) == read
    assert_only_mathml(html)


def test_a_fraction_a_root_and_a_matrix_have_their_shape() -> None:
    assert "<mfrac><mn>1</mn><mi>T</mi></mfrac>" in str(formula_html(r"\frac1T"))
    assert "<msqrt><mi>x</mi></msqrt>" in str(formula_html(r"\sqrt x"))
    cases = str(formula_html(r"\begin{cases} 1 & a \\[2ex] 0 & \texttt{b} \end{cases}"))
    assert cases.count("<mtr>") == 2
    assert cases.count('<mtd class="left">') == 4
    assert '<mtext class="monospace">b</mtext>' in cases
    assert shown(cases) == "{1a0b"


def test_the_name_of_a_function_stands_apart_from_letters_but_not_from_brackets() -> None:
    def spaces(tex: str) -> tuple[str, str]:
        found = re.search(r'lspace="([^"]*)" rspace="([^"]*)"', str(formula_html(tex)))
        assert found is not None
        return found[1], found[2]

    assert spaces(r"p \log p") == ("0.167em", "0.167em")
    assert spaces(r"f(x) \log y") == ("0.167em", "0.167em")
    assert spaces(r"-\operatorname{clip}(x)") == ("0", "0")


@pytest.mark.parametrize("tex", HOSTILE, ids=lambda tex: tex[:20])
def test_a_formula_that_is_not_to_be_drawn_is_left_as_it_was_typed(tex: str) -> None:
    assert formula_html(tex) is None
    assert text_html(f"a ${tex}$ b") == escape(f"a ${tex}$ b")


def test_markup_in_a_formula_is_text() -> None:
    html = formula_html(r"<script>alert(1)</script> \text{<img src=x onerror=alert(1)>}")
    assert html is not None
    found = assert_only_mathml(html)
    assert "<script>alert(1)</script>" in found.text
    assert "<img" in found.text.replace("\xa0", " ")


PIECES = st.sampled_from(
    [
        *(r"\frac", r"\sqrt", r"\left(", r"\right)", r"\text", r"\operatorname", r"\hat", r"\sum"),
        *(r"\begin{matrix}", r"\end{matrix}", r"\\", "&", "{", "}", "_", "^", "'", "[", "]", "x"),
        *("<", ">", '"', "&lt;", "&#x3c;", "&#8238;", "<!--", "-->", "</math>", "<script>", r"\$"),
        *(r"\href", r"\def", r"\style", r"\verb", r"\unicode{x3c}", r"\kern", "9em", "%", "\x00"),
        *(r"\mathbb", r"\mathbf", "\u202e", r"\underbrace", r"\substack", r"\not", r"\over"),
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
@example("{" * 15 + r"\frac{1}{2}" + "}" * 15)
def test_whatever_is_typed_as_a_formula_draws_and_does_no_more(tex: str) -> None:
    html = formula_html(tex, is_block=True)
    if html is not None:
        found = assert_only_mathml(html)
        assert "\u202e" not in found.text
        assert "\x00" not in found.text


@given(st.lists(st.one_of(PIECES, st.sampled_from(["$", "$$", "`", " ", "\n"])), max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_text_with_anything_in_it_stays_text_and_formulas(pieces: list[str]) -> None:
    html = str(text_html("".join(pieces)))
    assert {*Page(html).tags} <= TAGS
    without = re.sub(r"<math.*?</math>|</?span[^<>]*>", "", html, flags=re.DOTALL)
    assert "<" not in without


SAFE = {
    *("a", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li"),
    *("ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul", "del", "b"),
}
LINES = st.sampled_from(
    [
        *("$x$", "$$x$$", "\n\n", "`", "|", "- ", "> ", "# ", "```", "<div>", "[x](", ")", "!["),
        *('<a href="', "<a title='", '<td title="', '">', "'>", "</a>", "<!--", "-->", "<script>"),
        *("1. ", "*", "<style>", "</style>", "<textarea>", '<b onclick="', "<ppo-0 n='0'>"),
    ]
)


@given(st.lists(LINES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
@example('<div><a href="\n\n$x$\n\n2. a\n')
@example("<div title='\n\n$$x$$\n\n' onclick=\n")
def test_a_formula_opens_no_way_out_of_the_markdown_around_it(source: str) -> None:
    found = Page(str(markdown_html(source)))
    assert {*found.tags} <= SAFE | TAGS
    for _, name, value in found.attributes:
        assert name in ATTRIBUTES | {"href", "title", "rel", "start"}
        assert "<math" not in value


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "$5, 10 $ or $20",
        "US$5 to US$10",
        "$ x $",
        "Use `$x$` here, or ``$y$``.",
        "It was $3 before, and `$HOME` is a folder.",
        r"\$x\$",
        "one $ only",
    ],
)
def test_prices_and_code_are_no_formulas(text: str) -> None:
    assert text_html(text) == escape(text)
    assert "<math" not in markdown_html(text)


@pytest.mark.parametrize(
    "source",
    [
        "```\n$x$\n```",
        "~~~\n$$x$$\n~~~",
        "    $x$",
        "`$$` before and `$$` after",
        "a ``b ` $x$`` c",
    ],
)
def test_blocks_and_spans_of_code_keep_their_dollars(source: str) -> None:
    html = markdown_html(source)
    assert "<math" not in html
    assert "$" in html


def test_formulas_are_drawn_wherever_markdown_takes_them() -> None:
    assert markdown_html("# The $\\lambda$\n").startswith("<h1>The <math>")
    assert "<td><math>" in markdown_html("| a |\n| --- |\n| $x$ |")
    assert "<em>so <math>" in markdown_html("*so $x_1$*")
    several = markdown_html("before\n\n$$\na\n= b\n$$\n\nafter")
    assert '<span class="formula"><math display="block">' in several
    assert "<p>after</p>" in several
    assert '<math display="block">' in markdown_html("\\begin{align}a &= b\\end{align}")
    assert "a<b" in shown(markdown_html("if $a<b$ then"))


def test_a_check_may_name_a_formula_in_plain_text() -> None:
    html = text_html(r"What is $\hat{A}_t$? <b>Look</b> at $$x^2$$ & `$y$`.")
    assert html.count("<math") == 2
    assert "&lt;b&gt;Look&lt;/b&gt;" in html
    assert "&amp; `$y$`." in html


def test_a_formula_that_cannot_be_drawn_is_escaped_in_markdown() -> None:
    html = markdown_html(r"$\foo{<img src=x onerror=alert(1)>}$")
    assert "<img" not in html
    assert r"$\foo{&lt;img" in html


def test_only_so_many_formulas_of_one_text_are_drawn() -> None:
    html = markdown_html("$x$ " * (FORMULAS_MAX + 50))
    assert html.count("<math>") == FORMULAS_MAX
    assert html.count("$x$") == 50
    assert text_html("$x$ " * (FORMULAS_MAX + 50)).count("<math>") == FORMULAS_MAX
    assert "<math" not in text_html("$x$" + " " * TEXT_MAX)
    assert "<math" not in markdown_html("$x$" + "x" * MARKDOWN_MAX)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_formula_of_the_course_is_drawn(path: Path) -> None:
    cells: list[dict[str, Any]] = json.loads(path.read_bytes())["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    html = "\n".join(map(markdown_html, texts))
    left = re.sub(r"<(pre|code)>.*?</\1>|\$HOME", "", html, flags=re.DOTALL)
    assert "$" not in left
    assert html.count("<math") > 5
