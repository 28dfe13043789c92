"""Bytes from anyone -> a notebook dict, or one clear sentence. Nothing else ever comes out."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from jupyter_ppo.domain.errors import InvalidNotebookError, TooLargeError

#: The most bytes of one notebook.
MAX_BYTES = 25 * 2**20
#: The most cells of one notebook; each costs the kernel about 10 ms.
MAX_CELLS = 2000
#: How deeply JSON may nest. Plotly figures in outputs reach about 20.
MAX_DEPTH = 100

_CELL_TYPES = ("code", "markdown", "raw")
# Possessive, and satisfied by an unclosed string too: linear in time whatever the bytes are.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_notebook(data: bytes) -> dict[str, Any]:
    """Return the notebook in ``data`` (UTF-8 JSON, nbformat 4) as a plain dict.

    Every cell has a known ``cell_type``, a string ``source`` and a dict ``metadata``; the rest is
    as it came. Raises ``TooLargeError`` over 25 MiB or 2000 cells, ``InvalidNotebookError``
    naming the part otherwise.
    """
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    document = _load(_decode(data), data)
    if not isinstance(document, dict):
        _refuse("notebook", f"JSON, but a {_json_name(document)} and not a notebook. {_CHOOSE}")
    _check_version(document)
    return _with_checked_cells(document)


def too_large(size: int) -> TooLargeError:
    """Return the error for a notebook of ``size`` bytes, with what a student can do about it."""
    msg = (
        f"notebook: {size / 2**20:.1f} MiB is over the limit of {MAX_BYTES // 2**20} MiB. "
        "Choose Edit > Clear Outputs of All Cells, save, and submit again."
    )
    return TooLargeError(msg, field="notebook")


_CHOOSE = "Choose the .ipynb file of the assignment."
_RESAVE = "Open it in JupyterLab and save it, or take an undamaged copy."


def _refuse(field: str, problem: str) -> NoReturn:
    msg = f"{field}: {problem}"
    raise InvalidNotebookError(msg, field=field)


def _decode(data: bytes) -> str:
    if not data.strip():
        _refuse("notebook", f"the file is empty. {_CHOOSE}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(
            "notebook",
            f"this is not a notebook (not UTF-8 text, byte {error.start}). {_CHOOSE} An archive "
            "or a printout of it does not do.",
        )


def _load(text: str, data: bytes) -> object:
    depth = 0
    for match in _BRACKET.finditer(_STRING.sub(b"", data)):
        depth += 1 if match[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            _refuse("notebook", f"nested more than {MAX_DEPTH} levels deep. {_CHOOSE}")
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        if not text.lstrip().startswith("{"):
            _refuse("notebook", f"this is not a notebook (not JSON). {_CHOOSE}")
        _refuse(
            "notebook",
            f"this is no whole notebook (not JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}). Take an undamaged copy of it.",
        )
    except (ValueError, RecursionError):  # a number of thousands of digits
        _refuse("notebook", f"JSON that cannot be read. {_CHOOSE}")
    return document


def _json_name(value: object) -> str:
    names = {list: "list", str: "string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "number")


def _check_version(document: dict[str, Any]) -> None:
    version, minor = document.get("nbformat"), document.get("nbformat_minor", 0)
    if not isinstance(version, int) or isinstance(version, bool):
        _refuse("nbformat", f"JSON, but not a notebook: it has no format version. {_CHOOSE}")
    if version < 4:
        _refuse(
            "nbformat",
            f"notebook format {version} is too old; format 4 is needed. Open it in JupyterLab and "
            "save it: that converts it.",
        )
    if version > 4:
        _refuse("nbformat", f"notebook format {version} is newer than format 4, the newest known.")
    if not isinstance(minor, int) or isinstance(minor, bool) or not 0 <= minor < 1000:
        _refuse("nbformat_minor", f"not a version number. {_RESAVE}")
    if not isinstance(document.get("metadata", {}), dict):
        _refuse("metadata", f"not an object. {_RESAVE}")


def _with_checked_cells(document: dict[str, Any]) -> dict[str, Any]:
    cells = document.get("cells")
    if not isinstance(cells, list):
        _refuse("cells", f"the notebook has no list of cells. {_RESAVE}")
    if len(cells) > MAX_CELLS:
        msg = f"cells: {len(cells)} cells are over the limit of {MAX_CELLS}. Delete the spare ones."
        raise TooLargeError(msg, field="cells")
    checked = [_checked_cell(cell, f"cells[{index}]") for index, cell in enumerate(cells)]
    metadata = document.get("metadata", {})
    minor = document.get("nbformat_minor", 0)
    return {**document, "metadata": metadata, "nbformat_minor": minor, "cells": checked}


def _checked_cell(cell: object, field: str) -> dict[str, Any]:
    if not isinstance(cell, dict):
        _refuse(field, f"not a cell. {_RESAVE}")
    kind = cell.get("cell_type")
    if kind not in _CELL_TYPES:
        _refuse(f"{field}.cell_type", f"not one of {', '.join(_CELL_TYPES)}. {_RESAVE}")
    source, metadata = cell.get("source"), cell.get("metadata", {})
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        _refuse(f"{field}.source", f"neither text nor a list of lines. {_RESAVE}")
    if (half := _LONE_SURROGATE.search(source)) is not None:
        _refuse(
            f"{field}.source",
            f"character {half.start()} is half of a character (U+{ord(half[0]):04X}). Delete it "
            "and type it again.",
        )
    if not isinstance(metadata, dict):
        _refuse(f"{field}.metadata", f"not an object. {_RESAVE}")
    return {**cell, "source": source, "metadata": metadata}
