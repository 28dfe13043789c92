"""API tokens in the database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from jupyter_ppo.domain import api_tokens
from jupyter_ppo.domain.api_tokens import MAX_ACTIVE, ApiToken, NewToken, TokenAccess, TokenUse
from jupyter_ppo.domain.courses import Course, Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.storage.api_tokens import ApiTokens
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.personal_records import PersonalRecords

DAY = timedelta(days=1)


def new(course: Course, user: str = "ada", lifetime: timedelta = DAY) -> NewToken:
    return NewToken(user, "of a script", course.id, Role.GRADER, TokenAccess.WRITE, lifetime)


def ids(tokens: tuple[ApiToken, ...]) -> list[UUID]:
    return [each.id for each in tokens]


def test_a_token_is_kept_with_its_digest_until_it_expires(
    database: Database, course: Course
) -> None:
    store = ApiTokens(database)
    made = store.add(new(course), "d" * 64)
    assert (made.user, made.course, made.role, made.access) == ("ada", "ppo", "grader", "write")
    assert (made.lifetime, made.uses, made.last_used_at) == (DAY, 0, None)
    assert store.good(made.id) == (made, "d" * 64)
    assert store.token(made.id) == made
    ended = store.add(new(course, lifetime=timedelta(seconds=-1)), "e" * 64)
    assert store.good(ended.id) is None
    assert store.good(new_id()) is None


def test_a_revoked_token_is_not_good_and_stays_as_it_was(
    database: Database, course: Course
) -> None:
    store = ApiTokens(database)
    made = store.add(new(course), "d" * 64)
    revoked = store.revoke(made.id)
    assert revoked.revoked_at is not None
    assert store.good(made.id) is None
    assert store.revoke(made.id) == revoked
    with pytest.raises(NotFoundError):
        store.revoke(new_id())


def test_a_rotated_token_is_good_for_the_overlap_and_the_new_one_as_long_as_it_was(
    database: Database, course: Course
) -> None:
    store = ApiTokens(database)
    old = store.add(new(course, lifetime=30 * DAY), "d" * 64)
    made = store.rotate(old.id, "e" * 64, timedelta(hours=2))
    assert (made.rotated_from, made.name, made.role) == (old.id, old.name, old.role)
    assert made.lifetime == 30 * DAY
    left = store.token(old.id).expires_at - made.created_at
    assert timedelta(hours=1.9) < left <= timedelta(hours=2)
    assert store.good(old.id) is not None
    with pytest.raises(ConflictError, match="rotated already"):
        store.rotate(old.id, "f" * 64, DAY)
    again = store.rotate(made.id, "f" * 64, timedelta(0))
    assert store.good(made.id) is None
    store.revoke(again.id)
    with pytest.raises(ConflictError, match="not good any more"):
        store.rotate(again.id, "0" * 64, DAY)


def test_an_overlap_never_makes_a_token_good_for_longer(database: Database, course: Course) -> None:
    store = ApiTokens(database)
    old = store.add(new(course, lifetime=timedelta(hours=1)), "d" * 64)
    store.rotate(old.id, "e" * 64, DAY)
    assert store.token(old.id).expires_at == old.expires_at


def test_lists_have_the_newest_first_in_pages(database: Database, course: Course) -> None:
    store = ApiTokens(database)
    made = [store.add(new(course), "d" * 64) for _ in range(3)]
    other = store.add(new(course, user="ben"), "d" * 64)
    page = store.of_user("ada", offset=1, limit=1)
    assert (ids(page.items), page.total) == ([made[1].id], 3)
    every = store.of_course(course.id, offset=0, limit=10)
    assert ids(every.items) == [other.id, made[2].id, made[1].id, made[0].id]
    assert store.of_course(new_id(), offset=0, limit=10).total == 0


def test_uses_add_up_and_the_last_one_is_never_an_earlier_one(
    database: Database, course: Course
) -> None:
    store = ApiTokens(database)
    made = store.add(new(course), "d" * 64)
    later = made.created_at + DAY
    store.used({made.id: TokenUse(3, later), new_id(): TokenUse(1, later)})
    store.used({made.id: TokenUse(2, made.created_at)})
    found = store.token(made.id)
    assert (found.uses, found.last_used_at) == (5, later)


def test_a_person_has_so_many_good_tokens_and_no_more(database: Database, course: Course) -> None:
    store = ApiTokens(database)
    made = [store.add(new(course), "d" * 64) for _ in range(MAX_ACTIVE)]
    with pytest.raises(ConflictError, match="Revoke one"):
        store.add(new(course), "d" * 64)
    store.add(new(course, user="ben"), "d" * 64)
    store.revoke(made[0].id)
    store.add(new(course), "d" * 64)


def test_an_export_has_tokens_without_secrets_and_an_erasure_ends_them(
    database: Database, course: Course, tmp_path: Path
) -> None:
    store = ApiTokens(database)
    digest = api_tokens.digest(api_tokens.new_secret())
    old = store.add(new(course), digest)
    made = store.rotate(old.id, digest, DAY)
    kept = store.add(new(course, user="ben"), digest)
    exported = PersonalRecords(database).account("ada")["api_tokens"]
    assert [each["id"] for each in exported] == [str(old.id), str(made.id)]
    assert digest not in str(exported)
    Erasures(database, FileBlobs(tmp_path / "blobs")).erase("ada", "root")
    assert store.good(old.id) is None
    assert store.of_course(course.id, offset=0, limit=10).items == (kept,)
