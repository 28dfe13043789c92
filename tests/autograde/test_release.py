from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import InvalidNotebookError


def released(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(grader.release(source).release)
    for cell in found["cells"]:
        cell["source"] = "".join(cell["source"])
    return found


def test_students_get_no_solution_no_hidden_test_and_no_mark_scheme(
    grader: NotebookGrader, source: bytes
) -> None:
    text = grader.release(source).release.decode()
    for secret in ("x * x", "144", "HIDDEN", "Because it is multiplied", "Anything goes", "MARK"):
        assert secret not in text
    for kept in ("YOUR CODE HERE", "raise NotImplementedError()", "YOUR ANSWER HERE", "Explore."):
        assert kept in text
    assert "assert square(2) == 4" in text


def test_the_release_is_a_valid_notebook_with_nbgraders_locks_and_checksums(
    grader: NotebookGrader, source: bytes
) -> None:
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.utils import compute_checksum

    node = nbformat.from_dict(released(grader, source))
    nbformat.validate(node)
    MetadataValidator().validate_nb(node)
    by_id = {c.metadata.nbgrader.grade_id: c for c in node.cells if "nbgrader" in c.metadata}
    for cell in by_id.values():
        assert cell.metadata.nbgrader.checksum == compute_checksum(cell)
        assert cell.metadata.nbgrader.cell_type == cell.cell_type
        assert cell.metadata.deletable is False
    assert by_id["square_works"].metadata.editable is False
    assert "editable" not in by_id["square"].metadata


def test_exercises_are_the_cells_with_points_in_their_order(
    grader: NotebookGrader, source: bytes
) -> None:
    found = [
        (item.grade_id, item.kind, item.points, item.position)
        for item in grader.release(source).exercises
    ]
    assert found == [
        ("square_works", CellKind.TESTS, 3.0, 3),
        ("why", CellKind.MANUAL, 2.0, 4),
        ("explore", CellKind.TASK, 4.0, 5),
    ]


def test_outputs_and_our_own_metadata_stay_with_the_author(
    grader: NotebookGrader, make: Any
) -> None:
    cell = make.tests("a", "assert True")
    cell["outputs"] = [make.stream("stdout", "the answer is 42")]
    cell["metadata"]["jupyter_ppo"] = {"rubric": "secret"}
    data = grader.release(make.data(cell)).release
    assert b"42" not in data
    assert b"secret" not in data


def test_releasing_the_same_notebook_twice_gives_the_same_bytes(
    grader: NotebookGrader, source: bytes
) -> None:
    assert grader.release(source).release == grader.release(source).release


def test_old_nbgrader_metadata_is_brought_to_version_3(grader: NotebookGrader, make: Any) -> None:
    for version in ({}, {"schema_version": 1}, {"schema_version": 2}):
        cell = make.code("assert True")
        cell["metadata"]["nbgrader"] = {
            "grade": True,
            "grade_id": "a",
            "locked": True,
            "points": 2,
            "solution": False,
            **version,
        }
        found = released(grader, make.data(cell))["cells"][0]["metadata"]["nbgrader"]
        assert (found["schema_version"], found["points"]) == (3, 2)


def test_empty_nbgrader_metadata_is_no_metadata(grader: NotebookGrader, make: Any) -> None:
    cells = [make.code("1", nbgrader={}), make.tests("a", "assert True")]
    assert "nbgrader" not in released(grader, make.data(*cells))["cells"][0]["metadata"]


def test_missing_and_doubled_cell_ids_are_replaced(grader: NotebookGrader, make: Any) -> None:
    document = make.notebook(make.tests("a", "1"), make.code("2"), make.code("3"))
    document["cells"][1]["id"] = document["cells"][0]["id"]
    del document["cells"][2]["id"]
    cells = released(grader, json.dumps(document).encode())["cells"]
    assert len({cell["id"] for cell in cells}) == 3


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (
            {"grade_id": "b"},
            "cells[1].metadata.nbgrader.grade_id",
            ["'b'", "the 1st and the 2nd cell", "another"],
        ),
        ({"grade_id": "no spaces"}, "cells[1].metadata.nbgrader.grade_id", ["letters, digits"]),
        ({"grade_id": ""}, "cells[1].metadata.nbgrader.grade_id", ["letters, digits"]),
        ({"grade_id": 3}, "cells[1].metadata.nbgrader.grade_id", ["letters, digits"]),
        ({"points": -1}, "cells[1].metadata.nbgrader.points", ["between 0 and a million"]),
        ({"points": float("nan")}, "cells[1].metadata.nbgrader.points", ["number of points"]),
        ({"points": "3"}, "cells[1].metadata.nbgrader.points", ["number of points"]),
        ({"points": True}, "cells[1].metadata.nbgrader.points", ["number of points"]),
        ({"schema_version": 9}, "cells[1].metadata.nbgrader.schema_version", ["9 is newer"]),
        ({"schema_version": "3"}, "cells[1].metadata.nbgrader", ["not nbgrader metadata"]),
        ({"locked": "yes"}, "cells[1].metadata.nbgrader", ["not valid"]),
    ],
)
def test_bad_metadata_is_refused_naming_the_cell(
    grader: NotebookGrader, make: Any, change: dict[str, Any], field: str, words: list[str]
) -> None:
    bad = make.tests("a", "assert True")
    bad["metadata"]["nbgrader"].update(change)
    with pytest.raises(InvalidNotebookError) as caught:
        grader.release(make.data(make.tests("b", "assert True"), bad))
    assert caught.value.field == field
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("### BEGIN HIDDEN TESTS\n1", "BEGIN HIDDEN TESTS without END HIDDEN TESTS"),
        ("### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS", "inside BEGIN HIDDEN TESTS"),
        ("### BEGIN SOLUTION\n### END SOLUTION", "kind manual or solution only"),
        ("=== BEGIN MARK SCHEME\n=== END MARK SCHEME", "kind task only"),
        ("x = 1\n### AUTOTEST x", "AUTOTEST"),
    ],
)
def test_bad_regions_are_refused_naming_the_cell(
    grader: NotebookGrader, make: Any, source: str, words: str
) -> None:
    with pytest.raises(InvalidNotebookError) as caught:
        grader.release(make.data(make.text("hello"), make.tests("sums", source)))
    assert caught.value.field == "cells[1]"
    assert "'sums'" in caught.value.message
    assert words in caught.value.message


