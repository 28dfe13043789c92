"""No literal of a hidden test is in a grade or on a page, whatever the outcome."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.domain.sealing import SealState

_secret = st.integers(10**8, 10**12).map(str) | st.text("XYZQ", min_size=9, max_size=14)


@st.composite
def _cells(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A test cell with visible and hidden statements, and the literals of the hidden ones."""
    secrets = draw(st.lists(_secret, min_size=1, max_size=4))
    shapes = [
        "assert f(12) == '{}'",
        "expected = '{}'",
        "with checks('{}', points=1): assert f(1) == '{}'",
        "with checks('c{}' + f'{{k}}', points=1): same(f(1), '{}')",
        "same(f(3), '{}')",
        "for k in ['{}']:\n    same(f(k), k)",
        "cases.append('{}')",
    ]
    hidden = [
        draw(st.sampled_from(shapes)).replace("{}", secret).replace("{{k}}", "{k}")
        for secret in secrets
    ]
    shown = draw(
        st.lists(
            st.sampled_from(
                [
                    "",
                    "def same(a, b):\n    numpy.testing.assert_equal(a, b)",
                    "same(f(2), expected)",
                    "for case in cases:\n    same(f(case), case)",
                    "assert f(2) == 4, 'look'",
                    "with checks('shape', points=1): same(f(2), 4)",
                    "with checks('same', points=1): same(f(2), expected)",
                ]
            ),
            max_size=4,
        )
    )
    block = ["### BEGIN HIDDEN TESTS", *hidden, "### END HIDDEN TESTS"]
    at = draw(st.integers(0, len(shown)))
    return "\n".join(["cases = []", *shown[:at], *block, *shown[at:]]), secrets


@settings(
    derandomize=True,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(cell=_cells(), data=st.data())
def test_no_literal_of_a_hidden_test_reaches_grade_or_page(
    grader: NotebookGrader, make: Any, cell: tuple[str, list[str]], data: st.DataObject
) -> None:
    """Whatever the outcome, with error texts and output that quote all hidden values.

    A visible line quotes them only where it can: where it has them from a hidden line.
    """
    text, secrets = cell
    source = make.data(make.tests("t", text, 3), make.tests("after", "same(f(1), expected)"))
    released = grader.release(source)
    notebook = grader.restore(source, released.release)
    quoting = " and ".join(secrets)
    last = text.count("\n") + 1
    line = data.draw(st.none() | st.integers(1, last))
    is_clean = line is not None and not _quotes(text, line)
    names = ["shape", "same", *secrets, *(f"c{secret}7" for secret in secrets)]
    rows = tuple(
        CheckLine(name, 0.0, 1.0, quoting if _row_quotes(text, name) else "clean")
        for name in data.draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    )
    check = CheckRun(
        0,
        data.draw(st.sampled_from(list(CheckState))),
        value=data.draw(st.sampled_from([None, "1", "[]"])),
        error_type=data.draw(st.sampled_from(["", "AssertionError", "ValueError"])),
        error_message="clean" if is_clean else quoting,
        line=line,
        output=quoting,
        lines=rows,
        mutations=(f"{secrets[0]}(argument 1)",),
        records=({"env_id": secrets[0], "mean": 1.0},),
    )
    other = make.failed(1, "AssertionError", quoting, line=1)
    run = make.ran(notebook, checks=[check, other] if "expected = " in text else [check])
    sealing = make.sealing({"t": SealState.SEALED, "after": SealState.SEALED})
    grades = grader.score(notebook, run, released.exercises, sealing)
    page = grader.feedback(make.submission(), run, grades).decode()
    for shown in (repr(grades), page):
        for secret in secrets:
            assert secret not in shown


def _row_quotes(text: str, name: str) -> bool:
    """The same of a check with points of its own; unknown names are those of hidden lines."""
    found = [
        number
        for number, line in enumerate(text.split("\n"), start=1)
        if line.startswith(f"with checks('{name}'")
    ]
    return all(_quotes(text, number) for number in found)


def _quotes(text: str, number: int) -> bool:
    """Whether an error on this line can quote a hidden value when the cell is really run."""
    lines = text.split("\n")
    begin, end = (lines.index(f"### {word} HIDDEN TESTS") + 1 for word in ("BEGIN", "END"))
    hidden = "\n".join(lines[begin : end - 1])
    line = lines[number - 1]
    if begin <= number <= end:
        return True
    if "assert_equal" in line:
        return "same(" in hidden
    uses = ("expected" in line and "expected =" in hidden) or (
        ("case" in line) and "cases.append" in hidden
    )
    return uses and number > end
