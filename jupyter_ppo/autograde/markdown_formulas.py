"""Markdown as HTML in which each formula is a mark, to be put in once the HTML is made safe.

A sanitiser for HTML knows little of MathML, so it never sees any: of a formula it sees an empty
element with a name that nobody could foresee, and only where that stands as an element, and not in
an attribute, is the formula put there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from markupsafe import Markup
from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathBlockParser,
    MathInlineParser,
)

from jupyter_ppo.autograde.formulas import BLOCK, FORMULA_MAX, FORMULAS_MAX, INLINE, formula_html

#: Makes HTML safe; the second argument is the name of one more element to keep, with its ``n``.
Clean = Callable[[str, str], Markup]

_PLAIN_ENVIRONMENTS = {"equation", "equation*", "displaymath", "math"}
_ENVIRONMENT = (
    r"\\begin\{(?P<math_env_name>[a-z]{1,20}\*?)\}"
    rf"(?P<math_env_body>(?s:.{{0,{FORMULA_MAX}}}?))\\end\{{(?P=math_env_name)\}}"
)


class _Blocks(MathBlockParser):
    """Keeps a formula of several lines together. It begins a line, so that code is no formula."""

    SPECIFICATION: ClassVar[dict[str, str]] = {
        **MathBlockParser.SPECIFICATION,
        "multiline_math": rf"^ {{0,3}}(?:{BLOCK}|{_ENVIRONMENT})",
    }


class _Words(MathInlineParser):
    """Finds formulas in a line, and takes prices and code for none."""

    SPECIFICATION: ClassVar[dict[str, str]] = {
        **MathInlineParser.SPECIFICATION,
        "block_math_tex": BLOCK,
        "inline_math_tex": INLINE,
        "latex_environment": _ENVIRONMENT,
    }

    def parse_block_math_tex(self, m: re.Match[str], state: Any) -> int:
        state.append_token({"type": "block_math", "raw": m["block"]})
        return m.end()

    def parse_inline_math_tex(self, m: re.Match[str], state: Any) -> int:
        state.append_token({"type": "inline_math", "raw": m["inline"]})
        return m.end()


class _Renderer(IPythonRenderer):
    """Leaves a mark for each formula that can be drawn, and the others as they were typed."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.tag = f"ppo-{secrets.token_hex(8)}"
        self.formulas: list[Markup] = []

    def block_math(self, body: str) -> str:
        return self._mark(body, True) or str(super().block_math(body))

    def inline_math(self, body: str) -> str:
        return self._mark(body, False) or str(super().inline_math(body))

    def latex_environment(self, name: str, body: str) -> str:
        tex = body if name in _PLAIN_ENVIRONMENTS else f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._mark(tex, True) or str(super().latex_environment(name, body))

    def _mark(self, tex: str, is_block: bool) -> str:
        is_over = len(self.formulas) >= FORMULAS_MAX
        html = None if is_over else formula_html(tex, is_block=is_block)
        if html is None:
            return ""
        self.formulas.append(html)
        return f'<{self.tag} n="{len(self.formulas) - 1}"></{self.tag}>'


def rendered(source: str, clean: Clean) -> Markup:
    """Return Markdown as HTML with its formulas as MathML; ``clean`` makes all the rest safe."""
    renderer = _Renderer()
    words = _Words(hard_wrap=False)
    html = MarkdownWithMath(renderer=renderer, block=_Blocks(), inline=words).render(source)
    # In an attribute the quotes would be written as entities.
    mark = re.compile(f'<{renderer.tag} n="([0-9]+)"></{renderer.tag}>')
    cleaned = clean(html, renderer.tag)
    return Markup(  # noqa: S704 - clean is what makes it safe, and formula_html
        mark.sub(lambda found: renderer.formulas[int(found[1])], cleaned)
    )
