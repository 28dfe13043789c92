"""The page on security links tests that exist, all hostile programs and attacks, real limits."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.sandbox import BOUNDS

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PROGRAMS: Final = {path.stem for path in (ROOT / "tests/sandbox/hostile").glob("*.py")}
ATTACKS: Final = sorted(path.stem for path in (ROOT / "tests/attacks/corpus").glob("*.py"))
LINKS: Final = re.findall(r"\]\(\.\./(tests/[^)#]+)(?:#([^)]+))?\)", PAGE)


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_every_test_that_the_page_links_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in LINKS
        if not (ROOT / path).is_file() or (name and name not in names_of_tests(ROOT / path))
    ]
    assert not missing


def test_every_link_to_a_file_of_tests_names_one_of_them_or_the_corpus() -> None:
    corpora = ("/hostile/", "/attacks/corpus/")
    whole = {path for path, name in LINKS if not name and not any(c in path for c in corpora)}
    assert whole == {
        "tests/sandbox/test_hostile.py",
        "tests/attacks/test_attacks.py",
        "tests/attacks/border.py",
    }


def test_every_hostile_program_stands_behind_a_promise() -> None:
    linked = {Path(path).stem for path, _ in LINKS if "/hostile/" in path}
    assert linked == PROGRAMS


def test_the_number_of_programs_is_true_and_not_small() -> None:
    (stated,) = re.findall(r"\*\*(\d+) programs\*\*", PAGE)
    assert int(stated) == len(PROGRAMS) >= 60


def test_every_attack_on_grading_stands_behind_a_promise() -> None:
    linked = sorted(Path(path).stem for path, _ in LINKS if "/attacks/corpus/" in path)
    assert linked == ATTACKS


def test_the_numbers_of_attacks_are_true() -> None:
    (stated,) = re.findall(r"\*\*(\d+) attacks\*\*", PAGE)
    assert int(stated) == len(ATTACKS) == 41
    (on_the_border,) = re.findall(r"\*\*(\d+) attacks on the border\*\*", PAGE)
    border = (ROOT / "tests/attacks/border.py").read_text(encoding="utf-8")
    (attacks,) = (
        node.value
        for node in ast.parse(border).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ATTACKS"
    )
    assert isinstance(attacks, ast.List)
    assert int(on_the_border) == len(attacks.elts) >= 33


def test_every_limit_has_a_row_with_what_proves_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.+\|.*\]\(.+\) \|$", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(BOUNDS)
