"""The submitted text of functions and classes, for ``inspect.getsource`` in a test.

The text is anyone's: it is parsed, within bounds, and never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from jupyter_ppo.autograde.cells import is_answer, own_of, text_of
from jupyter_ppo.autograde.restore import Origin
from jupyter_ppo.autograde.sealing.python_text import parsed_answer

#: Characters of one cell, and of all together, that are looked at: many times any real answer.
_CELL_MAX, _TEXT_MAX = 100_000, 500_000
_SOURCES_MAX = 2_000
_LINE_END = re.compile(r"\r\n|\r|\n")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def submitted_sources(restored: dict[str, Any]) -> dict[str, str]:
    """Return the text of each function and class at the top level of what the student wrote.

    ``restored`` is the notebook that is run. Of a name that is defined twice the last one counts;
    cells that are no Python or larger than 100,000 characters have none.
    """
    found: dict[str, str] = {}
    left = _TEXT_MAX
    for text in _texts(restored["cells"]):
        left -= len(text)
        if left < 0:
            break
        if len(text) > _CELL_MAX or ("def" not in text and "class" not in text):
            continue
        tree = parsed_answer(text)
        if tree is not None:
            found |= _definitions(tree, _LINE_END.split(text))
        if len(found) > _SOURCES_MAX:
            break
    return dict(list(found.items())[:_SOURCES_MAX])


def _texts(cells: Iterable[dict[str, Any]]) -> Iterable[str]:
    for cell in cells:
        is_own = own_of(cell).get("origin") == Origin.STUDENT
        if cell.get("cell_type") == "code" and (is_own or is_answer(cell)):
            yield text_of(cell.get("source"))


def _definitions(tree: ast.Module, lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, _DEFINITIONS):
            first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            text = "\n".join(lines[first - 1 : node.end_lineno])
            found[node.name] = text + "\n"
    return found
