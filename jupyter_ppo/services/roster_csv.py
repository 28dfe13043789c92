"""Lists of people as CSV: read from what an LMS or a spreadsheet writes, and written for both."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace

from jupyter_ppo.domain.courses import Role, checked_user
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError
from jupyter_ppo.domain.roster import (
    Member,
    Person,
    RosterProblem,
    RosterRow,
    checked_detail,
    checked_groups,
)

MAX_BYTES = 20 * 2**20
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_CELL = 10_000
#: So many problems are told one by one; of the others only the number.
MAX_PROBLEMS = 100

COLUMNS = ("user", "role", "first_name", "last_name", "email", "lms_user_id", "groups")
_DETAILS = ("first_name", "last_name", "email", "lms_user_id")
_USER_NAMES = ("user", "username", "student_id", "id")
_DELIMITERS = (",", ";", "\t")
# A text that a spreadsheet would run as a formula is written with an apostrophe before it; so is
# one that begins with apostrophes and such a text, or it could not be told apart.
_GUARDED = re.compile(r"'*[=+\-@\t\r]")
_ROLES = {role.value: role for role in Role if role is not Role.ADMIN}


@dataclass(frozen=True, slots=True)
class ReadRoster:
    """What a list says; ``problems`` are the first ones of ``problem_count``."""

    rows: tuple[RosterRow, ...]
    problems: tuple[RosterProblem, ...]
    problem_count: int


class _Problems:
    def __init__(self) -> None:
        self.told: list[RosterProblem] = []
        self.count = 0

    def add(self, line: int, field: str, message: str) -> None:
        self.count += 1
        if len(self.told) < MAX_PROBLEMS:
            self.told.append(RosterProblem(line, field, message))


def read_roster(data: bytes) -> ReadRoster:
    """Read a list of people: a heading, then a person on each line.

    The heading names ``COLUMNS`` in any order and case (the first may be ``username``,
    ``student_id`` or ``id``); other columns are not looked at. Cells are separated by commas,
    semicolons or tabs. UTF-8, or UTF-16 with a byte order mark. Raises ``InvalidInputError`` or
    ``TooLargeError`` when it cannot be read as a list at all.
    """
    text = _text(data)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=_delimiter(text),
        strict=True,
        skipinitialspace=True,
    )
    problems, rows, lines = _Problems(), [], _lines(reader)
    try:
        _, heading = next(lines, (1, []))
        columns = _columns(heading)
        width = len(heading)
        first_lines: dict[str, int] = {}
        for line, cells in lines:
            row = _row(line, cells, columns, width, problems)
            if row is None:
                continue
            first = first_lines.setdefault(row.user, line)
            if first != line:
                problems.add(line, "user", f"{row.user!r} is on line {first} already.")
            rows.append(row)
            if len(rows) > MAX_ROWS:
                msg = f"The list has more than {MAX_ROWS:,} people. Send it in parts."
                raise TooLargeError(msg, field="body")
    except csv.Error as error:
        line = max(1, reader.line_num)
        problems.add(line, "", f"This cannot be read as CSV: {error}. Nothing after it was read.")
    return ReadRoster(tuple(rows), tuple(problems.told), problems.count)


def roster_csv(members: Iterable[Member]) -> Iterator[str]:
    """Yield a list of people that ``read_roster`` reads, a line at a time (RFC 4180)."""
    yield _line(COLUMNS)
    for member in members:
        groups = ";".join(member.groups)
        yield _line((member.user, member.role.value, *astuple(member.person), groups))


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        msg = f"The list is larger than {MAX_BYTES // 2**20} MiB. Send it in parts."
        raise TooLargeError(msg, field="body")
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"Line {line} of the list is not UTF-8. Save it as CSV in UTF-8 and send it again."
        raise InvalidInputError(msg, field="body") from None
    if not text.strip():
        msg = "The list is empty. Its first line names the columns, for example: user,role,groups"
        raise InvalidInputError(msg, field="body")
    return text


def _delimiter(text: str) -> str:
    """Return what separates the heading's cells: names in the list may hold any of the others."""
    heading = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    known = {*COLUMNS, *_USER_NAMES}

    def found(delimiter: str) -> int:
        return sum(_plain(cell) in known for cell in heading.split(delimiter))

    return max(_DELIMITERS, key=found)


def _plain(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", cell.strip().strip('"').strip().lower())


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that is not blank with the number of the line on which it begins."""
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1  # type: ignore[attr-defined]  # csv's reader has it


def _columns(heading: Sequence[str]) -> dict[str, int]:
    if len(heading) > MAX_COLUMNS:
        msg = f"The list has {len(heading)} columns; use at most {MAX_COLUMNS}."
        raise InvalidInputError(msg, field="body")
    names = [_plain(cell) for cell in heading]
    own = next((name for name in _USER_NAMES if name in names), None)
    if own is None:
        msg = (
            f"The first line of the list names no column {COLUMNS[0]!r}. It says: "
            f"{', '.join(names)[:200]!r}. Known are {', '.join(COLUMNS)}."
        )
        raise InvalidInputError(msg, field="user")
    wanted = {own: "user"} | {name: name for name in COLUMNS[1:]}
    twice = next((name for name in wanted if names.count(name) > 1), None)
    if twice is not None:
        msg = f"The first line of the list names the column {twice!r} twice. Keep one of them."
        raise InvalidInputError(msg, field=wanted[twice])
    return {column: names.index(name) for name, column in wanted.items() if name in names}


def _row(
    line: int, cells: list[str], columns: dict[str, int], width: int, problems: _Problems
) -> RosterRow | None:
    if any(cell.strip() for cell in cells[width:]):
        problems.add(
            line, "", f"It has {len(cells)} cells, the heading {width}. Quote cells with commas."
        )
        return None
    if any(len(cell) > MAX_CELL for cell in cells):
        problems.add(line, "", f"A cell is longer than {MAX_CELL:,} characters.")
        return None
    told = problems.count

    def cell(column: str) -> str:
        index = columns.get(column, len(cells))
        return _unguarded(cells[index].strip()) if index < len(cells) else ""

    user, details = cell("user"), Person()
    groups: tuple[str, ...] = ()
    try:
        user = checked_user(user)
    except InvalidInputError as error:
        problems.add(line, "user", error.message if user else "user: it is missing.")
    role = _role(line, cell("role"), problems)
    for name in _DETAILS:
        text = cell(name)
        if not text:
            continue
        try:
            details = replace(details, **{name: checked_detail(text, name)})
        except InvalidInputError as error:
            problems.add(line, name, error.message)
    try:
        names = (name.strip() for name in cell("groups").split(";"))
        groups = checked_groups([name for name in names if name])
    except InvalidInputError as error:
        problems.add(line, "groups", error.message)
    return None if problems.count > told else RosterRow(line, user, role, details, groups)


def _role(line: int, text: str, problems: _Problems) -> Role | None:
    name = text.lower()
    if name == Role.ADMIN:
        message = "role: admins are named in the server's configuration, not in a course."
        problems.add(line, "role", message)
    elif name and name not in _ROLES:
        problems.add(line, "role", f"role: {text[:80]!r} is none. Use {', '.join(_ROLES)}.")
    return _ROLES.get(name)


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    safe = [f"'{cell}" if _GUARDED.match(cell) else cell for cell in cells]
    csv.writer(buffer, lineterminator="\r\n").writerow(safe)
    return buffer.getvalue()
