"""Definitions and contents of entries as bytes: JSON, written one way and checked when read.

A definition comes from an author's file or request and is kept with its notes for the staff and
without; a content names its files by their digests. What is wrong is said with the place of it,
such as ``rubric[2].levels[0].points``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NoReturn

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
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError
from jupyter_ppo.domain.marks import checked_text

FORMAT_VERSION = 1
MAX_CRITERIA = 40
MIN_LEVELS, MAX_LEVELS = 2, 12
MAX_POINTS = 1_000_000.0
MAX_TITLE = 200
_MAX_INSTRUCTIONS = 50_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


# -- definitions ---------------------------------------------------------------------------------


def definition_of(data: object) -> EntryDefinition:
    """Return the definition that plain data of a request or a file describe.

    Raises ``InvalidInputError`` naming the place: unknown or missing names, 1 to 40 criteria, 2 to
    12 levels, points of 0 to 1,000,000, names that are doubled or cannot be part of an address.
    """
    fields = _fields(data, "", {"title", "rubric"}, {"instructions", "parts", "format"})
    _check_format(fields)
    parts = _list(fields.get("parts", [EntryPart.TEXT]), "parts", 1, len(EntryPart))
    rubric = _list(fields["rubric"], "rubric", 1, MAX_CRITERIA)
    definition = EntryDefinition(
        title=_text(fields["title"], "title", MAX_TITLE, is_needed=True),
        instructions=_text(fields.get("instructions", ""), "instructions", _MAX_INSTRUCTIONS),
        parts=tuple(_part(part, f"parts[{index}]") for index, part in enumerate(parts)),
        rubric=tuple(_criterion(item, f"rubric[{index}]") for index, item in enumerate(rubric)),
    )
    _check_once(definition.parts, "parts")
    _check_once([criterion.name for criterion in definition.rubric], "rubric")
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


def _criterion(data: object, place: str) -> Criterion:
    fields = _fields(data, place, {"name", "title", "levels"}, {"description", "note"})
    levels = _list(fields["levels"], f"{place}.levels", MIN_LEVELS, MAX_LEVELS)
    criterion = Criterion(
        name=_name(fields["name"], f"{place}.name"),
        title=_text(fields["title"], f"{place}.title", MAX_TITLE, is_needed=True),
        levels=tuple(_level(item, f"{place}.levels[{i}]") for i, item in enumerate(levels)),
        description=_text(fields.get("description", ""), f"{place}.description", MAX_WORDS),
        note=_text(fields.get("note", ""), f"{place}.note", MAX_WORDS),
    )
    _check_once([level.name for level in criterion.levels], f"{place}.levels")
    return criterion


def _level(data: object, place: str) -> Level:
    fields = _fields(data, place, {"name", "points"}, {"description"})
    points = fields["points"]
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    # Compared before float(), which refuses an integer of hundreds of digits.
    if not is_number or not 0 <= points <= MAX_POINTS or not math.isfinite(points):
        _refuse(f"{place}.points", f"Use a number from 0 to {MAX_POINTS:,.0f}.")
    return Level(
        name=_text(fields["name"], f"{place}.name", 100, is_needed=True),
        points=float(points),
        description=_text(fields.get("description", ""), f"{place}.description", MAX_WORDS),
    )


def _part(value: object, place: str) -> EntryPart:
    try:
        return EntryPart(value)  # type: ignore[arg-type]
    except ValueError:
        _refuse(place, f"Use {', '.join(EntryPart)}.")


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
            _refuse(part, f"This entry asks for {', '.join(definition.parts)} only; leave it out.")
    if not any(given.values()):
        names = " or ".join(definition.parts)
        _refuse("entry", f"There is nothing in it. Hand in {names}.")
    _text(content.title, "title", MAX_TITLE)
    _text(content.text, EntryPart.TEXT, MAX_TEXT)
    _text(content.code, EntryPart.CODE, MAX_TEXT)
    if len(content.files) > MAX_FILES:
        _too_large("files", f"There are {len(content.files)}, and {MAX_FILES} may be.")
    for file in content.files:
        checked_file_name(file.name)
    check_file_names(file.name for file in content.files)
    return content if content.run is None else replace(content, run=checked_run(content.run))


def write_content(content: EntryContent) -> bytes:
    """Return the bytes that a receipt's hash is of; the same content gives the same ones."""
    return _write(asdict(content))


def read_content(data: bytes) -> EntryContent:
    """Return what ``write_content`` wrote."""
    fields = _fields(
        _read(data, "entry"), "", {"files"}, {"format", "title", "text", "code", "run"}
    )
    _check_format(fields)
    files = []
    for index, item in enumerate(_list(fields["files"], "files", 0, MAX_FILES)):
        file = _fields(item, f"files[{index}]", {"name", "digest", "size"}, set())
        digest, size = file["digest"], file["size"]
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not _is_size(size):
            _refuse(f"files[{index}]", "It names no stored file.")
        files.append(EntryFile(checked_file_name(str(file["name"])), digest, size))
    run = fields.get("run")
    return EntryContent(
        title=_text(fields.get("title", ""), "title", MAX_TITLE),
        text=_text(fields.get("text", ""), EntryPart.TEXT, MAX_TEXT),
        code=_text(fields.get("code", ""), EntryPart.CODE, MAX_TEXT),
        files=tuple(files),
        run=None if run is None else checked_run(run),
    )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# -- plain data ----------------------------------------------------------------------------------


def _refuse(place: str, remedy: str) -> NoReturn:
    msg = f"{place}: this cannot be used. {remedy}"
    raise InvalidInputError(msg, field=str(place))


def _too_large(place: str, problem: str) -> NoReturn:
    msg = f"{place}: it is too large. {problem}"
    raise TooLargeError(msg, field=str(place))


def _write(data: Mapping[str, Any]) -> bytes:
    document = {"format": FORMAT_VERSION} | dict(data)
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _read(data: bytes, what: str) -> object:
    try:
        found: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse(what, "It is not UTF-8 text.")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse(what, f"It is not JSON: {error.msg} in {where}.")
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        _refuse(what, "It is JSON that cannot be read.")
    return found


def _check_format(fields: Mapping[str, Any]) -> None:
    version = fields.get("format", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        _refuse("format", f"This version of jupyter_ppo reads format {FORMAT_VERSION}.")


def _fields(data: object, place: str, needed: set[str], other: set[str]) -> dict[str, Any]:
    names = ", ".join(sorted(needed | other - {"format"}))
    if not isinstance(data, dict):
        _refuse(place or "definition", f"Use an object with {names}.")
    prefix = f"{place}." if place else ""
    for name in sorted(needed - data.keys()):
        _refuse(prefix + name, "It is missing.")
    for name in data:
        if name not in needed | other:
            _refuse(prefix + str(name)[:80], f"There is no such name; known are {names}.")
    return data


def _list(value: object, place: str, least: int, most: int) -> Sequence[object]:
    if not isinstance(value, list | tuple) or not least <= len(value) <= most:
        _refuse(place, f"Use a list of {least} to {most}.")
    return value


def _text(value: object, place: str, most: int, *, is_needed: bool = False) -> str:
    if not isinstance(value, str) or (is_needed and not value.strip()):
        _refuse(place, "Use some text.")
    if len(value) > most:
        _too_large(place, f"There are {len(value):,} characters, and {most:,} may be.")
    return checked_text(value, str(place))


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        _refuse(place, "Use 1 to 100 letters, digits, dashes or underscores.")
    return value


def _check_once(names: Sequence[str], place: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            _refuse(f"{place}[{index}]", f"{name!r} is there twice.")
