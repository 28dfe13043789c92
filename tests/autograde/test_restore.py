from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.autograde.restore import Origin
from jupyter_ppo.domain.errors import InvalidNotebookError, PPOError


@pytest.fixture
def submitted(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(grader.release(source).release)
    return document


def name(cell: dict[str, Any]) -> str | None:
    found: str | None = cell["metadata"].get("nbgrader", {}).get("grade_id")
    return found


def restored(grader: NotebookGrader, source: bytes, document: dict[str, Any]) -> dict[str, Any]:
    return grader.restore(source, json.dumps(document).encode())


def sources(notebook: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def test_answers_come_from_the_student_and_tests_with_their_hidden_part_from_the_author(
    grader: NotebookGrader, source: bytes, submitted: Any
) -> None:
    for cell in submitted["cells"]:
        cell["source"] = "def square(x): return x**2" if name(cell) == "square" else "mine"
    notebook = restored(grader, source, submitted)
    by_id = {name(cell): cell for cell in notebook["cells"]}
    assert by_id["square"]["source"] == "def square(x): return x**2"
    assert by_id["why"]["source"] == "mine"
    assert by_id["intro"]["source"] == "# Squares"
    assert "assert square(12) == 144" in by_id["square_works"]["source"]
    assert "Anything goes" not in by_id["explore"]["source"]
    assert by_id[None]["source"] == "mine"


def test_what_students_may_see_of_a_test_is_kept_beside_it(
    grader: NotebookGrader, source: bytes, submitted: Any
) -> None:
    notebook = restored(grader, source, submitted)
    own = {name(cell): cell["metadata"]["jupyter_ppo"] for cell in notebook["cells"]}
    assert own["square_works"] == {
        "origin": Origin.AUTHOR,
        "release_source": "assert square(2) == 4",
    }
    assert own["square"]["origin"] == Origin.ANSWER
    assert own[None] == {"origin": Origin.STUDENT, "release_source": None}


def test_helper_cells_stay_after_the_cell_they_followed(
    grader: NotebookGrader, make: Any, source: bytes, submitted: Any
) -> None:
    submitted["cells"].insert(0, make.code("first"))
    submitted["cells"].insert(2, make.code("before the answer"))
    submitted["cells"].append(make.code("last"))
    assert [name(cell) or "".join(cell["source"]) for cell in submitted["cells"]] == [
        name(cell) or cell["source"] for cell in restored(grader, source, submitted)["cells"]
    ]


def test_cells_of_the_author_keep_the_authors_order(
    grader: NotebookGrader, source: bytes, submitted: Any
) -> None:
    submitted["cells"].reverse()
    names = [name(cell) for cell in restored(grader, source, submitted)["cells"]]
    assert [item for item in names if item] == ["intro", "square", "square_works", "why", "explore"]


def test_missing_cells_are_put_back_and_missing_answers_are_as_released(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    notebook = restored(grader, source, make.notebook(make.code("1 + 1")))
    by_id = {name(cell): cell for cell in notebook["cells"]}
    assert "NotImplementedError" in by_id["square"]["source"]
    assert by_id["square"]["metadata"]["jupyter_ppo"]["origin"] == Origin.MISSING
    assert "144" in by_id["square_works"]["source"]
    assert by_id["why"]["source"] == "YOUR ANSWER HERE"


def test_types_tags_metadata_and_outputs_of_the_student_are_dropped(
    grader: NotebookGrader, make: Any, source: bytes, submitted: Any
) -> None:
    submitted["metadata"] = {"kernelspec": {"name": "evil"}, "widgets": {"a": 1}}
    for cell in submitted["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
        if name(cell) == "square_works":
            cell["cell_type"] = "markdown"
            cell["metadata"]["nbgrader"] |= {"points": 1e9, "grade": False, "solution": True}
        if cell["cell_type"] == "code":
            cell["outputs"] = [make.result("3")]
    text = json.dumps(restored(grader, source, submitted))
    for trace in ("evil", "widgets", "skip-execution", "execute_result", "1000000000"):
        assert trace not in text
    by_id = {name(cell): cell for cell in restored(grader, source, submitted)["cells"]}
    assert by_id["square_works"]["cell_type"] == "code"
    assert by_id["square_works"]["metadata"]["nbgrader"]["points"] == 3


def test_copies_of_locked_cells_are_dropped_and_what_follows_them_stays_in_its_place(
    grader: NotebookGrader, make: Any, source: bytes, submitted: Any
) -> None:
    copied = {**submitted["cells"][0], "source": "# Mine"}
    submitted["cells"] += [copied, make.code("last")]
    notebook = restored(grader, source, submitted)
    assert sources(notebook)[-1] == "last"
    assert [name(cell) for cell in notebook["cells"]].count("intro") == 1
    assert "# Mine" not in sources(notebook)


@pytest.mark.parametrize("meta", [{}, {"schema_version": 99}, "x", [], {"grade_id": ""}, None])
def test_empty_or_foreign_metadata_on_every_cell_aborts_nothing(
    grader: NotebookGrader, source: bytes, submitted: Any, meta: Any
) -> None:
    for cell in submitted["cells"]:
        cell["metadata"]["nbgrader"] = meta
    notebook = restored(grader, source, submitted)
    locked = [cell for cell in notebook["cells"] if name(cell)]
    assert [name(cell) for cell in locked] == ["intro", "square", "square_works", "why", "explore"]
    exam = grader.exam(source, notebook, None)
    assert exam is not None
    assert exam.tests == {notebook["cells"].index(locked[2])}


def test_points_kind_lock_and_every_other_word_about_a_cell_come_from_the_version(
    grader: NotebookGrader, source: bytes, submitted: Any
) -> None:
    honest = restored(grader, source, submitted)
    for cell in submitted["cells"]:
        if name(cell):
            changes = {"grade": False, "solution": True, "locked": False, "points": 1e9}
            cell["metadata"]["nbgrader"] |= {**changes, "cell_type": "raw", "checksum": "0"}
            cell["metadata"] |= {"tags": ["unsealed"], "deletable": True}
    submitted["cells"][3]["source"] = "pass"
    assert restored(grader, source, submitted) == honest


@pytest.mark.parametrize("spec", [{}, {"name": "../evil"}, {"language": "bash"}, None, "x"])
def test_the_kernel_that_a_submission_asks_for_plays_no_part(
    grader: NotebookGrader, source: bytes, submitted: Any, spec: Any
) -> None:
    honest = restored(grader, source, submitted)
    submitted["metadata"]["kernelspec"] = spec
    assert restored(grader, source, submitted)["metadata"] == honest["metadata"]


def test_a_doubled_cell_is_refused_here_too(
    grader: NotebookGrader, source: bytes, submitted: Any
) -> None:
    submitted["cells"].append(submitted["cells"][1])
    with pytest.raises(InvalidNotebookError, match="two cells have the grade_id 'square'"):
        restored(grader, source, submitted)


def test_the_restored_notebook_is_valid(
    grader: NotebookGrader, make: Any, source: bytes, submitted: Any
) -> None:
    import nbformat

    submitted["cells"].append(make.text("mine"))
    submitted["cells"].append({"cell_type": "raw", "source": "mine", "metadata": {}})
    notebook = restored(grader, source, submitted)
    nbformat.validate(nbformat.from_dict(notebook))
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


_ids = st.sampled_from(["intro", "square", "square_works", "why", "explore", "x", "", None, 3])
_flags = st.sampled_from([True, False, None, "yes"])
_cells = st.lists(
    st.fixed_dictionaries(
        {
            "cell_type": st.sampled_from(["code", "markdown", "raw"]),
            "source": st.text(max_size=10).map(lambda text: f"STUDENT {text}"),
            "metadata": st.fixed_dictionaries(
                {},
                optional={
                    "tags": st.just(["STUDENT"]),
                    "jupyter_ppo": st.just({"origin": "author", "release_source": "STUDENT"}),
                    "nbgrader": st.fixed_dictionaries(
                        {"grade_id": _ids}, optional={"grade": _flags, "solution": _flags}
                    )
                    | st.just("STUDENT"),
                },
            ),
        }
    ),
    max_size=8,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(cells=_cells)
def test_no_byte_of_the_student_is_ever_in_a_locked_cell(
    grader: NotebookGrader, source: bytes, submitted: Any, cells: list[dict[str, Any]]
) -> None:
    untouched = restored(grader, source, submitted)
    locked = [cell for cell in untouched["cells"] if is_authors(cell)]
    try:
        notebook = restored(grader, source, {"nbformat": 4, "metadata": {}, "cells": cells})
    except PPOError:
        return  # a doubled grade_id, or half a character
    for cell in [*locked, *(found for found in notebook["cells"] if is_authors(found))]:
        cell.pop("id", None)
    assert [cell for cell in notebook["cells"] if is_authors(cell)] == locked
    for cell in notebook["cells"]:
        assert "STUDENT" not in json.dumps(cell["metadata"])


def is_authors(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"]["jupyter_ppo"]["origin"] == Origin.AUTHOR)
