"""From the runs of the reference solution to each test cell's sealing."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.autograde.cells import grade_id_of
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.restore import restore_notebook
from jupyter_ppo.autograde.sealing.exam import make_exam
from jupyter_ppo.autograde.sealing.verdicts import sealings_of_runs
from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict
from jupyter_ppo.domain.sealing import CellSealing, FindingKind, SealState


@pytest.fixture(scope="module")
def judged(write: Any) -> Any:
    """Return the sealings when the cell test1 ends as told and test2 passes."""

    def made(
        state: CheckState | None = CheckState.PASSED, passed_plain: bool | None = None, **told: Any
    ) -> tuple[CellSealing, ...]:
        data = write(
            ("answer", "def f(x): return x"),
            ("test", "assert f(1) == 1"),
            ("test", "assert f(2) == 2"),
            ("unsealed", "assert f(3) == 3"),
            points=2,
        )
        source, restored = make_release(data).source, restore_notebook(data, data)
        exam = make_exam(source, restored, None, key="k")
        assert exam is not None
        where = {grade_id_of(cell): index for index, cell in enumerate(restored["cells"])}
        checks = [CheckRun(where["test2"], CheckState.PASSED, uses=frozenset({"b.b"}))]
        if state is not None:
            checks.append(CheckRun(where["test1"], state, **told))
        run = NotebookRun(restored, Verdict.RAN, "", (), 1.0, checks=tuple(checks))
        plain = None if passed_plain is None else run
        return sealings_of_runs(source, exam, run, plain, {"test1": passed_plain}.get)

    return made


def test_a_cell_that_the_reference_passes_is_sealed_and_its_uses_are_the_contract(
    judged: Any,
) -> None:
    cells = judged(uses=frozenset({"Vec.__mul__"}), mutations=("f(argument 1)",))
    assert [cell.state for cell in cells] == [
        SealState.SEALED,
        SealState.SEALED,
        SealState.UNSEALED,
    ]
    assert [cell.contract for cell in cells] == [("Vec.__mul__",), ("b.b",), ()]
    assert cells[0].changes == ("f(argument 1)",)
    assert cells[0].reason == ""


@pytest.mark.parametrize("state", [s for s in CheckState if s is not CheckState.PASSED])
def test_a_cell_that_passes_in_one_kernel_only_cannot_be_sealed(
    judged: Any, state: CheckState
) -> None:
    told = {"error_type": "TypeError", "error_message": "no\ngradient", "line": 3}
    cells = judged(state, True, uses=frozenset({"a.a"}), **told)
    assert cells[0].state is SealState.CANNOT_SEAL
    assert [cell.contract for cell in cells] == [(), ("b.b",), ()]
    assert cells[0].reason.endswith("or give the cell the tag 'unsealed'.")
    if state in {CheckState.FAILED, CheckState.BORDER}:
        assert "TypeError: no gradient" in cells[0].reason
        assert "line 3: " in cells[0].reason
    assert "It gives no points and waits for a person (2 points)." in cells[0].reason


def test_checks_that_do_not_sum_to_the_points_are_the_references_fault(judged: Any) -> None:
    for plain in (None, False):
        cells = judged(CheckState.PASSED, plain, lines=(CheckLine("all", 10, 10),))
        assert cells[0].state is SealState.REFERENCE_FAILS
        assert cells[0].reason == (
            "The reference solution does not get full points: its checks sum to 10 of 2."
        )


def test_the_remedy_is_told_once(judged: Any) -> None:
    said = "write it plainly, or give its cell the tag 'unsealed'."
    told = {"error_type": "RuntimeError", "error_message": said, "line": 1}
    assert judged(CheckState.FAILED, True, **told)[0].reason.count("'unsealed'") == 1


def test_a_cell_that_fails_in_both_runs_is_the_references_fault(judged: Any) -> None:
    told = {"error_type": "AssertionError", "error_message": ""}
    cells = judged(CheckState.FAILED, False, **told)
    assert cells[0].state is SealState.REFERENCE_FAILS
    assert "AssertionError" in cells[0].reason


def test_a_cell_that_was_not_run_is_not_taken_for_sealed(judged: Any) -> None:
    cells = judged(None, True)
    assert cells[0].state is SealState.CANNOT_SEAL


def test_without_the_plain_run_a_failed_cell_waits_for_its_author(judged: Any) -> None:
    cells = judged(CheckState.FAILED)
    assert cells[0].state is SealState.CANNOT_SEAL


def test_all_lines_have_to_pass(judged: Any) -> None:
    lines = (CheckLine("shape", 1, 1), CheckLine("by hand", 0, 1, "off by one"))
    cells = judged(CheckState.PASSED, True, lines=lines)
    assert cells[0].state is SealState.CANNOT_SEAL
    assert "'by hand'" in cells[0].reason


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("1.5", SealState.CANNOT_SEAL),
        ("2", SealState.SEALED),
        ("'text'", SealState.SEALED),
        ("nan", SealState.CANNOT_SEAL),
        ("False", SealState.CANNOT_SEAL),
        ("True", SealState.SEALED),
    ],
)
def test_partial_credit_of_the_reference_is_compared_with_the_points(
    judged: Any, value: str, state: SealState
) -> None:
    cells = judged(CheckState.PASSED, True, value=value)
    assert cells[0].state is state


def test_the_author_is_told_of_many_uses_and_of_comparisons(judged: Any) -> None:
    uses = frozenset({f"Env.m{n}" for n in range(12)} | {"Vec.__eq__"})
    cells = judged(uses=uses)
    told = [found for found in cells[0].findings if found.kind is FindingKind.CARE]
    assert any("13 uses" in found.text for found in told)
    assert any("Vec.__eq__" in found.text for found in told)
    assert not cells[1].findings
