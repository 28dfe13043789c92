r"""Formulas in TeX as MathML Core, which browsers draw without script and without fonts of ours.

A formula may be hostile: it is bounded in length and nesting, may use only commands that are known
to be harmless (none that defines, repeats, links, colours or moves), and of what latex2mathml
makes of it only the elements and attributes named here are written out, every text escaped.
MathML Core: https://www.w3.org/TR/mathml-core/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from itertools import islice
from typing import TYPE_CHECKING

from markupsafe import Markup

from jupyter_ppo.autograde.text import visible

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: The most characters of one formula, and of a text that is looked through for formulas.
FORMULA_MAX, TEXT_MAX = 2_000, 10_000
#: The most formulas of one text that are drawn; the others stay as they were typed.
FORMULAS_MAX = 500
#: How deep a formula may nest: braces in TeX, elements in MathML.
_BRACES_MAX, _DEPTH_MAX = 20, 50

_TOKENS = {"mi", "mn", "mo", "mtext"}
_LAYOUT = {
    *("math", "mfrac", "mover", "mpadded", "mphantom", "mroot", "mrow", "mspace", "msqrt"),
    *("mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtr", "munder", "munderover"),
}
_SPACES = {
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
}
_BOOLEAN = re.compile("true|false")
_LENGTH = re.compile(r"-0\.[0-4]\d*em|[0-3](\.\d{1,4})?em|0(px)?")
_ATTRIBUTES = {
    "accent": _BOOLEAN,
    "displaystyle": _BOOLEAN,
    "fence": _BOOLEAN,
    "form": re.compile("prefix|infix|postfix"),
    "largeop": _BOOLEAN,
    "linethickness": _LENGTH,
    "lspace": _LENGTH,
    "maxsize": _LENGTH,
    "minsize": _LENGTH,
    "movablelimits": _BOOLEAN,
    "rspace": _LENGTH,
    "scriptlevel": re.compile(r"[0-3]"),
    "separator": _BOOLEAN,
    "stretchy": _BOOLEAN,
    "width": _LENGTH,
}
#: What MathML Core leaves to CSS: these values become classes, for which every page has a style.
_CLASSES = {
    "mtd": ("columnalign", {"left", "right"}),
    "mtext": ("mathvariant", {"bold", "italic", "monospace", "sans-serif"}),
}
#: How Unicode names the letters of an alphabet.
_ALPHABETS = {
    "bold": ("MATHEMATICAL BOLD",),
    "bold-italic": ("MATHEMATICAL BOLD ITALIC",),
    "double-struck": ("MATHEMATICAL DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "fraktur": ("MATHEMATICAL FRAKTUR", "BLACK-LETTER"),
    "monospace": ("MATHEMATICAL MONOSPACE",),
    "sans-serif": ("MATHEMATICAL SANS-SERIF",),
    "script": ("MATHEMATICAL SCRIPT", "SCRIPT"),
}
#: The commands that are no symbols and no names of functions. None of them defines another one,
#: writes its argument twice, or takes a colour, an address, a style or a length.
_COMMANDS = {
    *("begin", "end", "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr"),
    *("Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "bigm", "Bigm", "biggm", "Biggm"),
    *("frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom", "choose", "over", "sqrt"),
    *("root", "of", "text", "textrm", "textbf", "textit", "texttt", "textsf", "textnormal", "mbox"),
    *("mathrm", "mathbf", "mathit", "mathsf", "mathtt", "mathbb", "mathcal", "mathscr"),
    *("mathfrak", "boldsymbol", "operatorname", "operatornamewithlimits", "limits", "nolimits"),
    *("displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle", "overline", "underline"),
    *("overbrace", "underbrace", "overset", "underset", "stackrel", "substack", "hat", "bar"),
    *("tilde", "vec", "dot", "ddot", "dddot", "acute", "grave", "breve", "check", "mathring"),
    *("widehat", "widetilde", "overrightarrow", "overleftarrow", "xrightarrow", "xleftarrow"),
    *("quad", "qquad", "enspace", "thinspace", "thickspace", "negthinspace", "space", "not"),
    *("phantom", "hphantom", "vphantom", "mathop", "mathbin", "mathrel", "mod", "bmod", "pmod"),
    *("pod", "lim", "liminf", "limsup", "max", "min", "sup", "inf", "det", "gcd", "Pr", "argmax"),
    *("argmin", "hline", "nonumber", "notag"),
}
_ENVIRONMENTS = {
    *("aligned", "align", "align*", "array", "bmatrix", "Bmatrix", "cases", "gathered", "matrix"),
    *("pmatrix", "smallmatrix", "split", "vmatrix", "Vmatrix"),
}
# Such as log and max, set like a word; mod stands between two numbers.
_FUNCTION = re.compile("(?!mod$)[a-zA-Z]{2,}([\u2006\u2009][a-z]+)?")
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{([^{}]*)\}")
# How far apart two lines are, which latex2mathml takes for text.
_APART = re.compile(r"\\\\\s*\[\s*-?[\d.]{1,9}\s*[a-z]{2}\s*\]")
# Names of functions that it does not know.
_UNKNOWN = re.compile(r"\\(arg)(?![a-zA-Z])")
# Its pattern in latex2mathml takes time quadratic in the length.
_LONG_NAME = re.compile(r"\\operatorname[a-z*\s]*\{[^}]{60}")
_ESCAPED = re.compile(r"\\([_$%&#{} ])")


# As pandoc's tex_math_dollars: a formula has no blank just inside of its dollars and no digit after
# the last one, so that two prices are none. Backticks are code.
_INSIDE = rf"(?:\\.|[^$`\\]){{1,{FORMULA_MAX}}}?"
INLINE = rf"(?<![$\\])\$(?![\s$])(?P<inline>{_INSIDE})(?<!\s)\$(?![\d$])"
BLOCK = rf"(?<![$\\])\$\$(?P<block>{_INSIDE})\$\$(?!\$)"
_CODE = r"(?<!`)(?P<ticks>`{1,3})(?!`)[^`]+(?P=ticks)(?!`)"
_PARTS = re.compile(f"{_CODE}|{BLOCK}|{INLINE}", re.DOTALL)


def formula_html(tex: str, *, is_block: bool = False) -> Markup | None:
    """Return the formula as MathML, or None where it is to be left as it was typed."""
    try:
        tree = _parsed(tex, is_block=is_block)
        inside = "".join(part for child in tree for part in _written(child, 1))
    except Exception:  # its parser raises what it likes, RecursionError too
        return None
    if not is_block:
        return Markup(f"<math>{inside}</math>")  # noqa: S704 - escaped in _written
    html = f'<span class="formula"><math display="block">{inside}</math></span>'
    return Markup(html)  # noqa: S704 - escaped in _written


def text_html(text: str) -> Markup:
    """Return plain text, escaped, with the formulas in it as MathML; code in backticks is left."""
    shown = visible(text)
    if "$" not in shown or len(shown) > TEXT_MAX:
        return Markup.escape(shown)
    parts: list[Markup] = []
    end = 0
    for found in islice(_PARTS.finditer(shown), FORMULAS_MAX):
        block = found["block"]
        tex = block or found["inline"]
        html = formula_html(tex, is_block=block is not None) if tex else None
        parts += [Markup.escape(shown[end : found.start()]), html or Markup.escape(found[0])]
        end = found.end()
    return Markup("").join([*parts, Markup.escape(shown[end:])])


def _parsed(tex: str, *, is_block: bool) -> Element:
    """Return latex2mathml's tree. Raises ``ValueError`` for what is not to be tried."""
    from latex2mathml.converter import convert_to_element

    tex = _UNKNOWN.sub(r"\\operatorname{\1}", tex)
    _check(tex)
    return convert_to_element(_APART.sub(r"\\\\ ", tex), display="block" if is_block else "inline")


