"""The author's notebook -> the students' copy, by nbgrader's own preprocessors in their order.

nbgrader's gradebook is left out: what it would save is in the two notebooks (source and release).
Source of the order: ``nbgrader/converters/generate_assignment.py`` (0.9).
"""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import nbformat
from nbformat import NotebookNode

from jupyter_ppo.autograde.cells import OWN_KEY, grade_id_of, kind_of, nbgrader_of
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.sealing.seeds import uses_personal_seed
from jupyter_ppo.autograde.text import ordinal
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidNotebookError

# nbgrader's preprocessors are not written for threads, and releasing, collecting and the grading
# workers all come here.
_LOCK = threading.Lock()
_GRADED = frozenset({CellKind.TESTS, CellKind.MANUAL, CellKind.TASK})
_GRADE_ID = re.compile(r"[a-zA-Z0-9_-]{1,200}")
_MAX_POINTS = 1e6
# What nbgrader puts in the place of a solution in Python.
_STUB = re.compile(r"^[ \t]*# YOUR CODE HERE\n[ \t]*raise NotImplementedError\(\)", re.MULTILINE)
_AUTOTEST = re.compile(r"^\s*#+\s*(HASHED )?AUTOTEST", re.MULTILINE)
_SEED_MARK = re.compile(r"#.*\bSTUDENT SEED\b")
# What each pair of delimiters cuts out, and the kinds of cell it may stand in.
_REGIONS = {
    "SOLUTION": frozenset({CellKind.SOLUTION, CellKind.MANUAL}),
    "HIDDEN TESTS": frozenset({CellKind.TESTS, CellKind.MANUAL}),
    "MARK SCHEME": frozenset({CellKind.TASK}),
}


@dataclass(frozen=True, slots=True)
class MadeRelease:
    """The author's notebook with complete metadata, the students' copy, and the exercises.

    Both notebooks have the same cells in the same order.
    """

    source: dict[str, Any]
    release: dict[str, Any]
    exercises: tuple[Exercise, ...]


def make_release(data: bytes) -> MadeRelease:
    """Make the students' copy of the author's notebook.

    Remembered, because a class is graded from one source: what comes back must not be changed.
    Older nbgrader metadata (v0 to v2) is brought to v3 on the way. Raises
    ``InvalidNotebookError`` naming the cell and what to change. May be called from any thread;
    one release is made at a time.
    """
    with _LOCK:
        return _made(data)


@lru_cache(maxsize=4)
def _made(data: bytes) -> MadeRelease:
    notebook = read_notebook(data)
    _check_language(notebook)
    source = _completed(notebook)
    _upgrade(source)
    _check_cells(source.cells)
    release = _preprocessed(source)
    _validate(release)
    for cell in release.cells:
        cell.metadata.pop(OWN_KEY, None)  # rubrics and notes are the author's
    return MadeRelease(dict(source), dict(release), _exercises(source.cells))


def refuse_students_copy(made: MadeRelease) -> None:
    """Raise ``InvalidNotebookError`` if the notebook was no source but the students' copy of one.

    That is: it has answers in code, and each is still nbgrader's stub, which the students' copy has
    in the place of every solution. Apart from ``make_release``, because a source that was accepted
    must stay gradable.
    """
    answers = [
        cell["source"]
        for cell in made.source["cells"]
        if kind_of(cell) is CellKind.SOLUTION and cell["cell_type"] == "code"
    ]
    if answers and all(_STUB.search(text) and "BEGIN SOLUTION" not in text for text in answers):
        msg = (
            "notebook: this looks like the students' copy: every answer in it is still 'YOUR CODE "
            "HERE'. Release the source, with the solutions between '### BEGIN SOLUTION' and "
            "'### END SOLUTION'."
        )
        raise InvalidNotebookError(msg, field="notebook")


def refuse_dead_seed_marks(made: MadeRelease) -> None:
    """Raise ``InvalidNotebookError`` for a line of code marked ``STUDENT SEED`` that gets no seed.

    The number would stay as it is, the same for everybody, and nobody would notice. Apart from
    ``make_release``, because a source that was accepted must stay gradable.
    """
    for index, cell in enumerate(made.source["cells"]):
        if cell["cell_type"] != "code":
            continue
        for number, line in enumerate(cell["source"].split("\n"), start=1):
            if not _SEED_MARK.search(line) or uses_personal_seed(
                {"cells": [{**cell, "source": line}]}
            ):
                continue
            problem = (
                f"line {number} is marked STUDENT SEED but gets no seed. Write "
                "'name = 7  # STUDENT SEED' (a name, digits and the mark, nothing else) in a "
                "locked code cell: one that is 'Read-only' or 'Autograder tests' in nbgrader's "
                "Create Assignment panel."
            )
            _refuse(index, cell, problem)


