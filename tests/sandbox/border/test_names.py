"""The names of test cells: whose they are, and what of them reaches the student's kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def exam(exam_of: Callable[..., Any]) -> Any:
    started = exam_of(
        "LIMIT = 5\nmissing_in_tests = 1\nsum = lambda items: -1\n"
        "def up_to(): return list(range(LIMIT))\ndef double(x): return 2 * x\n"
        "def uses(): return double(4)\nTOL = 1e9\n"
    )
    started.begin(["LIMIT", "up_to", "double", "uses", "never_defined", "sum"])
    started.given("TOL = 1e-6")
    return started


@pytest.mark.parametrize(
    "code",
    [
        "assert TOL == 1e-6",
        "assert LIMIT == 5 and up_to() == [0, 1, 2, 3, 4]",
        "assert sum([1, 2]) == -1",
        "assert (lambda: [double(x) for x in (1, 2)])() == [2, 4]",
        "try:\n    missing_in_tests\nexcept NameError:\n    pass\nelse:\n    assert 0",
        "try:\n    never_defined\nexcept NameError as e:\n"
        "    assert str(e) == \"name 'never_defined' is not defined\"\nelse:\n    assert 0",
        "assert 'double' in globals() and 'never_defined' not in globals()",
        "assert globals().get('never_defined', 3) == 3 and globals()['LIMIT'] == 5",
        "x = 3\ndel x\nassert 'x' not in globals()",
        "import __main__\nassert __main__.TOL == 1e-6 and __main__.double(2) == 4",
    ],
)
def test_a_name_is_the_examiners_or_the_students(exam: Any, code: str) -> None:
    result = exam.check(code)
    assert result["state"] == "passed", result


def test_an_assignment_stays_here_unless_it_is_to_be_pushed(exam: Any) -> None:
    assert exam.check("LIMIT = 2\nassert up_to() == [0, 1, 2, 3, 4]")["state"] == "passed"
    code = "LIMIT = 3\nassert up_to() == [0, 1, 2] and LIMIT == 3"
    assert exam.check(code, pushed=["LIMIT"])["state"] == "passed"


def test_a_function_of_the_test_can_stand_in_for_the_students(exam: Any) -> None:
    code = "double = lambda x: 7\nassert uses() == 7 and double(1) == 7"
    assert exam.check(code, pushed=["double"])["state"] == "passed"


def test_a_deleted_name_is_gone_in_the_kernel_and_comes_back(exam: Any) -> None:
    code = (
        "kept = double\ndel double\n"
        "try:\n    uses()\nexcept NameError:\n    gone = True\n"
        "try:\n    double(1)\nexcept NameError:\n    pass\nelse:\n    assert 0\n"
        "double = kept\nassert gone and uses() == 8"
    )
    result = exam.check(code)
    assert result["state"] == "passed", result


def test_a_function_is_asked_for_once_and_a_value_each_time(exam: Any) -> None:
    assert exam.check("for _ in range(10): double(1)")["calls"] == 11
    assert exam.check("for _ in range(10): LIMIT")["calls"] == 10
