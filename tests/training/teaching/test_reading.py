"""The library stays small, and its NumPy half light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_ppo.training import objective, teaching

FOLDER = Path(teaching.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
NUMPY_ONLY = ("bandits", "returns", "frames", "normalizing", "scores")


def code_lines(path):
    """Lines that are neither empty, nor a comment, nor a docstring."""
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    skipped = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            skipped.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(
        1 for n, line in lines if n not in skipped and line.strip() and line.strip()[0] != "#"
    )


def test_every_module_has_its_place_in_the_reading_order():
    order = teaching.__doc__ or ""
    missing = [name for name in MODULES if f"``{name}``:" not in order]
    assert not missing


def test_it_can_be_read_in_an_evening():
    """About three hours at ten lines of code a minute; each file in one sitting."""
    sizes = {name: code_lines(FOLDER / f"{name}.py") for name in MODULES}
    sizes["objective"] = code_lines(Path(objective.__file__))
    assert max(sizes.values()) <= 200, sizes
    assert sum(sizes.values()) <= 1600, sizes


def test_the_numpy_half_loads_neither_pytorch_nor_gymnasium():
    names = ", ".join(f"jupyter_ppo.training.teaching.{name}" for name in NUMPY_ONLY)
    code = (
        f"import sys, jupyter_ppo.training.objective, {names};"
        "print(sorted({'torch', 'gymnasium', 'stable_baselines3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", [*MODULES, "objective"])
def test_every_public_function_has_types_and_a_docstring(name):
    path = Path(objective.__file__) if name == "objective" else FOLDER / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        assert ast.get_docstring(node), f"{name}.{node.name}"
        assert node.returns is not None, f"{name}.{node.name}"
        arguments = [arg for arg in node.args.args if arg.arg not in {"self", "cls"}]
        assert all(arg.annotation is not None for arg in arguments), f"{name}.{node.name}"
