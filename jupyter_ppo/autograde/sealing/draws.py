"""Random numbers from a library's global stream: who draws them, and who seeds it."""

from __future__ import annotations

import ast
from collections.abc import Callable

_SEEDS = frozenset({"seed", "manual_seed"})
_TORCH = frozenset(
    {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like"}
    | {"randn_like"}
)
# They make a stream of their own.
_OWN = frozenset({"default_rng", "RandomState", "Generator", "Random", "SystemRandom", "PCG64"})


def global_draws(tree: ast.AST, dotted: Callable[[ast.expr], str]) -> dict[str, int]:
    """Return the libraries whose global random stream is drawn from, with the first line of each.

    ``dotted`` gives the dotted name of an expression.
    """
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            library = _library(dotted(node.func))
            if library:
                found[library] = min(node.lineno, found.get(library, node.lineno))
    return found


def seedings(tree: ast.AST, dotted: Callable[[ast.expr], str]) -> int:
    """Return how often a global stream is seeded; twice is for two runs from the same numbers."""
    return sum(
        isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _SEEDS
        for node in ast.walk(tree)
    )


def _library(name: str) -> str:
    parts = name.split(".")
    if len(parts) < 2 or parts[-1] in _SEEDS | _OWN:
        return ""
    if parts[0] == "random" and len(parts) == 2:
        return "random"
    if parts[:2] == ["numpy", "random"] and len(parts) == 3:
        return "numpy"
    return "torch" if parts[0] == "torch" and parts[-1] in _TORCH else ""