def _check(tex: str) -> None:
    if len(tex) > FORMULA_MAX or not tex.strip() or _LONG_NAME.search(tex):
        raise ValueError
    depth = 0
    for character in re.sub(r"\\.", "", tex, flags=re.DOTALL):
        depth += (character == "{") - (character == "}")
        if not 0 <= depth <= _BRACES_MAX:
            raise ValueError
    if depth or not _symbols().issuperset(_COMMAND.findall(tex)):
        raise ValueError
    if not _ENVIRONMENTS.issuperset(_ENVIRONMENT.findall(tex)):
        raise ValueError


@cache
def _symbols() -> frozenset[str]:
    """Return the names of all commands that a formula may use."""
    from latex2mathml.commands import FUNCTIONS
    from latex2mathml.symbols_parser import SYMBOLS

    plain = (found[1] for name in (*SYMBOLS, *FUNCTIONS) if (found := _COMMAND.fullmatch(name)))
    return frozenset(_COMMANDS.union(plain))


def _written(
    element: Element, depth: int, before: Element | None = None, after: Element | None = None
) -> Iterator[str]:
    """Yield the element as HTML. Raises ``ValueError`` for what is not to be shown."""
    tag, space = element.tag, ""
    if depth > _DEPTH_MAX or tag not in _TOKENS | _LAYOUT or (tag in _TOKENS and len(element)):
        raise ValueError
    if tag in {"mi", "mo"} and _FUNCTION.fullmatch(_plain(element)):
        tag, space = "mo", _spacing(before, after)
    yield f"<{tag}{_attributes(element)}{space}>"
    if tag in _TOKENS:
        yield _text(element)
    row = (None, *element, None)
    for previous, child, following in zip(row, element, row[2:], strict=False):
        yield from _written(child, depth + 1, previous, following)
    yield f"</{tag}>"


