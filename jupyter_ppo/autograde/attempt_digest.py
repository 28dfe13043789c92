"""Whether two texts of an answer cell are the same attempt: what they do, not how they look."""

from __future__ import annotations

import ast
import hashlib

from jupyter_ppo.autograde.sealing.python_text import parsed_answer
from jupyter_ppo.domain.hint_ladder import NO_ATTEMPT

_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


def attempt_digest(text: str) -> str:
    """Return the SHA-256 of the code without comments, blank lines, spacing and docstrings.

    ``NO_ATTEMPT`` when nothing is left. Magics do not count either. Of text that is no Python the
    blanks and what follows a # are left out.
    """
    tree = parsed_answer(text)
    kept = None if tree is None else _dumped(tree)
    if kept is None:
        lines = (line.partition("#")[0] for line in text.split("\n"))
        words = " ".join(" ".join(lines).split())
        kept = f"text:{words}" if words else ""
    if not kept:
        return NO_ATTEMPT
    return hashlib.sha256(kept.encode("utf-8", "backslashreplace")).hexdigest()


def _dumped(tree: ast.Module) -> str | None:
    try:
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
        tree.body = [node for node in tree.body if not isinstance(node, ast.Pass)]  # magics too
        return ast.dump(tree) if tree.body else ""
    except RecursionError:
        return None