def test_a_hidden_test_outside_a_graded_cell_is_refused(grader: NotebookGrader, make: Any) -> None:
    leak = make.code("### BEGIN HIDDEN TESTS\nsecret\n### END HIDDEN TESTS")
    with pytest.raises(InvalidNotebookError, match="belongs in a cell of kind") as caught:
        grader.release(make.data(leak, make.tests("a", "1")))
    assert caught.value.field == "cells[0]"


def test_tests_must_be_code(grader: NotebookGrader, make: Any) -> None:
    cell = make.marked(make.text("?"), "a", grade=True, points=1)
    with pytest.raises(InvalidNotebookError, match="tests must be a code cell"):
        grader.release(make.data(cell))


def test_a_notebook_without_graded_cells_is_refused(grader: NotebookGrader, make: Any) -> None:
    with pytest.raises(InvalidNotebookError, match="no graded cell") as caught:
        grader.release(make.data(make.text("hello")))
    assert caught.value.field == "cells"


def test_other_languages_are_refused(grader: NotebookGrader, make: Any) -> None:
    spec = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
    with pytest.raises(InvalidNotebookError, match="'R' cannot be graded here") as caught:
        grader.release(make.data(make.tests("a", "1"), metadata=spec))
    assert caught.value.field == "metadata.kernelspec.language"


def test_the_students_copy_is_refused_as_the_source(grader: NotebookGrader, source: bytes) -> None:
    with pytest.raises(InvalidNotebookError, match="looks like the students' copy") as caught:
        grader.release(grader.release(source).release)
    assert caught.value.field == "notebook"
    assert "BEGIN SOLUTION" in caught.value.message


@pytest.mark.parametrize(
    "first",
    [
        "def cube(x):\n    return x**3",  # nbgrader empties such a cell as a whole
        "### BEGIN SOLUTION\n# YOUR CODE HERE\nraise NotImplementedError()\n### END SOLUTION",
        "def cube(x):\n    raise NotImplementedError()",
    ],
)
def test_a_source_with_one_answer_that_is_not_the_stub_is_released(
    grader: NotebookGrader, make: Any, first: str
) -> None:
    stub = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    cells = [make.solution("a", first), make.solution("b", stub), make.tests("c", "assert True")]
    assert len(grader.release(make.data(*cells)).exercises) == 1


def test_a_source_without_answers_in_code_is_released(grader: NotebookGrader, make: Any) -> None:
    cells = [make.manual("why", "YOUR ANSWER HERE"), make.tests("c", "assert True")]
    assert len(grader.release(make.data(*cells)).exercises) == 2


def test_a_students_copy_that_was_released_earlier_stays_gradable(
    grader: NotebookGrader, source: bytes
) -> None:
    copy = grader.release(source).release
    assert len(grader.restore(copy, copy)["cells"]) == 6


def test_test_cells_with_hidden_tests_are_counted(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    hidden = "1\n### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
    assert grader.release(source).hidden_tests == 1
    cells = [
        make.tests("a", "assert True"),
        make.tests("b", hidden.format("assert 1")),
        make.tests("c", hidden.format("assert 2\n### END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n3")),
        make.tests("d", hidden.format("  ")),
    ]
    assert grader.release(make.data(*cells)).hidden_tests == 2
