"""Plain data in which a part is about people: rewritten when one is erased or gets another name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Table, cast, func, or_, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.entries import AuthorKind
from jupyter_ppo.storage.tables import (
    AuditEventRow,
    GradeChangeRow,
    OutcomeRevisionRow,
    OutcomeRow,
)

#: Under these names the detail of an audit entry holds usernames.
PERSON_KEYS = frozenset({"user", "users", "by"})
#: Under these names it holds words about a person's work, or what the work can be told by.
_WORDS = frozenset({"reason", "comment", "digest"})
#: Under this name it holds a username of before; see ``storage.renaming``.
BEFORE = "was"
_ROWS_AT_ONCE = 500
_ID_LENGTH = 36


def chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield ``ids`` in lists that are short enough for one query."""
    for first in range(0, len(ids), _ROWS_AT_ONCE):
        yield ids[first : first + _ROWS_AT_ONCE]


def empty_history(session: Session, submission_ids: Sequence[UUID]) -> None:
    """Take the comments out of the history of these submissions' grades; points stay."""

    def without(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return None if data is None else {**data, "comment": ""} if "comment" in data else {**data}

    rows = GradeChangeRow.__table__
    for ids in chunks(submission_ids):
        _rewrite(
            session,
            rows,
            rows.c.submission_id.in_(ids),
            lambda row: {"before": without(row.before), "after": without(row.after)},
            ("before", "after"),
        )


def empty_outcomes(session: Session, submission_ids: Sequence[UUID]) -> None:
    """Take the words out of these submissions' outcomes and all their revisions; points stay."""

    def without(row: Any) -> dict[str, Any]:
        content = dict(row.content)
        content["summary"] = content["private_note"] = ""
        content["results"] = [{**result, "comment": ""} for result in content["results"]]
        return {"content": content}

    for rows in (OutcomeRow.__table__, OutcomeRevisionRow.__table__):
        for ids in chunks(submission_ids):
            _rewrite(session, rows, rows.c.submission_id.in_(ids), without, ("content",))


def rename_in_outcomes(session: Session, user: str, stand_in: str) -> dict[str, int]:
    """Put the stand-in where ``user`` wrote, changed or approved an outcome; the words stay.

    Returns how many rows of each table were changed.
    """

    def renamed(row: Any) -> dict[str, Any]:
        content = dict(row.content)
        for name in ("changed_by", "approved_by"):
            if content.get(name) == user:
                content[name] = stand_in
        is_theirs = row.author == user and row.author_kind is AuthorKind.PERSON
        return {"content": content, "author": stand_in if is_theirs else row.author}

    counts: dict[str, int] = {}
    for table in (OutcomeRow, OutcomeRevisionRow):
        rows = table.__table__
        about = or_(rows.c.author == user, _holds(rows.c.content, user))
        counts[table.__tablename__] = _rewrite(session, rows, about, renamed, ("content", "author"))
    return counts


def rename_in_audit(session: Session, user: str, new: str) -> int:
    """Put another username into what the audit log says of ``user``; return of how many entries.

    Who did it is a column of its own. Every word stays, and so does a name of before.
    """
    rows = AuditEventRow.__table__
    named = or_(rows.c.subject.contains(user, autoescape=True), _holds(rows.c.detail, user))
    return _rewrite(
        session,
        rows,
        named,
        lambda row: {
            "subject": _subject(row.subject, user, new),
            "detail": _renamed(row.detail, user, new),
        },
        ("subject", "detail"),
    )


def rewrite_audit(
    session: Session, user: str, stand_in: str, submission_ids: Sequence[UUID]
) -> None:
    """Put the stand-in into what the audit log says of ``user``, and take words about them out.

    Who did it is a column of its own. Entries are neither added nor deleted.
    """
    rows = AuditEventRow.__table__
    own = {str(each) for each in submission_ids}

    def rewritten(row: Any) -> dict[str, Any]:
        subject = _subject(row.subject, user, stand_in)
        detail = _renamed(row.detail, user, stand_in)
        is_about = (
            subject != row.subject
            or detail != row.detail
            or row.subject[:_ID_LENGTH] in own
            or (row.user == user and row.action.startswith("trial."))
        )
        if is_about:
            detail = {
                name: value for name, value in detail.items() if name not in _WORDS | {BEFORE}
            }
        return {"subject": subject, "detail": detail}

    named = or_(
        rows.c.user == user,
        rows.c.subject.contains(user, autoescape=True),
        _holds(rows.c.detail, user),
    )
    _rewrite(session, rows, named, rewritten, ("subject", "detail"))
    for ids in chunks(submission_ids):
        of_these = func.substr(rows.c.subject, 1, _ID_LENGTH).in_([str(each) for each in ids])
        _rewrite(session, rows, of_these, rewritten, ("detail",))


def _subject(subject: str, user: str, stand_in: str) -> str:
    """Return what an entry is about, with the stand-in where it is ``course/user`` or ``user``."""
    head, slash, last = subject.rpartition("/")
    return f"{head}{slash}{stand_in}" if last == user else subject


def _renamed(detail: Mapping[str, Any], user: str, stand_in: str) -> dict[str, Any]:
    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(each) for each in value]
        return stand_in if value == user else value

    return {key: name(value) if key in PERSON_KEYS else value for key, value in detail.items()}


def _holds(column: ColumnElement[Any], user: str) -> ColumnElement[bool]:
    """Whether the text of plain data may hold a username; what is found is looked at again."""
    # The database drivers write JSON in ASCII; another program may have written it plainly.
    spellings: Iterable[str] = {user, json.dumps(user)[1:-1]}
    text = cast(column, String)
    return or_(*(text.contains(each, autoescape=True) for each in spellings))


def _rewrite(
    session: Session,
    table: Any,
    which: ColumnElement[bool],
    change: Callable[[Any], dict[str, Any]],
    names: tuple[str, ...],
) -> int:
    """Write what ``change`` gives for each row of ``which``, where it differs in ``names``.

    Returns how many rows differed.
    """
    assert isinstance(table, Table)  # noqa: S101 - for the type checker
    (key,) = table.primary_key.columns
    written = 0
    for row in session.execute(select(table).where(which)).all():
        values = {name: value for name, value in change(row).items() if name in names}
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if changed:
            session.execute(update(table).where(key == getattr(row, key.name)).values(changed))
            written += 1
    return written