def _spacing(before: Element | None, after: Element | None) -> str:
    """Return how TeX sets the name of a function between these two (The TeXbook, chapter 18)."""
    is_bare = before is None or before.tag in {"mo", "mspace"}
    is_apart = not is_bare or _plain(before) in {")", "]"}
    is_apart_after = after is not None and _plain(after) not in {"(", "["}
    left, right = ("0.167em" if apart else "0" for apart in (is_apart, is_apart_after))
    return f' form="prefix" lspace="{left}" rspace="{right}"'


def _plain(element: Element | None) -> str:
    """Return the text of an element; latex2mathml writes most characters as references."""
    return unescape(element.text or "") if element is not None else ""


def _attributes(element: Element) -> str:
    found = {name: _SPACES.get(value, value) for name, value in element.attrib.items()}
    kept = [
        f' {name}="{value}"'
        for name, value in found.items()
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
    ]
    if element.tag == "mi" and found.get("mathvariant") == "normal":
        kept.append(' mathvariant="normal"')
    attribute, classes = _CLASSES.get(element.tag, ("", set()))
    if (value := found.get(attribute)) in classes:
        kept.append(f' class="{value}"')
    return "".join(kept)


def _text(element: Element) -> str:
    """Return the text of a token, escaped. Raises ``ValueError`` for a command that is unknown."""
    text = element.text or ""
    if text.startswith("&#"):
        text = unescape(text)
    elif "\\" in (text := unescape(_ESCAPED.sub(r"\1", text))):
        raise ValueError
    alphabet = _ALPHABETS.get(element.attrib.get("mathvariant", ""))
    if alphabet and element.tag != "mtext":
        text = "".join(_letter(alphabet, character) for character in text)
    return escape(visible(text))


def _letter(alphabet: tuple[str, ...], character: str) -> str:
    """Return the character of a mathematical alphabet, or itself where there is none."""
    name = unicodedata.name(character, "")
    plain = name.removeprefix("LATIN ").removeprefix("GREEK ").replace(" LETTER ", " ")
    for prefix in alphabet:
        try:
            return unicodedata.lookup(f"{prefix} {plain}")
        except KeyError:
            continue
    return character
