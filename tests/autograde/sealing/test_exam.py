"""The exam: the author's code, with the submission only in indices and source texts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbgrader
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.cells import grade_id_of
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.restore import restore_notebook
from jupyter_ppo.autograde.sealing.exam import make_exam
from jupyter_ppo.autograde.sealing.exam import test_cell_sealings as sealings_by_reading
from jupyter_ppo.autograde.sealing.submitted import submitted_sources
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.sealing import CellSealing, FindingKind, Sealing, SealState

PARTS = (
    ("given", "import math\nTOL = 1e-6"),
    ("loose", "SCALE = 2"),
    ("answer", "def f(x):\n    ### BEGIN SOLUTION\n    return x * SCALE\n    ### END SOLUTION"),
    ("test", "def near(a): return a\nassert f(2) == 4\n### BEGIN HIDDEN TESTS\nassert f(9) == 18\n"
             "### END HIDDEN TESTS"),
    ("test", "assert near(f(1)) == 2"),
)  # fmt: skip


@pytest.fixture(scope="module")
def source(write: Any) -> bytes:
    return bytes(write(*PARTS))


def exam_of(source: bytes, submitted: bytes, sealing: Sealing | None = None) -> Exam | None:
    original = make_release(source).source
    return make_exam(original, restore_notebook(source, submitted), sealing, key="v1")


def sealed(**states: SealState) -> Sealing:
    contract = ("Vec.__mul__",)
    cells = tuple(CellSealing(name, state, contract=contract) for name, state in states.items())
    return Sealing(uuid4(), cells, datetime.now(UTC), 1.0)


def test_the_exam_has_the_authors_cells_in_order_and_where_they_are_run(source: bytes) -> None:
    exam = exam_of(source, source)
    assert exam is not None
    restored = restore_notebook(source, source)["cells"]
    names = [grade_id_of(cell) for cell in restored]
    assert [cell.index for cell in exam.cells] == [
        names.index("given0"),
        None,
        names.index("test3"),
        names.index("test4"),
    ]
    assert [cell.is_test for cell in exam.cells] == [False, False, True, True]
    assert "assert f(9) == 18" in exam.cells[2].code
    assert exam.student_names == {"f"}
    assert exam.modules == {"math"}
    assert exam.is_recording
    assert exam.key == "v1"
    assert "x * SCALE" in exam.sources["f"]


def test_a_test_that_cannot_be_sealed_is_kept_from_the_student_and_not_run(source: bytes) -> None:
    sealing = sealed(test3=SealState.CANNOT_SEAL, test4=SealState.SEALED)
    exam = exam_of(source, source, sealing)
    assert exam is not None
    blocked, other = exam.cells[2:]
    assert blocked.is_test
    assert "def near" in blocked.code  # later tests need it
    assert "assert" not in blocked.code
    with pytest.raises(NotImplementedError):
        exec(blocked.code, {})  # noqa: S102 - the author's text above
    assert other.code.strip() == "assert near(f(1)) == 2"
    assert other.contract == {"Vec.__mul__"}


def test_a_test_that_the_reference_fails_is_still_run_by_the_examiner(source: bytes) -> None:
    exam = exam_of(source, source, sealed(test3=SealState.REFERENCE_FAILS))
    assert exam is not None
    assert "assert f(2) == 4" in exam.cells[2].code


def test_unsealed_tests_are_not_in_the_exam(write: Any) -> None:
    answer = ("answer", "def f(x): return x")
    data = write(answer, ("unsealed", "assert f(1) == 1"))
    assert exam_of(data, data) is None
    both = write(answer, ("unsealed", "assert f(1) == 1"), ("test", "assert f(2) == 2"))
    exam = exam_of(both, both)
    assert exam is not None
    assert exam.tests == {2}


def test_a_missing_test_cell_is_in_the_exam_all_the_same(source: bytes) -> None:
    document = json.loads(source)
    document["cells"] = [cell for cell in document["cells"] if "assert" not in cell["source"]]
    exam = exam_of(source, json.dumps(document).encode())
    assert exam is not None
    assert len(exam.tests) == 2


def test_magics_in_a_test_become_python_on_the_same_lines(write: Any) -> None:
    data = write(
        ("answer", "def f(): pass"), ("test", "%matplotlib inline\n%time r = f()\nassert r")
    )
    exam = exam_of(data, data)
    assert exam is not None
    lines = exam.cells[-1].code.split("\n")
    assert lines[0] == "pass"
    assert lines[1].startswith("get_ipython()")
    assert lines[2] == "assert r"


def test_sources_are_the_submitted_text_with_decorators_the_last_of_each_name() -> None:
    def answer(text: str) -> dict[str, Any]:
        meta = {"nbgrader": {"solution": True, "grade_id": "a"}}
        return {"cell_type": "code", "source": text, "metadata": meta}

    helper = {
        "cell_type": "code",
        "source": "class A:\n    pass",
        "metadata": {"jupyter_ppo": {"origin": "student"}},
    }
    locked = {"cell_type": "code", "source": "def secret(): pass", "metadata": {}}
    text = "%time\ndef f():\n    return 1\n@wraps(\n  f)\ndef f():\r\n    return 2  # why\n!ls"
    found = submitted_sources({"cells": [answer(text), helper, locked]})
    assert found == {
        "f": "@wraps(\n  f)\ndef f():\n    return 2  # why\n",
        "A": "class A:\n    pass\n",
    }


@pytest.mark.parametrize(
    "text",
    [
        "def f():" + "(" * 5000,
        "def f(): return " + "-" * 50_000 + "1",
        "def f(): return " + ".a" * 50_000,
        "def f(): return x" + ".a" * 40_000,
        "def f():\n" + "\n".join(" " * n + "if x:" for n in range(1, 200)),
        "def f(): pass\x00",
        "def f(): return '\ud800'",
        "def f(): return " + "9" * 90_000,
        "%x\n" * 20_000 + "def f(): pass",
        "x = '" + "def ?" * 20_000,
        "def f(): pass\n" * 500_000,
    ],
)
def test_hostile_text_is_no_source_and_costs_little(text: str) -> None:
    cell = {
        "cell_type": "code",
        "source": text,
        "metadata": {"jupyter_ppo": {"origin": "student"}},
    }
    began = time.perf_counter()
    submitted_sources({"cells": [cell] * 3})
    assert time.perf_counter() - began < 10


SUBMITTED = st.lists(
    st.fixed_dictionaries(
        {
            "cell_type": st.sampled_from(["code", "markdown", "raw"]),
            "source": st.one_of(
                st.text(max_size=60),
                st.sampled_from(
                    ["def f(x):\n    return 3", "import os\nTOL = 9\nnear = print", "class f: pass"]
                ),
            ),
            "metadata": st.one_of(
                st.just({}),
                st.sampled_from(["given0", "answer2", "test3", "test4", "other"]).flatmap(
                    lambda name: st.fixed_dictionaries(
                        {
                            "nbgrader": st.fixed_dictionaries(
                                {
                                    "grade_id": st.just(name),
                                    "grade": st.booleans(),
                                    "solution": st.booleans(),
                                    "locked": st.booleans(),
                                }
                            ),
                            "tags": st.sampled_from([[], ["unsealed"], 3]),
                        }
                    )
                ),
                st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
            ),
        }
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(cells=SUBMITTED)
def test_nothing_submitted_changes_what_the_examiner_runs(
    source: bytes, cells: list[dict[str, Any]]
) -> None:
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    try:
        restored = restore_notebook(source, json.dumps(document).encode())
    except InvalidNotebookError:
        return
    original = make_release(source).source
    exam, clean = make_exam(original, restored, None, key="k"), exam_of(source, source)
    assert exam is not None
    assert clean is not None
    assert exam.student_names == clean.student_names
    assert exam.modules == clean.modules
    assert [(c.code, c.is_test, c.pushed) for c in exam.cells] == [
        (c.code, c.is_test, c.pushed) for c in clean.cells
    ]
    # Every test cell of the notebook that is run is the examiner's.
    tests = {
        index
        for index, cell in enumerate(restored["cells"])
        if (grade_id_of(cell) or "").startswith("test")
    }
    assert exam.tests == tests


def nbgraders_own() -> list[Path]:
    root = Path(nbgrader.__file__).parent
    return sorted(root.rglob("*.ipynb"))


def test_nbgraders_own_notebooks_give_an_exam_without_a_false_obstacle() -> None:
    looked_at = 0
    for path in nbgraders_own():
        data = path.read_bytes()
        try:
            source = make_release(data).source
            exam_of(data, data)
        except InvalidNotebookError:
            continue
        for cell in sealings_by_reading(source):
            looked_at += 1
            obstacles = [f for f in cell.findings if f.kind is FindingKind.OBSTACLE]
            assert not obstacles, (path.name, cell.grade_id, obstacles)
    assert looked_at > 20
