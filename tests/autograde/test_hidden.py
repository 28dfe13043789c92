"""Where a hidden test is, and which visible lines tell of one."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.autograde.hidden import TestText as Text
from jupyter_ppo.autograde.hidden import builtin_error, quiet_after, texts_of
from jupyter_ppo.domain.exam import CheckState

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def text_of(make: Any, *lines: str) -> Text:
    (found,) = texts_of([make.tests("t", "\n".join(lines))])
    assert found is not None
    return found


def test_hidden_statements_are_counted_from_one_in_their_cell(make: Any) -> None:
    text = text_of(
        make, "assert a", BEGIN, "assert b", "for x in (", "    1,", "):", "    assert c", END,
        "assert d", BEGIN, "assert e", END,
    )  # fmt: skip
    assert [text.number(line) for line in (1, 3, 4, 5, 7, 9, 11)] == [None, 1, 2, 2, 2, None, 3]
    assert text.number(None) is None
    assert text.has_hidden


def test_a_hidden_line_of_text_that_is_no_python_has_a_number_and_nothing_else_is_told(
    make: Any,
) -> None:
    text = text_of(make, "assert (", BEGIN, "", "assert b", "assert c", END)
    assert (text.number(4), text.number(5)) == (1, 2)
    assert not text.tells(1)
    assert not text.tells(None)


def test_blank_lines_at_the_top_do_not_move_the_hidden_ones(make: Any) -> None:
    # The examiner gets the cell as IPython makes Python of it.
    from jupyter_ppo.autograde.sealing.python_text import python_of

    lines = ["", "", "assert a", BEGIN, "assert secret", END]
    line = python_of("\n".join(lines)).split("\n").index("assert secret") + 1
    assert text_of(make, *lines).number(line) == 1


def test_hidden_lines_that_python_has_no_more_make_the_whole_cell_silent(make: Any) -> None:
    text = text_of(make, "%%time", "assert a", BEGIN, "assert b", END)
    assert text.has_hidden
    assert not any(text.tells(line) for line in range(1, 6))


def test_a_cell_without_hidden_tests_tells_everything(make: Any) -> None:
    text = text_of(make, "expected = 4", "assert f(2) == expected")
    assert all(text.tells(line) for line in (1, 2, None))
    assert not text.has_hidden


def test_a_visible_line_with_a_name_that_a_hidden_line_set_does_not_tell(make: Any) -> None:
    text = text_of(
        make, BEGIN, "expected = 144", END, "twice = 2 * expected", "check(f(12), twice)",
        "expected = 4", "check(f(2), expected)",
    )  # fmt: skip
    assert [text.tells(line) for line in (4, 5, 6, 7)] == [False, False, True, True]


def test_a_helper_that_a_hidden_line_calls_does_not_tell(make: Any) -> None:
    text = text_of(
        make, "def same(a, b):", "    compare(a, b)", "def all_of(x):", "    same(f(x), x)",
        "def other(a):", "    assert a", BEGIN, "all_of(12)", END, "other(1)",
    )  # fmt: skip
    assert [text.tells(line) for line in (2, 4, 6, 10)] == [False, False, True, True]


def test_names_are_followed_from_cell_to_cell_but_not_through_the_students_objects(
    make: Any,
) -> None:
    cells = [
        make.tests("one", f"cases = []\n{BEGIN}\ncases.append(12)\nmodel.update(3)\n{END}"),
        make.solution("answer", "cases = [1]"),
        make.tests("two", "for case in cases:\n    check(f(case))\nmodel.step()"),
    ]
    one, answer, two = texts_of(cells)
    assert answer is None
    assert one is not None
    assert two is not None
    assert [two.tells(line) for line in (1, 2, 3)] == [False, False, True]


def test_a_block_around_hidden_lines_counts_each_of_them(make: Any) -> None:
    text = text_of(
        make, "for x in (1, 2):", "    assert f(x)", f"    {BEGIN}", "    assert g(x)",
        "    assert h(x)",
        f"    {END}", "assert k",
    )  # fmt: skip
    assert [text.number(line) for line in (2, 4, 5, 7)] == [None, 1, 2, None]
    assert [text.tells(line) for line in (2, 7)] == [False, True]


def test_only_hidden_statements_that_test_something_are_counted(make: Any) -> None:
    text = text_of(
        make, "assert f(0)", BEGIN, "x = f(1)", "def helper(n): assert f(n)", "assert x",
        "y = 2", "helper(y)", "y", END,
    )  # fmt: skip
    assert [text.number(line) for line in (3, 4, 5, 6, 7, 8)] == [1, 1, 1, 2, 2, 2]
    assert text.source(1) == (1, "assert f(0)")
    assert [text.source(line) for line in (2, 3, 9)] == [None, None, None]


def test_checks_are_found_by_name_with_what_may_be_told_of_them(make: Any) -> None:
    text = text_of(
        make,
        'with checks("shape", points=1): assert a',
        'with checks(f"case {n}", points=1): assert b',
        BEGIN,
        'with checks("secret", points=1): assert c',
        'with checks("hinted", points=1, message="Think of zero"): assert d',
        'with checks("empty", points=1, message=""): assert e',
        END,
    )
    found = {name: text.check(name) for name in ("shape", "secret", "hinted", "empty", "case 3")}
    assert all(found.values())
    assert [(item.number > 0, item.message) for item in found.values() if item] == [
        (False, ""), (True, ""), (True, "Think of zero"), (True, ""), (False, ""),
    ]  # fmt: skip
    assert text_of(make, "helper(checks)").check("shape") is None


@pytest.mark.parametrize(
    ("message", "fixed"),
    [
        ('"Think of zero"', "Think of zero"),
        ("f'mean return {mean:.0f}, 475 are needed'", "mean return …, 475 are needed"),
        ("f'{answer}'", ""),
        ("str(answer)", ""),
        ("'got ' + answer", ""),
        ("'got %s' % answer", ""),
    ],
)
def test_of_an_authors_message_only_what_is_written_is_fixed(
    make: Any, message: str, fixed: str
) -> None:
    text = text_of(make, "assert a", BEGIN, f"assert b, {message}", END)
    assert (text.message(3), text.message(1), text.message(None)) == (fixed, "", "")


def test_lines_before_the_first_hidden_one_are_not_quiet_unless_they_run_again(make: Any) -> None:
    text = text_of(
        make, "assert a", "later = (f(x) for x in y)", "def g(): return f(1)", "assert b",
        BEGIN, "assert c", END, "assert d",
    )  # fmt: skip
    quiet = [text.is_quiet(line) for line in (1, 2, 3, 4, 6, 8, None)]
    assert quiet == [False, True, True, False, True, True, True]
    loop = text_of(make, "for x in y:", "    assert a", f"    {BEGIN}", "    assert b", END)
    assert loop.is_quiet(2)
    assert not text_of(make, "assert a").is_quiet(1)


def test_hidden_tests_count_as_run_unless_the_examiner_saw_an_end_before_them(make: Any) -> None:
    texts = texts_of(
        [make.tests("one", "assert a"), make.tests("two", f"assert a\n{BEGIN}\nassert b\n{END}")]
    )

    def after(*checks: Any) -> int | None:
        return quiet_after(texts, checks)

    assert after(make.check(0)) is None
    assert after(make.failed(1, "ValueError", line=1)) is None
    assert after(make.check(1, CheckState.NOT_RUN)) is None
    assert after(make.check(1, CheckState.NOT_RUN, calls=1)) == 1
    assert after(make.check(0), make.failed(1, "ValueError", line=3)) == 1
    assert after(make.check(1, CheckState.TIMEOUT, line=1)) == 1
    assert after(make.check(1)) == 1


def test_only_pythons_own_errors_keep_their_name() -> None:
    assert builtin_error("ValueError") == "ValueError"
    assert builtin_error("print") == builtin_error("Secret") == builtin_error("__doc__") == ""
