"""Tests that a wrong answer passes; and sound ones that look like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_ppo.autograde.sealing.weak import Weakness
from jupyter_ppo.domain.sealing import CellSealing, FindingKind

ANSWER = (
    "answer",
    "import numpy as np\nimport math\ndef f(x):\n    return x\ndef score_of(): pass",
)
GIVEN = ("given", "def near(a, b): assert abs(a - b) < 1\ndef asks(): return f(1)\nBASE = [1, 2]")
Read = Callable[..., CellSealing]


def weaknesses(cell: CellSealing) -> set[Weakness]:
    return {Weakness(found.text) for found in cell.findings if found.text in set(Weakness)}


FOUND = [
    ("assert not abs(f(1) - 3) > 1e-6", Weakness.NAN),
    ("assert not (f(1) > 3 or f(1) < 2)", Weakness.NAN),
    ("assert not np.any(np.abs(f(np.ones(3)) - 1) > 1e-6)", Weakness.NAN),
    ("if abs(f(1) - 3) > 1e-6:\n    raise AssertionError('off')", Weakness.NAN),
    ("err = abs(f(1) - 2)\nif err > 1e-6:\n    assert False, 'off'", Weakness.NAN),
    ("a = [3, 1]\nassert f(a) == a", Weakness.ARGUMENT),
    ("a = [3, 1]\nassert a == f(a)", Weakness.ARGUMENT),
    ("x = np.arange(3)\ny = f(x)\nassert np.allclose(y, 2 * x)", Weakness.ARGUMENT),
    ("x = np.arange(3)\nnp.testing.assert_allclose(f(x), np.sin(x))", Weakness.ARGUMENT),
    ("a = [3, 1]\nf(a)\nassert a == sorted(a)", Weakness.ARGUMENT),
    ("for n in range(3):\n    a = list(range(n))\n    assert f(a) == a", Weakness.ARGUMENT),
    ("x = np.random.default_rng(0).normal(size=5)\n"
     "assert np.allclose(f(x), (x - x.mean()) / x.std())", Weakness.ARGUMENT),
    ("x = np.ones(3) / 3\nassert np.abs(f(x) - 2 * x).max() < 1", Weakness.ARGUMENT),
    ("rng = np.random.default_rng(0)\nx = rng.random(3)\n"
     "assert all(a == b for a, b in zip(f(x), x))", Weakness.ARGUMENT),
    ("for x in ([3, 1], [2]):\n    assert f(x) == sorted(x)", Weakness.ARGUMENT),
    ("f(1)", Weakness.LAST_VALUE),
    ("s = f(3) / 2\nassert s\ns", Weakness.LAST_VALUE),
    ("assert f(2)\nmin(score_of(), 2)", Weakness.LAST_VALUE),
    ("x = f(3)\nprint(x)", Weakness.NO_CHECK),
    ("f(1);\ny = 2", Weakness.NO_CHECK),
    ("try:\n    f(0)\nexcept ValueError:\n    pass", Weakness.NO_CHECK),
    ("assert (f(1) == 2, 'wrong')\nassert f(2) == 2", Weakness.ALWAYS_TRUE),
    ("assert True\nassert f(2) == 2", Weakness.CONSTANT),
    ("assert (f(1), f(2))\nassert f(2) == 2", Weakness.CONSTANT),
    ("try:\n    assert f(1) == 3\nexcept Exception:\n    pass", Weakness.SWALLOWED),
    ("try:\n    assert f(1) == 3\nexcept:\n    print('no')", Weakness.SWALLOWED),
    ("try:\n    f(-1)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
     Weakness.ANY_ERROR),
    ("import pytest\nwith pytest.raises(Exception):\n    f(-1)", Weakness.ANY_ERROR),
    ("assert 1 + 1 == 2", Weakness.NOT_ASKED),
    ("assert isinstance(f(1), int) and callable(f)", Weakness.ONLY_TYPE),
    ("r = f(1)\nassert type(r) is int\nassert r is not None", Weakness.ONLY_TYPE),
    ("assert f(1) == 0.1", Weakness.FLOAT_EQUAL),
    ("f(1) == 2", Weakness.NO_NUMBER),
    ("assert f(1)\nall(f(n) == n for n in range(4))", Weakness.NO_NUMBER),
    ("assert f(1)\nf(1) == 2 and f(2) == 3", Weakness.NO_NUMBER),
    ("ok = not f(1) == 2\nok", Weakness.NO_NUMBER),
    ("[f(n) == n for n in range(4)]", Weakness.NO_NUMBER),
    ("assert f(1) == 2\n'done'", Weakness.NO_NUMBER),
    ("assert f(1)\nnp.allclose(f(1), 2)", Weakness.NO_NUMBER),
    ("1 if f(1) == 2 else 'wrong'", Weakness.NO_NUMBER),
]  # fmt: skip


@pytest.mark.parametrize(("test", "weakness"), FOUND)
def test_a_weak_test_is_pointed_out(read: Read, test: str, weakness: Weakness) -> None:
    assert weaknesses(read(GIVEN, ANSWER, ("test", test))) == {weakness}


FINE = [
    "assert abs(f(1) - 3) <= 1e-6",
    "assert not f(1) == 3",
    "assert not len(f([1])) > 3",
    "limit = 3\nassert not limit > 4\nassert f(1)",
    "a = [3, 1]\nassert f(a.copy()) == a",
    "a = [3, 1]\nassert f(a) == [1, 3]",
    "a = [3, 1]\nf(a)\nassert a == [1, 3]",
    "a = [3, 1]\nwanted = sorted(a)\nassert f(a) == wanted",
    "a = [3, 1]\nassert sorted(a) == f(a)",
    "x = np.arange(3)\nassert f(x).shape == x.shape and len(f(x)) == len(x) and f(x)[0] == 2",
    "x = np.arange(3)\nassert np.allclose(2 * x, f(x))",
    "x = np.arange(3)\nassert np.allclose(f(x.copy()), 2 * x)",
    "x = [3, 1]\nassert f(x) == [1, 3] and x == [3, 1]",
    "n = np.random.default_rng(0).integers(1, 9)\nassert f(n) == 2 * n",
    "%timeit -n 1 f(1)\nassert 1 + 1 == 2",
    "for n in range(5):\n    assert f(n) == n * n",
    "x = [1]\nassert f(x) is x and f(1) == 1",
    "a = [1]\nf(a)\na = [2]\nassert f(3) == a",
    "score = 0\nif f(1) == 1: score += 0.5\nscore",
    "sum(f(n) == n for n in range(4)) / 4",
    "near(f(1), 1)",
    "ok = [f(n) == n for n in range(4)]\n4 * np.mean(ok)",
    "2 * (f(1) == 2) + (f(2) == 3)",
    "2 if f(1) == 2 else 0",
    "score = 0\nscore = score + (f(1) == 2)\nscore",
    "a = 1\nassert f(1)\na = a\na",
    "np.testing.assert_array_equal(f(np.ones(2)), 1)",
    "with checks('shape', points=1):\n    assert f(1) == 1\nchecks.points",
    "try:\n    f(0)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError('none')",
    "import pytest\nwith pytest.raises(ValueError):\n    f(-1)",
    "assert isinstance(f(1), int)\nassert f(1) == 1",
    "assert asks() == 1",
    "assert globals()['f'](1) == 1",
    "assert f(1) == 1.5 and math.isclose(f(2), 0.1)",
]


@pytest.mark.parametrize("test", FINE)
def test_a_sound_test_is_left_alone(read: Read, test: str) -> None:
    assert weaknesses(read(GIVEN, ANSWER, ("test", test))) == set()


def test_float_equality_needs_care_and_the_rest_is_weak(read: Read) -> None:
    cell = read(GIVEN, ANSWER, ("test", "assert f(1) == 0.1\nassert not f(2) > 1"))
    assert [(found.line, found.kind) for found in cell.findings] == [
        (1, FindingKind.CARE),
        (2, FindingKind.WEAK),
    ]


def test_every_weakness_is_a_sentence_with_a_remedy() -> None:
    for weakness in Weakness:
        assert weakness.value.endswith(".")
        assert ":" in weakness.value
