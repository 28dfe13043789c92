"""Definitions and contents of entries as bytes: JSON, written one way and checked when read.

A definition comes from an author's file or request and is kept with its notes for the staff and
without; a content names its files by their digests. What is wrong is said with the place of it,
such as ``rubric[2].levels[0].points``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from jupyter_ppo.autograde.plain_data import (
    check_once,
    fields_of,
    items_of,
    name_of,
    refuse,
    refuse_size,
    text_of,
)
from jupyter_ppo.autograde.run_evidence import checked_run
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.entries import (
    MAX_FILES,
    MAX_TEXT,
    MAX_WORDS,
    Criterion,
    EntryContent,
    EntryDefinition,
    EntryFile,
    EntryPart,
    Level,
    check_file_names,
    checked_file_name,
)

FORMAT_VERSION = 1
MAX_CRITERIA = 40
MIN_LEVELS, MAX_LEVELS = 2, 12
MAX_POINTS = 1_000_000.0
MAX_TITLE = 200
_MAX_INSTRUCTIONS = 50_000
_DIGEST = re.compile(r"[0-9a-f]{64}")


# -- definitions ---------------------------------------------------------------------------------


def definition_of(data: object) -> EntryDefinition:
    """Return the definition that plain data of a request or a file describe.

    Raises ``InvalidInputError`` naming the place: unknown or missing names, 1 to 40 criteria, 2 to
    12 levels, points of 0 to 1,000,000, names that are doubled or cannot be part of an address.
    """
    fields = fields_of(data, "", {"title", "rubric"}, {"instructions", "parts", "format"})
    _check_format(fields)
    parts = items_of(fields.get("parts", [EntryPart.TEXT]), "parts", 1, len(EntryPart))
    rubric = items_of(fields["rubric"], "rubric", 1, MAX_CRITERIA)
    definition = EntryDefinition(
        title=text_of(fields["title"], "title", MAX_TITLE, is_needed=True),
        instructions=text_of(fields.get("instructions", ""), "instructions", _MAX_INSTRUCTIONS),
        parts=tuple(_part(part, f"parts[{index}]") for index, part in enumerate(parts)),
        rubric=tuple(criterion_of(item, f"rubric[{index}]") for index, item in enumerate(rubric)),
    )
    check_once(definition.parts, "parts")
    check_once([criterion.name for criterion in definition.rubric], "rubric")
    return definition


def definition_data(definition: EntryDefinition) -> dict[str, Any]:
    """Return plain data of a definition, as ``definition_of`` takes it."""
    data = asdict(definition)
    return data | {"parts": [part.value for part in definition.parts]}


def without_notes(definition: EntryDefinition) -> EntryDefinition:
    """Return what students may see of a definition."""
    rubric = (replace(criterion, note="") for criterion in definition.rubric)
    return replace(definition, rubric=tuple(rubric))


def exercises_of(definition: EntryDefinition) -> tuple[Exercise, ...]:
    """Return the criteria as exercises: what a gradebook has columns for."""
    return tuple(
        Exercise(criterion.name, CellKind.CRITERION, criterion.max_points, position)
        for position, criterion in enumerate(definition.rubric)
    )


def write_definition(definition: EntryDefinition) -> bytes:
    """Return the bytes that are kept; the same definition gives the same ones."""
    return _write(definition_data(definition))


def read_definition(data: bytes) -> EntryDefinition:
    """Return the definition in ``data``: UTF-8 JSON of an author's file, or what was kept."""
    return definition_of(_read(data, "definition"))


def criterion_of(data: object, place: str) -> Criterion:
    """Return the criterion of a rubric that plain data describe; ``place`` is said in errors.

    Raises ``InvalidInputError`` naming the place.
    """
    fields = fields_of(data, place, {"name", "title", "levels"}, {"description", "note"})
    levels = items_of(fields["levels"], f"{place}.levels", MIN_LEVELS, MAX_LEVELS)
    criterion = Criterion(
        name=name_of(fields["name"], f"{place}.name"),
        title=text_of(fields["title"], f"{place}.title", MAX_TITLE, is_needed=True),
        levels=tuple(_level(item, f"{place}.levels[{i}]") for i, item in enumerate(levels)),
        description=text_of(fields.get("description", ""), f"{place}.description", MAX_WORDS),
        note=text_of(fields.get("note", ""), f"{place}.note", MAX_WORDS),
    )
    check_once([level.name for level in criterion.levels], f"{place}.levels")
    return criterion


