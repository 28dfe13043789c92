"""Whose names: decided by the author's notebook alone, in the order of its cells."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.sealing.author import author_cells
from jupyter_ppo.autograde.sealing.ownership import Ownership, ownership_of


@pytest.fixture(scope="module")
def owner(write: Any) -> Any:
    def made(*parts: tuple[str, str]) -> Ownership:
        cells = (*parts, ("test", "assert True"))
        return ownership_of(author_cells(make_release(write(*cells)).source))

    return made


def codes(ownership: Ownership) -> list[str]:
    return [owned.code for owned in ownership.cells]


def test_functions_and_values_of_an_answer_are_the_students(owner: Any) -> None:
    found = owner(("answer", "N = 3\ndef f(x):\n    y = x\n    return y\nclass A: b = 1"))
    assert found.student_names == {"N", "f", "A"}
    assert codes(found)[0] == ""


def test_given_cells_and_their_text_belong_to_the_examiner(owner: Any) -> None:
    text = "TOL = 1e-6  # close enough\n\ndef near(a, b):\n    return abs(a - b) < TOL"
    found = owner(("given", text))
    assert found.student_names == set()
    assert codes(found)[0].rstrip() == text


def test_imports_of_an_answer_are_the_examiners_own_modules(owner: Any) -> None:
    answer = (
        "from __future__ import annotations\nimport numpy as np\nfrom math import pi\n"
        "try:\n    import numba\nexcept ImportError:\n    numba = None\nf = np.sin"
    )
    found = owner(("answer", answer))
    assert found.student_names == {"f"}
    assert codes(found)[0].startswith("import numpy as np\nfrom math import pi\ntry:")
    assert found.modules == {"numpy", "math", "numba"}
    assert found.imported["np"] == "numpy"
    assert found.imported["pi"] == "math.pi"


def test_what_a_given_cell_builds_from_the_students_names_stays_with_the_student(
    owner: Any,
) -> None:
    given = "model = Net()\nsize = 3\ndef lazily():\n    return Net()\nouts = [model for _ in 'ab']"
    found = owner(("answer", "class Net: pass"), ("given", given))
    assert found.student_names == {"Net", "model", "outs"}
    assert codes(found)[1] == "size = 3\n\ndef lazily():\n    return Net()".replace("\n\n", "\n")
    assert found.asking == {"lazily"}


def test_defaults_and_bases_are_read_at_once_but_bodies_and_lambdas_are_not(owner: Any) -> None:
    given = "def a(x=f()): pass\nclass B(f): pass\nc = lambda: f()\ndef d(): f()"
    found = owner(("answer", "def f(): pass"), ("given", given))
    assert found.student_names == {"f", "a", "B"}


def test_an_answer_takes_over_a_name_that_a_given_cell_began(owner: Any) -> None:
    found = owner(
        ("given", "agent = None\nsize = 2\ndouble = size * 2"),
        ("answer", "agent = train()\nsize = 5"),
        ("given", "trained = agent"),
    )
    assert found.student_names == {"agent", "size", "trained"}
    assert "double = size * 2" in codes(found)[0]  # before the answer the size was the author's
    assert (
        codes(found)[1] == "dict.pop(globals(), 'agent', None)\ndict.pop(globals(), 'size', None)"
    )
    assert codes(found)[2] == ""


def test_a_given_cell_takes_a_name_back(owner: Any) -> None:
    found = owner(("answer", "x = 1"), ("given", "x = 2\ny = x"))
    assert codes(found)[1].rstrip() == "x = 2\ny = x"


def test_a_given_list_that_is_filled_by_the_students_code_is_the_students(owner: Any) -> None:
    given = "outs = []\nfor n in range(3):\n    outs.append(f(n))"
    found = owner(("answer", "def f(n): return n"), ("given", given))
    assert {"outs", "n"} <= found.student_names
    assert codes(found)[1] == "outs = []\ndict.pop(globals(), 'outs', None)"


def test_magics_of_a_given_cell_are_not_run_by_the_examiner(owner: Any) -> None:
    given = "%matplotlib inline\n!pip install x\nfiles = !ls\nN = 3"
    found = owner(("given", given))
    assert "get_ipython" not in codes(found)[0]
    assert "N = 3" in codes(found)[0]
    assert found.student_names == {"files"}


@pytest.mark.parametrize("answer", ["%%time\nf = len", "%time f = len", "%%capture out\nf = len"])
def test_names_behind_a_timing_magic_are_seen(owner: Any, answer: str) -> None:
    assert owner(("answer", answer)).student_names == {"f"}


def test_cells_of_no_kind_count_as_given(owner: Any) -> None:
    found = owner(("loose", "K = 4"), ("answer", "def f(): return K"), ("loose", "f()"))
    assert found.student_names == {"f"}
    assert codes(found)[0].rstrip() == "K = 4"
    assert codes(found)[2] == ""


def test_names_that_student_functions_read_are_pushed_when_a_test_sets_them(owner: Any) -> None:
    found = owner(
        ("answer", "LIMIT = 5\nSTART = 1\nothers = 2\ndef f(): return LIMIT + START"),
        ("test", "LIMIT = 3\nothers = 1\nassert f() == 3\ndel f"),
    )
    assert found.cells[1].pushed == ("LIMIT",)


def test_an_unsealed_test_gives_the_examiner_its_helpers_only(owner: Any) -> None:
    unsealed = "import math\ndef near(a): return a\nseen = f(2)\nprint('hi')\nassert f(1) == 1"
    found = owner(("answer", "def f(x): return x"), ("unsealed", unsealed))
    assert codes(found)[1] == "import math\n\ndef near(a):\n    return a".replace("\n\n", "\n")
    assert found.student_names == {"f", "seen"}


def test_a_cell_that_is_no_python_owns_nothing(owner: Any) -> None:
    found = owner(("given", "def ("), ("answer", "x = = 1"))
    assert found.student_names == set()
    assert codes(found)[:2] == ["", ""]


def test_a_static_await_or_return_outside_a_function_does_not_stop_the_reading(
    owner: Any,
) -> None:
    assert owner(("answer", "x = await g()\nreturn 3\ny = 1")).student_names >= {"y"}
