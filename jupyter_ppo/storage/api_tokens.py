"""API tokens in the database, by the database's clock. Of a secret only its digest comes here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.api_tokens import MAX_ACTIVE, ApiToken, NewToken, TokenUse
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import ApiTokenRow, CourseRow


class ApiTokens:
    """``services.api_tokens.TokenStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewToken, digest: str) -> ApiToken:
        """Add a token; raise ``ConflictError`` when the person has too many that are good."""
        with self._database.begin() as session:
            _check_room(session, new.user)
            row = _added(session, new, digest)
            return _token(session, row)

    def rotate(self, token_id: UUID, digest: str, overlap: timedelta) -> ApiToken:
        """Add a token like this one, good for as long as it was made for, and let this one end.

        It is good for ``overlap`` more at most. Raises ``NotFoundError``, and ``ConflictError``
        when it is no longer good or was rotated already.
        """
        with self._database.begin() as session:
            old = _locked(session, token_id)
            now = database_now(session)
            token = _token(session, old)
            if not token.is_good(now):
                msg = f"The token {old.name!r} is not good any more. Make a new one."
                raise ConflictError(msg, field="token")
            later = select(ApiTokenRow.id).where(ApiTokenRow.rotated_from == token_id)
            if session.scalar(later) is not None:
                msg = f"The token {old.name!r} was rotated already. Rotate the newer one."
                raise ConflictError(msg, field="token")
            _check_room(session, old.user)
            new = NewToken(
                user=old.user,
                name=old.name,
                course_id=old.course_id,
                role=old.role,
                access=old.access,
                lifetime=token.lifetime,
            )
            row = _added(session, new, digest, rotated_from=token_id)
            old.expires_at = min(old.expires_at, now + overlap)
            return _token(session, row)

    def revoke(self, token_id: UUID) -> ApiToken:
        """End a token now; one that was revoked stays as it is. Raises ``NotFoundError``."""
        with self._database.begin() as session:
            row = _locked(session, token_id)
            if row.revoked_at is None:
                row.revoked_at = database_now(session)
            return _token(session, row)

    def token(self, token_id: UUID) -> ApiToken:
        """Return a token; raise ``NotFoundError``."""
        return self._read(token_id)[0]

    def good(self, token_id: UUID) -> tuple[ApiToken, str] | None:
        """Return a token and the digest of its secret, None when it is not good now."""
        with self._database.session() as session:
            row = session.get(ApiTokenRow, token_id)
            if row is None:
                return None
            token = _token(session, row)
            return (token, row.digest) if token.is_good(database_now(session)) else None

    def of_user(self, user: str, *, offset: int, limit: int) -> Page[ApiToken]:
        """Return a person's tokens, newest first, also those that have ended."""
        return self._page(select(ApiTokenRow).where(ApiTokenRow.user == user), offset, limit)

    def of_course(self, course_id: UUID, *, offset: int, limit: int) -> Page[ApiToken]:
        """Return the tokens for a course, newest first, also those that have ended."""
        query = select(ApiTokenRow).where(ApiTokenRow.course_id == course_id)
        return self._page(query, offset, limit)

    def used(self, uses: Mapping[UUID, TokenUse]) -> None:
        """Add to the counts of tokens; of one that is gone nothing is written."""
        with self._database.begin() as session:
            for token_id in sorted(uses):  # in one order, so that no two wait for each other
                use = uses[token_id]
                last = ApiTokenRow.last_used_at
                session.execute(
                    update(ApiTokenRow)
                    .where(ApiTokenRow.id == token_id)
                    .values(uses=ApiTokenRow.uses + use.uses)
                )
                session.execute(
                    update(ApiTokenRow)
                    .where(ApiTokenRow.id == token_id, or_(last.is_(None), last < use.last_used_at))
                    .values(last_used_at=use.last_used_at)
                )

    def _read(self, token_id: UUID) -> tuple[ApiToken, str]:
        with self._database.session() as session:
            row = session.get(ApiTokenRow, token_id)
            if row is None:
                raise _absent(token_id)
            return _token(session, row), row.digest

    def _page(self, query: Select[ApiTokenRow], offset: int, limit: int) -> Page[ApiToken]:
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            newest = query.order_by(ApiTokenRow.created_at.desc(), ApiTokenRow.id.desc())
            rows = session.scalars(newest.offset(offset).limit(limit)).all()
            items = tuple(_token(session, row) for row in rows)
            return Page(items, total or 0, offset, limit)


def _added(
    session: Session, new: NewToken, digest: str, rotated_from: UUID | None = None
) -> ApiTokenRow:
    now = database_now(session)
    row = ApiTokenRow(
        id=new_id(),
        user=new.user,
        course_id=new.course_id,
        name=new.name,
        digest=digest,
        role=new.role,
        access=new.access,
        created_at=now,
        expires_at=now + new.lifetime,
        last_used_at=None,
        uses=0,
        revoked_at=None,
        rotated_from=rotated_from,
    )
    session.add(row)
    session.flush()
    return row


def _check_room(session: Session, user: str) -> None:
    good = select(func.count()).where(
        ApiTokenRow.user == user,
        ApiTokenRow.revoked_at.is_(None),
        ApiTokenRow.expires_at > database_now(session),
    )
    if (session.scalar(good) or 0) >= MAX_ACTIVE:
        msg = f"{user!r} has {MAX_ACTIVE} tokens that are good. Revoke one first."
        raise ConflictError(msg, field="token")


def _locked(session: Session, token_id: UUID) -> ApiTokenRow:
    row = session.get(ApiTokenRow, token_id, with_for_update=True)
    if row is None:
        raise _absent(token_id)
    return row


def _absent(token_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no token {str(token_id)!r}.", field="token")


def _token(session: Session, row: ApiTokenRow) -> ApiToken:
    course = session.get_one(CourseRow, row.course_id)
    return ApiToken(
        id=row.id,
        user=row.user,
        name=row.name,
        course_id=row.course_id,
        course=course.name,
        role=row.role,
        access=row.access,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        uses=row.uses,
        revoked_at=row.revoked_at,
        rotated_from=row.rotated_from,
    )
