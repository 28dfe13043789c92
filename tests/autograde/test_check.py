from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.errors import InvalidNotebookError, WrongAssignmentError


@pytest.fixture
def released(grader: NotebookGrader, source: bytes) -> Any:
    return grader.release(source)


@pytest.fixture
def submitted(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(grader.release(source).release)
    return document


def cell_of(document: dict[str, Any], grade_id: str) -> dict[str, Any]:
    for cell in document["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            found: dict[str, Any] = cell
            return found
    raise LookupError(grade_id)


def as_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def test_the_release_itself_gives_no_warning(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    assert grader.check(as_bytes(submitted), released) == ()


def test_another_notebook_is_the_wrong_assignment_and_the_cells_are_named(
    grader: NotebookGrader, make: Any, released: Any
) -> None:
    with pytest.raises(WrongAssignmentError) as caught:
        grader.check(make.data(make.tests("other", "1")), released)
    assert caught.value.field == "notebook"
    assert "square_works, why, explore" in caught.value.message
    assert "Choose the notebook that was released" in caught.value.message


def test_a_notebook_that_shares_a_grade_id_by_chance_is_the_wrong_assignment(
    grader: NotebookGrader, make: Any
) -> None:
    names = [f"test_{number}" for number in range(5)]
    released = grader.release(make.data(*(make.tests(name, "assert True") for name in names)))
    other = [make.tests("test_0", "1"), make.tests("bandit", "1"), make.tests("score", "1")]
    with pytest.raises(WrongAssignmentError) as caught:
        grader.check(make.data(*other), released)
    assert "1 of this assignment's 5 graded cells" in caught.value.message
    assert "'bandit'" in caught.value.message
    assert len(grader.check(make.data(*other[:2]), released)) == 5, "it may be what is left of it"


def test_a_copy_of_a_locked_cell_or_of_a_foreign_one_is_warned_of_at_most(
    grader: NotebookGrader, make: Any, submitted: Any, released: Any
) -> None:
    submitted["cells"] += [cell_of(submitted, "square_works")] * 2
    submitted["cells"] += [make.locked("elsewhere", make.text("x"))] * 2
    assert grader.check(as_bytes(submitted), released) == (
        "The cell 'square_works' is there 3 times; only the assignment's own is used.",
    )


def test_an_answer_cell_twice_is_refused_naming_it_and_both_places(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    submitted["cells"].append(cell_of(submitted, "why"))
    with pytest.raises(InvalidNotebookError) as caught:
        grader.check(as_bytes(submitted), released)
    assert caught.value.field == "notebook"
    assert caught.value.message.startswith(
        "notebook: two cells have the grade_id 'why' (the 5th and the 7th cell). Delete the copy"
    )


def test_missing_cells_are_warned_of_with_what_becomes_of_them(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    submitted["cells"].remove(cell_of(submitted, "why"))
    submitted["cells"].remove(cell_of(submitted, "square_works"))
    assert grader.check(as_bytes(submitted), released) == (
        "The graded cell 'square_works' is missing; it was put back from the assignment.",
        "The graded cell 'why' is missing; it counts as not answered.",
    )


def test_a_missing_answer_cell_is_warned_of_and_so_is_a_renamed_one(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    answer = cell_of(submitted, "square")
    answer["metadata"]["nbgrader"]["grade_id"] = "squares"
    missing, strange = grader.check(as_bytes(submitted), released)
    assert missing == (
        "The answer cell 'square' is missing; the one without an answer was put back, so its "
        "tests will fail. Was its grade_id changed?"
    )
    assert "'squares' is not part of this assignment" in strange
    submitted["cells"].remove(answer)
    (missing,) = grader.check(as_bytes(submitted), released)
    assert missing.endswith("will fail.")


def test_a_renamed_cell_is_warned_of_under_both_names(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    cell_of(submitted, "why")["metadata"]["nbgrader"]["grade_id"] = "whyever"
    missing, strange = grader.check(as_bytes(submitted), released)
    assert "'why' is missing" in missing
    assert missing.endswith("Was its grade_id changed?")
    assert strange == "The cell 'whyever' is not part of this assignment and is not graded."


def test_a_cell_of_another_type_is_warned_of(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    cell_of(submitted, "square_works")["cell_type"] = "markdown"
    cell_of(submitted, "why")["cell_type"] = "code"
    # What the student's file says of the type counts for nothing.
    cell_of(submitted, "square_works")["metadata"]["nbgrader"]["cell_type"] = "markdown"
    cell_of(submitted, "why")["metadata"]["nbgrader"]["cell_type"] = "code"
    assert grader.check(as_bytes(submitted), released) == (
        "The graded cell 'square_works' was changed from code to markdown; it is graded as code.",
        "The graded cell 'why' was changed from markdown to code; it is graded as markdown.",
    )


def test_hostile_metadata_of_cells_is_no_error(
    grader: NotebookGrader, submitted: Any, released: Any
) -> None:
    for value in (None, 3, [], {"grade_id": []}, {"grade_id": "", "grade": "x"}):
        cell = {"cell_type": "code", "source": "1", "metadata": {"nbgrader": value}}
        submitted["cells"].append(cell)
    assert grader.check(as_bytes(submitted), released) == ()


def test_warnings_are_bounded(
    grader: NotebookGrader, make: Any, submitted: Any, released: Any
) -> None:
    submitted["cells"] += [make.tests(f"extra{n}", "1") for n in range(500)]
    notes = grader.check(as_bytes(submitted), released)
    assert len(notes) == 21
    assert notes[-1] == "480 more cells differ from the assignment."


@pytest.mark.parametrize("name", ["x" * 5_000_000, "\x00" * 5_000, "'" * 5_000, "\U000e0041" * 300])
def test_a_huge_name_gives_a_short_warning(
    grader: NotebookGrader, make: Any, submitted: Any, released: Any, name: str
) -> None:
    submitted["cells"].append(make.tests(name, "1"))
    (note,) = grader.check(as_bytes(submitted), released)
    assert len(note) <= 300
    assert repr(name)[:100] in note
    assert note.endswith("is not part of this assignment and is not graded.")


def test_a_name_of_200_characters_is_shown_whole(grader: NotebookGrader, make: Any) -> None:
    name = "n" * 200
    released = grader.release(make.data(make.tests("kept", "1"), make.tests(name, "1")))
    (note,) = grader.check(make.data(make.tests("kept", "1")), released)
    assert f"The graded cell '{name}' is missing;" in note
