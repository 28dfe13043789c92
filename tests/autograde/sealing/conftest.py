"""Author's notebooks in a few words: given cells, answers and tests, in the order of the call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.sealing.exam import test_cell_sealings as sealings_by_reading
from jupyter_ppo.domain.sealing import CellSealing

Cell = dict[str, Any]
Write = Callable[..., bytes]


def _cell(source: str, **meta: Any) -> Cell:
    metadata: dict[str, Any] = {}
    tags = meta.pop("tags", None)
    if tags:
        metadata["tags"] = tags
    if meta:
        blank = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
        metadata["nbgrader"] = blank | {"task": False} | meta
    cell = {"cell_type": "code", "metadata": metadata, "source": source}
    return cell | {"outputs": [], "execution_count": None}


@pytest.fixture(scope="session")
def write() -> Write:
    """Return ``write(("given", text), ("answer", text), ("test", text), ...)``: a notebook.

    The n-th cell has the grade_id ``kind`` + n, except ``("loose", text)``, which is of no kind.
    """

    def made(*parts: tuple[str, str], points: float = 1) -> bytes:
        kinds: dict[str, dict[str, Any]] = {
            "given": {"locked": True},
            "answer": {"solution": True},
            "test": {"grade": True, "locked": True, "points": points},
            "unsealed": {"grade": True, "locked": True, "points": points, "tags": ["unsealed"]},
        }
        cells = [
            _cell(text, **({} if kind == "loose" else {**kinds[kind], "grade_id": f"{kind}{n}"}))
            for n, (kind, text) in enumerate(parts)
        ]
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        for number, cell in enumerate(cells):
            cell["id"] = f"id{number}"
        return json.dumps(document).encode()

    return made


@pytest.fixture(scope="session")
def read(write: Write) -> Callable[..., CellSealing]:
    """Return what reading says of the last test cell of a notebook with these parts."""

    def last(*parts: tuple[str, str]) -> CellSealing:
        return sealings_by_reading(make_release(write(*parts)).source)[-1]

    return last