def _level(data: object, place: str) -> Level:
    fields = fields_of(data, place, {"name", "points"}, {"description"})
    points = fields["points"]
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    # Compared before float(), which refuses an integer of hundreds of digits.
    if not is_number or not 0 <= points <= MAX_POINTS or not math.isfinite(points):
        refuse(f"{place}.points", f"Use a number from 0 to {MAX_POINTS:,.0f}.")
    return Level(
        name=text_of(fields["name"], f"{place}.name", 100, is_needed=True),
        points=float(points),
        description=text_of(fields.get("description", ""), f"{place}.description", MAX_WORDS),
    )


def _part(value: object, place: str) -> EntryPart:
    try:
        return EntryPart(value)  # type: ignore[arg-type]
    except ValueError:
        refuse(place, f"Use {', '.join(EntryPart)}.")


# -- contents ------------------------------------------------------------------------------------


def checked_content(content: EntryContent, definition: EntryDefinition) -> EntryContent:
    """Return ``content`` if the entry asks for it and its sizes are right.

    A part that is not asked for must be empty, and something must be there. Raises
    ``InvalidInputError`` or ``TooLargeError`` naming the part.
    """
    given = {
        EntryPart.TEXT: bool(content.text.strip()),
        EntryPart.CODE: bool(content.code.strip()),
        EntryPart.FILES: bool(content.files),
        EntryPart.RUN: content.run is not None,
    }
    for part, is_given in given.items():
        if is_given and part not in definition.parts:
            refuse(part, f"This entry asks for {', '.join(definition.parts)} only; leave it out.")
    if not any(given.values()):
        names = " or ".join(definition.parts)
        refuse("entry", f"There is nothing in it. Hand in {names}.")
    text_of(content.title, "title", MAX_TITLE)
    text_of(content.text, EntryPart.TEXT, MAX_TEXT)
    text_of(content.code, EntryPart.CODE, MAX_TEXT)
    if len(content.files) > MAX_FILES:
        refuse_size("files", f"There are {len(content.files)}, and {MAX_FILES} may be.")
    for file in content.files:
        checked_file_name(file.name)
    check_file_names(file.name for file in content.files)
    return content if content.run is None else replace(content, run=checked_run(content.run))


def write_content(content: EntryContent) -> bytes:
    """Return the bytes that a receipt's hash is of; the same content gives the same ones."""
    return _write(asdict(content))


def read_content(data: bytes) -> EntryContent:
    """Return what ``write_content`` wrote."""
    fields = fields_of(
        _read(data, "entry"), "", {"files"}, {"format", "title", "text", "code", "run"}
    )
    _check_format(fields)
    files = []
    for index, item in enumerate(items_of(fields["files"], "files", 0, MAX_FILES)):
        file = fields_of(item, f"files[{index}]", {"name", "digest", "size"}, set())
        digest, size = file["digest"], file["size"]
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not _is_size(size):
            refuse(f"files[{index}]", "It names no stored file.")
        files.append(EntryFile(checked_file_name(str(file["name"])), digest, size))
    run = fields.get("run")
    return EntryContent(
        title=text_of(fields.get("title", ""), "title", MAX_TITLE),
        text=text_of(fields.get("text", ""), EntryPart.TEXT, MAX_TEXT),
        code=text_of(fields.get("code", ""), EntryPart.CODE, MAX_TEXT),
        files=tuple(files),
        run=None if run is None else checked_run(run),
    )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# -- plain data ----------------------------------------------------------------------------------


def _write(data: Mapping[str, Any]) -> bytes:
    document = {"format": FORMAT_VERSION} | dict(data)
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _read(data: bytes, what: str) -> object:
    try:
        found: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        refuse(what, "It is not UTF-8 text.")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        refuse(what, f"It is not JSON: {error.msg} in {where}.")
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        refuse(what, "It is JSON that cannot be read.")
    return found


def _check_format(fields: Mapping[str, Any]) -> None:
    version = fields.get("format", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        refuse("format", f"This version of jupyter_ppo reads format {FORMAT_VERSION}.")
