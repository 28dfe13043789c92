"""IPython is told to take the assertions out of every later cell, or not to run it."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, both

TREE = """
import ast

class Strip(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_Expr(self, node):
        return ast.copy_location(ast.Pass(), node) if "assert" in ast.dump(node) else node

get_ipython().ast_transformers.append(Strip())
"""
LINES = """
def strip(lines):
    return [] if any("assert" in line for line in lines) else lines

get_ipython().input_transformers_post.append(strip)
"""
WRAPPED = """
shell = get_ipython()

def wrap(function):
    def run(code, *args, **options):
        return function("" if "assert" in code else code, *args, **options)
    return run

shell.run_cell = wrap(shell.run_cell)
shell.run_cell_async = wrap(shell.run_cell_async)
"""


def variants(folder: Path) -> list[Variant]:
    tricks = {"syntax tree": TREE, "lines": LINES, "run_cell": WRAPPED}
    return [each for name, trick in tricks.items() for each in both(trick, name)]