def to_bytes(notebook: dict[str, Any]) -> bytes:
    """Return a notebook as the bytes of an .ipynb file."""
    node = as_node(notebook)
    text: str = nbformat.writes(node, version=nbformat.NO_CONVERT)
    return text.encode("utf-8") + (b"" if text.endswith("\n") else b"\n")


def as_node(part: dict[str, Any]) -> NotebookNode:
    """Return a deep copy of a notebook or cell as the type that nbformat and nbgrader work on."""
    node: NotebookNode = nbformat.from_dict(part)
    return node


def _refuse(index: int, cell: dict[str, Any], problem: str, part: str = "") -> NoReturn:
    name = grade_id_of(cell)
    called = f" (grade_id {name!r})" if name else ""
    field = f"cells[{index}]{part}"
    msg = f"{field}{called}: {problem}"
    raise InvalidNotebookError(msg, field=field)


def _check_language(notebook: dict[str, Any]) -> None:
    spec = notebook["metadata"].get("kernelspec", {})
    language = spec.get("language", "python") if isinstance(spec, dict) else None
    if language != "python":
        msg = (
            f"metadata.kernelspec.language: {language!r} cannot be graded here, only 'python'. "
            "Choose a Python kernel in JupyterLab and save the notebook."
        )
        raise InvalidNotebookError(msg, field="metadata.kernelspec.language")


