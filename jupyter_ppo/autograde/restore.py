"""The notebook that is run: the author's cells, with the student's answers in them.

Nothing in a locked cell ever comes from the student. Cells of nobody's kind (the student's helper
cells, and the author's unlocked cells as the student left them) stay after the cell that they
followed, as in nbgrader; of them only type and source are kept.
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import Any

from jupyter_ppo.autograde.cells import (
    OWN_KEY,
    grade_id_of,
    is_answer,
    kind_of,
    own_of,
)
from jupyter_ppo.autograde.check import places_of
from jupyter_ppo.autograde.model_cell import model_code, model_grade_id
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.saved_model import SavedModel, is_archive, read_saved_model
from jupyter_ppo.autograde.sealing.seeds import personal_seed


class Origin(StrEnum):
    """Where a restored cell's source comes from; kept under our metadata key as ``origin``."""

    AUTHOR = "author"  # locked: as the author wrote it
    ANSWER = "answer"  # the student's, in a cell of the author's
    MISSING = "missing"  # an answer cell that was not submitted: as released
    STUDENT = "student"  # a cell of no kind
    MODEL = "model"  # our code that loads the saved model which was submitted
    LEFT = "left"  # an answer cell beside a saved model: as released


def restore_notebook(source: bytes, submitted: bytes, seed: int | None = None) -> dict[str, Any]:
    """Return the notebook to run (nbformat 4.5, no outputs, the author's metadata).

    Each cell has ``{"origin": Origin, "release_source": str | None}`` under our metadata key;
    ``release_source`` is what students may see of a cell of the author's. Answer cells carry
    nbgrader's checksum of the released cell. A student's own ``seed`` is put where the author
    asked for one, and kept for ``seed_of``. ``submitted`` may be a saved model where the author
    takes one. Raises like ``make_release``, ``places_of`` and ``read_saved_model``.
    """
    made = make_release(source)
    originals, release = made.source, made.release
    if seed is not None:
        originals, release = personal_seed(originals, seed), personal_seed(release, seed)
    if is_archive(submitted) and (model_cell := model_grade_id(release)) is not None:
        cells = _cells_with_model(originals, release, model_cell, read_saved_model(submitted))
        return _restored(originals, cells, seed)
    answers, extras = _taken(read_notebook(submitted), _known(release))
    cells = [_own_cell(cell) for cell in extras.get(None, ())]
    for original, released in zip(originals["cells"], release["cells"], strict=True):
        grade_id = grade_id_of(released)
        if kind_of(released) is None or grade_id is None:
            continue
        cells.append(_author_cell(original, released, answers.get(grade_id)))
        cells.extend(_own_cell(cell) for cell in extras.get(grade_id, ()))
    return _restored(originals, cells, seed)


def _restored(
    originals: dict[str, Any], cells: list[dict[str, Any]], seed: int | None
) -> dict[str, Any]:
    for index, cell in enumerate(cells):
        cell["id"] = f"c{index}"
    metadata = copy.deepcopy(dict(originals["metadata"]))
    metadata.pop("widgets", None)
    metadata.pop(OWN_KEY, None)
    if seed is not None:
        metadata[OWN_KEY] = {"seed": seed}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def seed_of(restored: dict[str, Any]) -> int | None:
    """Return the seed that a notebook was restored with, if there was one."""
    seed: int | None = own_of(restored).get("seed")
    return seed


def _cells_with_model(
    originals: dict[str, Any], release: dict[str, Any], model_cell: str, model: SavedModel
) -> list[dict[str, Any]]:
    """Return the author's cells with ``model`` in the place of one answer and no other answers."""
    cells = []
    for original, released in zip(originals["cells"], release["cells"], strict=True):
        grade_id = grade_id_of(released)
        if kind_of(released) is None or grade_id is None:
            continue
        cell = _author_cell(original, released, None)
        own = cell["metadata"][OWN_KEY]
        if grade_id == model_cell:
            cell["source"] = model_code(model, original["source"])
            own |= {"origin": Origin.MODEL.value, "release_source": f"# {model.description}"}
        elif own["origin"] == Origin.MISSING:
            own["origin"] = Origin.LEFT.value
        cells.append(cell)
    return cells


def _known(release: dict[str, Any]) -> dict[str, bool]:
    """Return the author's grade_ids and whether the student writes in the cell."""
    known: dict[str, bool] = {}
    for cell in release["cells"]:
        grade_id = grade_id_of(cell)
        if grade_id is not None and kind_of(cell) is not None:
            known[grade_id] = is_answer(cell)
    return known


def _taken(
    submitted: dict[str, Any], known: dict[str, bool]
) -> tuple[dict[str, str], dict[str | None, list[dict[str, Any]]]]:
    """Return the answers by grade_id, and the other cells by the grade_id that they follow."""
    first = places_of(submitted, {name for name, is_written in known.items() if is_written})
    answers: dict[str, str] = {}
    extras: dict[str | None, list[dict[str, Any]]] = {}
    after: str | None = None
    for index, cell in enumerate(submitted["cells"]):
        grade_id = grade_id_of(cell)
        if grade_id is None or grade_id not in known:
            extras.setdefault(after, []).append(cell)
            continue
        if first[grade_id] != index:
            continue  # a copy of a locked cell
        after = grade_id
        if known[grade_id]:
            answers[grade_id] = cell["source"]
    return answers, extras


def _author_cell(
    original: dict[str, Any], released: dict[str, Any], answer: str | None
) -> dict[str, Any]:
    if is_answer(released):
        origin = Origin.MISSING if answer is None else Origin.ANSWER
        source = released["source"] if answer is None else answer
    else:
        # Only code needs its hidden part; a task's mark scheme stays with the author.
        origin = Origin.AUTHOR
        source = original["source"] if original["cell_type"] == "code" else released["source"]
    metadata = copy.deepcopy(dict(released["metadata"]))
    metadata[OWN_KEY] = {
        **copy.deepcopy(dict(own_of(original))),
        "origin": origin.value,
        "release_source": released["source"],
    }
    return _cell(released["cell_type"], source, metadata)


def _own_cell(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = {OWN_KEY: {"origin": Origin.STUDENT.value, "release_source": None}}
    return _cell(cell["cell_type"], cell["source"], metadata)


def _cell(cell_type: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": cell_type, "source": source, "metadata": metadata}
    if cell_type == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell
