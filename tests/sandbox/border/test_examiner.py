"""What the examiner says of a cell: state, value, error, line, several checks, what was printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="module")
def exam(module_exam_of: Callable[..., Any]) -> Any:
    started = module_exam_of(
        "import sys, time\ndef half(x): return x / 2\ndef loud(): print('loud')\n"
        "def fails(text): raise AssertionError(text)\n"
        "def hangs():\n    while True: pass\n"
    )
    names = ["half", "loud", "fails", "hangs"]
    started.begin(names, seconds=1, contract=None)
    helper = "def close(a, b):\n    assert a == b, 'helper'\n"
    assert started.given(helper) is None
    return started


def test_a_cell_that_comes_to_its_end_passes(exam: Any) -> None:
    result = exam.check("assert half(3) == 1.5", index=7)
    assert (result["did"], result["index"], result["state"]) == ("check", 7, "passed")
    assert (result["error_type"], result["line"], result["value"]) == ("", None, None)
    assert result["calls"] == 2
    assert 0 < result["seconds"] < 5


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 / 2", "0.5"),
        ("half(3)", "1.5"),
        ("half(3);", None),
        ("half(3); # shown?", None),
        ("None", None),
        ("half", None),
        ("x = 3", None),
        ("'text'", "'text'"),
        ("True", "True"),
    ],
)
def test_the_last_value_is_told_as_a_notebook_shows_it(
    exam: Any, code: str, value: str | None
) -> None:
    assert exam.check(code)["value"] == value


@pytest.mark.parametrize(
    ("code", "kind", "text", "line", "is_message"),
    [
        ("x = 1\nassert half(3) == 2", "AssertionError", "", 2, False),
        ("assert half(3) == 2, 'Divide.'", "AssertionError", "Divide.", 1, True),
        ("assert (\n    half(3)\n    == 2\n), 'Divide.'", "AssertionError", "Divide.", 2, True),
        ("x = 1\n\nclose(half(3), 2)", "AssertionError", "helper", 3, False),
        ("def own():\n    close(1, 2)\nown()", "AssertionError", "helper", 2, False),
        ("raise AssertionError('Own.')", "AssertionError", "Own.", 1, False),
        ("assert fails('forged'), 'Own.'", "AssertionError", "forged", 1, False),
        ("1 / 0", "ZeroDivisionError", "division by zero", 1, False),
        ("x = (", "SyntaxError", "'(' was never closed (<test", 1, False),
        ("raise SystemExit(3)", "SystemExit", "3", 1, False),
        ("get_ipython()", "RuntimeError", "A sealed test has no IPython", 1, False),
        ("input()", "EOFError", "EOF when reading a line", 1, False),
        ("undefined", "NameError", "name 'undefined' is not defined", 1, False),
        ("raise ValueError('x' * 5000)", "ValueError", "x" * 2000, 1, False),
    ],
)
def test_an_error_is_told_with_its_line(
    exam: Any, code: str, kind: str, text: str, line: int, is_message: bool
) -> None:
    result = exam.check(code)
    assert result["state"] == "failed"
    assert result["error_type"] == kind
    assert result["error_message"].startswith(text)
    assert len(result["error_message"]) <= 2000
    assert (result["line"], result["is_message"]) == (line, is_message)
    assert result["value"] is None


def test_what_is_printed_is_kept_up_to_a_bound(exam: Any) -> None:
    code = "import sys\nprint('own')\nloud()\nprint('error', file=sys.stderr)\ndisplay(3)"
    assert exam.check(code)["output"] == "own\nloud\nerror\n"
    assert len(exam.check("for _ in range(100): print('x' * 10_000)")["output"]) == 64 * 1024


def test_several_checks_give_points_of_their_own(exam: Any) -> None:
    result = exam.check(
        "from jupyter_ppo.checks import Checks\nchecks = Checks()\n"
        "with checks('one', points=1): assert half(3) == 1.5\n"
        "with checks('two', points=2, message='Not so.'): assert half(3) == 2\n"
        "with checks('three', points=3): assert half(4) == 2\n"
        "checks.points"
    )
    assert (result["state"], result["value"], result["error_type"]) == ("failed", "4.0", "")
    assert [tuple(line.values()) for line in result["lines"]] == [
        ("one", 1.0, 1.0, ""),
        ("two", 0.0, 2.0, "Not so."),
        ("three", 3.0, 3.0, ""),
    ]
    assert exam.told[-3:] == [{"tell": "check"}] * 3


def test_all_checks_passed_is_passed_and_an_error_outside_of_them_is_not(exam: Any) -> None:
    passing = (
        "from jupyter_ppo.checks import Checks\nchecks = Checks()\n"
        "with checks('one', points=2): assert half(3) == 1.5\n"
    )
    passed = exam.check(passing)
    assert (passed["state"], passed["value"]) == ("passed", "2.0")
    failed = exam.check(passing + "1 / 0")
    assert (failed["state"], failed["value"]) == ("failed", None)
    assert failed["error_type"] == "ZeroDivisionError"


def test_a_check_without_end_costs_its_line_only(exam: Any) -> None:
    result = exam.check(
        "from jupyter_ppo.checks import Checks\nchecks = Checks()\n"
        "with checks('theirs', points=1): hangs()\n"
        "with checks('ours', points=2):\n    while True: pass\n"
        "with checks('swallowed', points=2):\n    try: hangs()\n    except: pass\n"
        "with checks('right', points=4): assert half(3) == 1.5\n"
    )
    assert [line["points"] for line in result["lines"]] == [0, 0, 0, 4]
    assert "time" in result["lines"][0]["message"]
    assert (result["state"], result["value"]) == ("failed", "4.0")


def test_what_a_test_writes_down_is_told(exam: Any) -> None:
    code = (
        "from jupyter_ppo.checks import record\nrecord.note({'mean': 1.5})\n"
        "record.note({'no': object()})"
    )
    assert exam.check(code)["records"] == [{"mean": 1.5}]
    assert exam.check("1")["records"] == []


def test_an_error_in_a_given_cell_is_told_and_the_rest_goes_on(exam: Any) -> None:
    assert exam.given("late = 1\n1 / 0") == "division by zero"
    assert exam.check("assert late == 1")["state"] == "passed"


def test_names_of_one_test_cell_are_there_in_the_next(exam: Any) -> None:
    exam.check("from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int")
    code = "import pickle\nassert pickle.loads(pickle.dumps(Point(3))) == Point(3)"
    assert exam.check(code)["state"] == "passed"


def test_a_seed_outside_of_tests_is_not_mirrored(exam: Any) -> None:
    exam.crossed.clear()
    assert exam.given("import random\nrandom.seed(3)") is None
    assert exam.crossed == []
    exam.check("random.seed(3)")
    assert b'"op":"seed"' in exam.crossed[0]


def test_no_text_of_a_test_crosses_the_border(exam: Any) -> None:
    exam.crossed.clear()
    code = (
        "secret_expected = 271828\n"
        "def callback(x):\n    raise ValueError('secret text')\n"
        "assert half(3) != secret_expected, 'secret message'\n"
        "assert half(4) == 2.0"
    )
    assert exam.check(code)["state"] == "passed"
    sent = b"".join(exam.crossed)
    assert b"271828" not in sent
    assert b"secret" not in sent


LINES = "from jupyter_ppo.checks import Checks\nchecks = Checks()\n"
WORDLESS = (
    "import time\nclass Loud:\n    def __repr__(self): raise ValueError\n"
    "class Slow:\n    def __repr__(self):\n        time.sleep(60)\n"
    "def loud(): return Loud()\ndef slow(): return Slow()\n"
    "def hangs():\n    time.sleep(60)\ndef half(x): return x / 2\n"
)


@pytest.fixture(scope="module")
def wordless(module_exam_of: Callable[..., Any]) -> Any:
    started = module_exam_of(WORDLESS)
    started.begin(["loud", "slow", "hangs", "half"], seconds=0.5)
    return started


def test_an_objects_text_costs_its_line_only(wordless: Any) -> None:
    result = wordless.check(
        LINES
        + "with checks('right', points=1): assert half(3) == 1.5\n"
        + "".join(
            f"with checks('{name} {at}'): assert half(1) == 2, {text}\n"
            for name in ("loud", "slow")
            for at, text in enumerate((f"{name}()", f"[{name}()]"))
        )
        + "with checks('last', points=2): assert half(3) == 1.5\n"
    )
    assert [line["points"] for line in result["lines"]] == [1, 0, 0, 0, 0, 2], result
    assert [line["message"] for line in result["lines"]][1:5] == [
        "<Loud of the student's>",
        "AssertionError",
        "<Slow of the student's>",
        "The time for this check is used up.",
    ]
    assert (result["state"], result["value"]) == ("failed", "3.0")


@pytest.mark.parametrize(
    ("text", "state", "message"),
    [
        ("loud()", "failed", "<Loud of the student's>"),
        ("slow()", "failed", "<Slow of the student's>"),
        ("[loud()]", "failed", ""),
        ("[slow()]", "timeout", "The time for this check is used up."),
    ],
)
def test_an_objects_text_in_a_message_ends_its_check_only(
    wordless: Any, text: str, state: str, message: str
) -> None:
    result = wordless.check(f"assert half(1) == 2, {text}")
    assert (result["state"], result["error_message"]) == (state, message)
    assert wordless.check("assert half(3) == 1.5")["state"] == "passed"


def test_a_failure_outside_of_the_lines_is_forgotten_by_none(wordless: Any) -> None:
    swallowed = "try:\n    hangs()\nexcept:\n    pass\n"
    result = wordless.check(
        LINES + swallowed + "with checks('one'): pass\nwith checks('two'): assert half(2) == 1"
    )
    assert (result["state"], result["lines"]) == ("timeout", [])
    persistent = "for name in 'ab':\n    try:\n        with checks(name): pass\n    except: pass\n"
    result = wordless.check(LINES + swallowed + persistent)
    assert (result["state"], result["lines"]) == ("timeout", [])
    between = LINES + "with checks('one'): pass\n" + swallowed + "with checks('two'): pass\n"
    assert wordless.check(between)["state"] == "timeout"
    inside = LINES + (
        "with checks('outer'):\n    try: hangs()\n    except: pass\n"
        "    with checks('inner'): pass\nwith checks('after'): pass\n"
    )
    result = wordless.check(inside)
    assert [(line["name"], line["points"]) for line in result["lines"]] == [
        ("outer", 0.0),
        ("after", 1.0),
    ]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("4 * np.mean([half(x) == x / 2 for x in (1, 2)])", "4.0"),
        ("np.int64(3)", "3.0"),
        ("np.float32(0.5)", "0.5"),
        ("np.bool_(True)", "True"),
        ("np.array(2)", "2.0"),
        ("np.array(False)", "False"),
        ("np.array([2.0])", "array([2.])"),
        ("np.str_('2')", "np.str_('2')"),
        ("np.complex128(2)", "np.complex128(2+0j)"),
        ("4 * torch.tensor([0.5, 1.0]).mean()", "3.0"),
        ("torch.tensor(2.0, requires_grad=True)", "2.0"),
        ("torch.tensor(2)", "2.0"),
        ("torch.tensor(True)", "True"),
        ("torch.tensor([2])", "tensor([2])"),
    ],
)
def test_a_number_of_numpy_or_torch_is_told_as_a_plain_one(
    wordless: Any, code: str, value: str
) -> None:
    pytest.importorskip("torch")
    assert wordless.check(f"import numpy as np\nimport torch\n{code}")["value"] == value