def _completed(notebook: dict[str, Any]) -> NotebookNode:
    """Return the notebook as nbformat's type, every cell with the parts nbformat asks for."""
    node = as_node(notebook)
    seen: set[str] = set()
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if node.nbformat_minor >= 5:
            name = cell.get("id")
            good = isinstance(name, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
            cell["id"] = name if good and name not in seen else f"cell-{index}"
            seen.add(cell["id"])
    return node


def _validate(node: NotebookNode) -> None:
    try:
        nbformat.validate(node)
    except nbformat.ValidationError as error:
        msg = (
            f"notebook: not valid notebook format 4.{node.nbformat_minor}: {error.message[:300]}. "
            "Open it in JupyterLab and save it."
        )
        raise InvalidNotebookError(msg, field="notebook") from None


def _upgrade(source: NotebookNode) -> None:
    from nbgrader.nbgraderformat import SCHEMA_VERSION, MetadataValidator

    validator = MetadataValidator()
    for index, cell in enumerate(source.cells):
        if "nbgrader" not in cell.metadata:
            continue
        meta = cell.metadata["nbgrader"]
        if meta == {}:  # left behind by tools that empty it; nbgrader would abort the whole class
            del cell.metadata["nbgrader"]
            continue
        version = meta.get("schema_version", 0) if isinstance(meta, dict) else None
        part = ".metadata.nbgrader"
        if not isinstance(version, int) or isinstance(version, bool) or version < 0:
            _refuse(index, cell, "not nbgrader metadata. Remove it and set the cell again.", part)
        if version > SCHEMA_VERSION:
            _refuse(
                index,
                cell,
                f"nbgrader metadata version {version} is newer than {SCHEMA_VERSION}, the newest "
                "known here.",
                f"{part}.schema_version",
            )
        try:
            validator.upgrade_cell_metadata(cell)
        except (TypeError, ValueError, KeyError, AttributeError):
            _refuse(index, cell, "nbgrader metadata that cannot be brought to version 3.", part)


def _check_cells(cells: list[NotebookNode]) -> None:
    seen: dict[str, int] = {}
    for index, cell in enumerate(cells):
        _check_regions(index, cell)
        if "nbgrader" not in cell.metadata:
            continue
        _check_metadata(index, cell)
        grade_id = grade_id_of(cell)
        if grade_id is None:
            continue
        if grade_id in seen:
            _refuse(
                index,
                cell,
                f"the {ordinal(seen[grade_id] + 1)} and the {ordinal(index + 1)} cell have this "
                "grade_id. Give one of them another one.",
                ".metadata.nbgrader.grade_id",
            )
        seen[grade_id] = index
    if not any(kind_of(cell) in _GRADED for cell in cells):
        msg = (
            "cells: the notebook has no graded cell. Mark at least one as 'Autograder tests' or "
            "'Manually graded' in nbgrader's Create Assignment panel."
        )
        raise InvalidNotebookError(msg, field="cells")


def _check_metadata(index: int, cell: NotebookNode) -> None:
    from nbgrader.nbgraderformat import MetadataValidator, ValidationError

    meta, part = nbgrader_of(cell), ".metadata.nbgrader"
    kind = kind_of(cell)
    grade_id = meta.get("grade_id")
    if kind is not None and not (isinstance(grade_id, str) and _GRADE_ID.fullmatch(grade_id)):
        problem = f"{str(grade_id)[:80]!r} is not a grade_id: use 1 to 200 letters, digits, - or _."
        _refuse(index, cell, problem, f"{part}.grade_id")
    points = meta.get("points", 0.0)
    if kind in _GRADED:
        number = isinstance(points, int | float) and not isinstance(points, bool)
        if "points" not in meta or not number or not math.isfinite(points):
            _refuse(index, cell, "a graded cell needs a number of points.", f"{part}.points")
        if not 0 <= points <= _MAX_POINTS:
            _refuse(index, cell, f"{points} is not between 0 and a million.", f"{part}.points")
    if kind is CellKind.TESTS and cell.cell_type != "code":
        _refuse(index, cell, "tests must be a code cell; make it code, or 'Manually graded'.")
    try:
        MetadataValidator().validate_cell(cell)
    except ValidationError as error:
        _refuse(index, cell, f"nbgrader metadata is not valid: {error.message[:300]}", part)


def _check_regions(index: int, cell: NotebookNode) -> None:
    lines = cell.source.split("\n")
    for name, kinds in _REGIONS.items():
        inside = found = False
        for line in lines:
            if f"BEGIN {name}" in line:
                if inside:
                    _refuse(index, cell, f"BEGIN {name} inside BEGIN {name}. End the first one.")
                inside = found = True
            elif f"END {name}" in line:
                inside = False
        if inside:
            _refuse(index, cell, f"BEGIN {name} without END {name}. Add the end line.")
        if found and kind_of(cell) not in kinds:
            allowed = " or ".join(sorted(kind.value for kind in kinds))
            _refuse(index, cell, f"BEGIN {name} belongs in a cell of kind {allowed} only.")
    if kind_of(cell) is CellKind.TESTS and _AUTOTEST.search(cell.source):
        _refuse(
            index,
            cell,
            "AUTOTEST needs a run of the solution to make tests of it, which is not done here. "
            "Write its tests out, as 'nbgrader generate_assignment' keeps them in its gradebook.",
        )


def _preprocessed(source: NotebookNode) -> NotebookNode:
    """Run nbgrader's release preprocessors; ``source`` gets the checksums nbgrader would save."""
    from nbgrader import preprocessors

    release = as_node(source)
    resources: dict[str, Any] = {}
    order = (
        preprocessors.LockCells,
        preprocessors.ClearSolutions,
        preprocessors.ClearOutput,
        preprocessors.CheckCellMetadata,
        preprocessors.ComputeChecksums,
        preprocessors.ClearHiddenTests,
        preprocessors.ClearMarkScheme,
        preprocessors.ComputeChecksums,
        preprocessors.CheckCellMetadata,
    )
    try:
        for step in order:
            release, resources = step().preprocess(release, resources)
    except Exception as error:  # nbgrader raises RuntimeError, ValueError and its own
        reason = " ".join(str(error).split())[:300]
        msg = f"cells: nbgrader cannot make a release of this notebook: {reason}"
        raise InvalidNotebookError(msg, field="cells") from error
    return release


def _exercises(cells: list[NotebookNode]) -> tuple[Exercise, ...]:
    found: list[Exercise] = []
    for position, cell in enumerate(cells):
        kind = kind_of(cell)
        if kind is not None and kind in _GRADED:
            meta = nbgrader_of(cell)
            found.append(Exercise(meta["grade_id"], kind, float(meta["points"]), position))
    return tuple(found)
