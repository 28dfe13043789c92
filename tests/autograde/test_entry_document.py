"""Definitions and contents of entries: read as they were written, refused by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.entry_document import (
    checked_content,
    definition_data,
    definition_of,
    exercises_of,
    read_content,
    read_definition,
    without_notes,
    write_content,
    write_definition,
)
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.entries import EntryContent, EntryFile, EntryPart
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError

LEVELS = [{"name": "weak", "points": 0}, {"name": "sound", "points": 4, "description": "all"}]
DEFINITION: dict[str, Any] = {
    "title": "Report",
    "instructions": "Describe **your** run.",
    "parts": ["text", "files"],
    "rubric": [
        {"name": "method", "title": "Method", "levels": LEVELS, "note": "be strict"},
        {"name": "writing", "title": "Writing", "levels": LEVELS[::-1]},
    ],
}
FILE = EntryFile("figures/a.png", "a" * 64, 3)

_words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_title = _words.filter(lambda text: bool(text.strip()))
_points = st.floats(0, 1e6, allow_nan=False)


def _unique(items: Any, key: str, **sizes: int) -> Any:
    return st.lists(items, unique_by=lambda item: item[key], **sizes)


_level = st.fixed_dictionaries({"name": _title, "points": _points, "description": _words})
_criterion = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
        "title": _title,
        "description": _words,
        "note": _words,
        "levels": _unique(_level, "name", min_size=2, max_size=4),
    }
)
_definition = st.fixed_dictionaries(
    {
        "title": _title,
        "instructions": _words,
        "parts": st.lists(st.sampled_from([p.value for p in EntryPart]), unique=True, min_size=1),
        "rubric": _unique(_criterion, "name", min_size=1, max_size=4),
    }
)


@given(_definition)
@settings(max_examples=50)
def test_a_definition_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    definition = definition_of(data)
    assert read_definition(write_definition(definition)) == definition
    assert definition_of(definition_data(definition)) == definition
    assert definition.max_points == sum(
        max(level["points"] for level in criterion["levels"]) for criterion in data["rubric"]
    )


def test_what_students_get_holds_no_note() -> None:
    definition = definition_of(DEFINITION)
    assert b"be strict" in write_definition(definition)
    assert b"be strict" not in write_definition(without_notes(definition))
    assert without_notes(definition).rubric[0].levels == definition.rubric[0].levels


def test_criteria_are_the_columns_of_a_gradebook() -> None:
    exercises = exercises_of(definition_of(DEFINITION))
    assert [(each.grade_id, each.kind, each.points) for each in exercises] == [
        ("method", CellKind.CRITERION, 4.0),
        ("writing", CellKind.CRITERION, 4.0),
    ]


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *steps, last, value = path

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for step in steps:
            place = place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_set("title", ""), "title"),
        (_set("title", "t" * 201), "title"),
        (_set("title", 3), "title"),
        (_set("title", "half \ud800"), "title"),
        (_set("title", "a\0b"), "title"),
        (_set("instructions", "i" * 50_001), "instructions"),
        (_set("parts", []), "parts"),
        (_set("parts", ["text", "text"]), "parts[1]"),
        (_set("parts", ["video"]), "parts[0]"),
        (_set("parts", [["text"]]), "parts[0]"),
        (_set("rubric", []), "rubric"),
        (_set("rubric", DEFINITION["rubric"] * 21), "rubric"),
        (_set("rubric", 1, "name", "method"), "rubric[1]"),
        (_set("rubric", 0, "name", "two words"), "rubric[0].name"),
        (_set("rubric", 0, "name", "n" * 101), "rubric[0].name"),
        (_set("rubric", 0, "note", 3), "rubric[0].note"),
        (_set("rubric", 0, "levels", LEVELS[:1]), "rubric[0].levels"),
        (_set("rubric", 0, "levels", LEVELS * 7), "rubric[0].levels"),
        (_set("rubric", 0, "levels", [LEVELS[0], LEVELS[0]]), "rubric[0].levels[1]"),
        (_set("rubric", 0, "levels", 1, "points", -1), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "points", 1e6 + 1), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "points", 10**400), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "points", float("nan")), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "points", "4"), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "points", True), "rubric[0].levels[1].points"),
        (_set("rubric", 0, "levels", 1, "colour", "red"), "rubric[0].levels[1].colour"),
        (_set("rubric", 0, []), "rubric[0]"),
        (_set("rubrik", []), "rubrik"),
        (_set("format", 2), "format"),
    ],
)
def test_what_is_wrong_in_a_definition_is_named(
    change: Callable[[dict[str, Any]], None], field: str
) -> None:
    data = copy.deepcopy(DEFINITION)
    change(data)
    with pytest.raises(InvalidInputError) as caught:
        definition_of(data)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["title", "rubric"])
def test_what_is_missing_is_named(name: str) -> None:
    data = {key: value for key, value in DEFINITION.items() if key != name}
    with pytest.raises(InvalidInputError, match="It is missing") as caught:
        definition_of(data)
    assert caught.value.field == name


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b"{", b"1" * 5000, b"[" * 100_000, b'{"title": "x"}']
)
def test_bytes_that_are_no_definition_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read_definition(data)


def test_the_bounds_themselves_are_fine() -> None:
    levels = [{"name": f"l{i}", "points": 1e6 if i else 0} for i in range(12)]
    rubric = [{"name": f"c{i}", "title": "t", "levels": levels} for i in range(40)]
    assert definition_of({"title": "t" * 200, "rubric": rubric}).max_points == 40e6


def test_a_content_is_read_as_it_was_written() -> None:
    content = EntryContent("My title", "text \U0001f98a\n", "print(1)", (FILE,), None)
    data = write_content(content)
    assert read_content(data) == content
    assert data == write_content(read_content(data))
    assert json.loads(data)["files"] == [{"name": "figures/a.png", "digest": "a" * 64, "size": 3}]


@pytest.mark.parametrize(
    ("content", "error", "field"),
    [
        (EntryContent(), InvalidInputError, "entry"),
        (EntryContent(title="only a title"), InvalidInputError, "entry"),
        (EntryContent(text=" \n "), InvalidInputError, "entry"),
        (EntryContent(code="print(1)"), InvalidInputError, "code"),
        (EntryContent(text="x", run={}), InvalidInputError, "run"),
        (EntryContent(text="x" * 100_001), TooLargeError, "text"),
        (EntryContent(text="half \udfff"), InvalidInputError, "text"),
        (EntryContent(text="x", title="t" * 201), TooLargeError, "title"),
        (EntryContent(files=(FILE,) * 101), TooLargeError, "files"),
        (EntryContent(files=(FILE, FILE)), InvalidInputError, "files"),
        (EntryContent(files=(EntryFile("../x", "", 1),)), InvalidInputError, "files"),
    ],
)
def test_a_content_that_was_not_asked_for_is_refused(
    content: EntryContent, error: type[InvalidInputError], field: str
) -> None:
    with pytest.raises(error) as caught:
        checked_content(content, definition_of(DEFINITION))
    assert caught.value.field == field


def test_a_content_with_some_of_the_parts_is_enough() -> None:
    definition = definition_of(DEFINITION)
    for content in (EntryContent(text="x"), EntryContent(files=(FILE,))):
        assert checked_content(content, definition) == content
