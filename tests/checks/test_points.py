"""Several checks in one cell: what passes gives its points, what fails costs its own only."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.checks import Checks, record


def test_a_failing_check_gives_no_points_and_the_rest_goes_on() -> None:
    checks = Checks()
    with checks("shape", points=1):
        assert 1 + 1 == 3
    with checks("by hand", points=2.5):
        assert 1 + 1 == 2
    assert (checks.points, checks.max_points) == (2.5, 3.5)
    assert repr(checks) == "Checks(2.5 of 3.5 points)"


def test_in_a_notebook_a_failing_check_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    checks, wrong = Checks(), "-1 != 1"
    with checks("own words", message="Look at the sign."):
        raise AssertionError(wrong)
    with checks("the test's words"):
        raise AssertionError(wrong)
    with checks("no words"):
        raise AssertionError
    with checks("an error"):
        int("x")
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == [
        "own words: not passed (Look at the sign.)",
        "the test's words: not passed (-1 != 1)",
        "no words: not passed (AssertionError)",
    ]
    assert printed[3].startswith("an error: not passed (ValueError: invalid literal")


def test_an_interrupt_is_not_a_failed_check() -> None:
    checks = Checks()
    with pytest.raises(KeyboardInterrupt), checks("long"):
        raise KeyboardInterrupt
    assert checks.max_points == 0


@pytest.mark.parametrize(
    ("name", "points", "error", "text"),
    [
        ("", 1, ValueError, "needs a name"),
        ("x" * 201, 1, ValueError, "needs a name"),
        (3, 1, TypeError, "texts"),
        ("a", -1, ValueError, "from 0"),
        ("a", math.nan, ValueError, "finite"),
        ("a", math.inf, ValueError, "finite"),
        ("a", "1", TypeError, "give a number"),
        ("a", True, TypeError, "give a number"),
    ],
)
def test_wrong_arguments_are_refused(
    name: str, points: float, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        Checks()(name, points)


def test_a_name_is_taken_once() -> None:
    checks = Checks()
    with checks("shape"):
        pass
    with pytest.raises(ValueError, match="two checks"):
        checks("shape")


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=20))
def test_the_points_are_those_of_the_checks_that_passed(lines: list[tuple[float, bool]]) -> None:
    checks = Checks()
    for number, (points, passes) in enumerate(lines):
        with checks(str(number), points, message="no"):
            assert passes
    assert checks.points == math.fsum(points for points, passes in lines if passes)
    assert checks.max_points == math.fsum(points for points, _ in lines)


class Server:
    """Stands where the examiner stands."""

    def __init__(self) -> None:
        self.entered_count = self.asked_count = self.asked_when_left = 0
        self.lost: str | None = None

    def entered(self) -> None:
        self.entered_count += 1

    def text_of(self, error: BaseException) -> str:
        self.asked_count += 1
        return f"{error}".upper()

    def left(self) -> str | None:
        self.asked_when_left = self.asked_count
        return self.lost


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    record.start(made)
    yield made
    record.take()
    record._recorder.hooks = None


def test_the_examiner_reads_the_lines_and_the_notes(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = Checks()
    with checks("one", points=2):
        record.note({"mean": 1.5})
    with checks("two", points=3, message="Not yet."):
        raise AssertionError
    lines, notes = record.take()
    assert lines == [record.Line("one", 2, 2), record.Line("two", 0, 3, "Not yet.")]
    assert notes == [{"mean": 1.5}]
    assert server.entered_count == 2
    assert capsys.readouterr().out == ""
    assert record.take() == ([], [])


def test_the_examiner_gives_an_errors_text_before_the_check_is_left(server: Server) -> None:
    checks = Checks()
    with checks("assertion"):
        raise AssertionError("wrong")  # noqa: EM101
    assert server.asked_when_left == 1
    with checks("error"):
        raise KeyError("x")  # noqa: EM101
    assert [line.message for line in record.take()[0]] == ["WRONG", "KeyError: 'X'"]


def test_an_object_that_gives_no_text_costs_its_check_only() -> None:
    class Wordless:
        def __repr__(self) -> str:
            raise ValueError

    checks = Checks()
    with checks("wordless"):
        raise AssertionError(Wordless())
    with checks("right"):
        pass
    assert (checks.points, checks.max_points) == (1, 2)


def test_what_the_examiner_calls_lost_gives_no_points(server: Server) -> None:
    server.lost = "Time is up."
    checks = Checks()
    with checks("swallows everything", points=2):
        pass
    assert checks.points == 0
    assert record.take()[0] == [record.Line("swallows everything", 0, 2, "Time is up.")]


def test_nothing_is_kept_where_nobody_reads() -> None:
    record.note({"mean": 1.5})
    with Checks()("one"):
        pass
    assert record.take() == ([], [])


def test_importing_it_loads_neither_numpy_nor_the_server() -> None:
    code = (
        "import sys\nfrom jupyter_ppo.checks import Checks\n"
        "print(sorted({'numpy', 'torch', 'gymnasium', 'sqlalchemy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
