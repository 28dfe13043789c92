"""Who may make which token, and what it is good for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.api_tokens import TokenAccess, TokenUse
from jupyter_ppo.domain.courses import Course, Role
from jupyter_ppo.domain.errors import (
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.api_tokens import ApiTokenService
from jupyter_ppo.storage.api_tokens import ApiTokens
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.rosters import Rosters

ADA, INES, SAM = Caller("ada", admin=True), Caller("ines"), Caller("sam")


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FailingOnce(ApiTokens):
    """A store that cannot write uses the first time."""

    failed = False

    def used(self, uses: Mapping[UUID, TokenUse]) -> None:
        if not self.failed:
            self.failed = True
            msg = "The database does not answer."
            raise UnavailableError(msg)
        super().used(uses)


class World:
    def __init__(self, folder: Path) -> None:
        self.database = open_database(sqlite_url(folder / "ppo.sqlite"))
        self.courses = Courses(self.database)
        self.course = self.courses.create_course("ppo", "PPO")
        self.other = self.courses.create_course("other", "Other")
        self.courses.enrol(self.course.id, "ines", Role.INSTRUCTOR)
        self.courses.enrol(self.course.id, "sam", Role.STUDENT)
        self.courses.enrol(self.other.id, "ines", Role.INSTRUCTOR)
        self.tokens = self.service(ApiTokens(self.database))

    def service(self, store: ApiTokens, seconds: float = 0.0) -> ApiTokenService:
        return ApiTokenService(
            courses=self.courses,
            tokens=store,
            clock=Now(),
            audit=Audit(self.database),
            is_admin=lambda user: user == "ada",
            seconds=seconds,
        )

    def role_of(self, secret: str, course: Course | None = None) -> Role | None:
        caller, _ = self.tokens.sign_in(secret)
        return Access(self.courses).role(caller, course or self.course)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def test_a_token_has_its_role_in_its_course_alone_and_is_no_admin(world: World) -> None:
    made = world.tokens.create(INES, "ppo", "grades", role=Role.GRADER)
    assert world.role_of(made.secret) is Role.GRADER
    assert world.role_of(made.secret, world.other) is None
    caller, token = world.tokens.sign_in(made.secret)
    assert (caller.user, caller.admin, caller.token) == ("ines", False, made.token.id)
    assert token.access is TokenAccess.READ
    admins = world.tokens.create(ADA, "ppo", "all", role=Role.INSTRUCTOR)
    assert world.role_of(admins.secret) is Role.INSTRUCTOR


def test_a_token_may_do_no_more_than_its_owner_may_now(world: World) -> None:
    made = world.tokens.create(INES, "ppo", "grades", role=Role.INSTRUCTOR)
    world.courses.enrol(world.course.id, "ines", Role.STUDENT)
    assert world.role_of(made.secret) is Role.STUDENT
    world.courses.enrol(world.course.id, "ines", Role.INSTRUCTOR)
    world.courses.enrol(world.course.id, "two", Role.INSTRUCTOR)
    Rosters(world.database).remove_member(world.course.id, "ines")
    assert world.role_of(made.secret) is None


def test_nobody_makes_a_token_with_more_than_they_have(world: World) -> None:
    with pytest.raises(ForbiddenError, match="role: "):
        world.tokens.create(SAM, "ppo", "more", role=Role.GRADER)
    with pytest.raises(NotFoundError):
        world.tokens.create(SAM, "other", "more")
    with pytest.raises(ForbiddenError, match="user: "):
        world.tokens.create(INES, "ppo", "of another", user="sam")


def test_a_request_with_less_rights_than_its_sender_makes_no_token_with_more(world: World) -> None:
    weak = replace(INES, grants={world.course.id: Role.STUDENT})
    with pytest.raises(ForbiddenError, match="role: "):
        world.tokens.create(weak, "ppo", "more", role=Role.INSTRUCTOR)
    strong = world.tokens.create(INES, "ppo", "strong", role=Role.INSTRUCTOR)
    with pytest.raises(ForbiddenError, match="role: "):
        world.tokens.rotate(weak, strong.token.id)
    assert world.tokens.create(weak, "ppo", "fine").token.role is Role.STUDENT


def test_an_admin_makes_a_token_for_a_person_of_the_course_up_to_their_role(world: World) -> None:
    made = world.tokens.create(ADA, "ppo", "for sam", user="sam")
    assert (made.token.user, world.role_of(made.secret)) == ("sam", Role.STUDENT)
    with pytest.raises(ForbiddenError):
        world.tokens.create(ADA, "ppo", "more", user="sam", role=Role.INSTRUCTOR)
    with pytest.raises(ForbiddenError, match="Enrol"):
        world.tokens.create(ADA, "ppo", "for nobody", user="noa")


def test_what_is_no_good_token_is_refused_in_the_same_words(world: World) -> None:
    made = world.tokens.create(SAM, "ppo", "ci")
    good = made.secret
    wrong = good[:-1] + ("a" if good[-1] != "a" else "b")
    unknown = good.replace(made.token.id.hex, new_id().hex)
    world.tokens.sign_in(good)
    said = set()
    for text in ("", "ppo_", wrong, unknown, good + "x"):
        with pytest.raises(UnauthorizedError) as caught:
            world.tokens.sign_in(text)
        said.add(caught.value.message)
    world.tokens.revoke(SAM, made.token.id)
    with pytest.raises(UnauthorizedError) as caught:
        world.tokens.sign_in(good)
    assert said == {caught.value.message}


def test_both_tokens_of_a_rotation_are_good_until_the_overlap_ends(world: World) -> None:
    old = world.tokens.create(INES, "ppo", "ci", role=Role.GRADER)
    new = world.tokens.rotate(INES, old.token.id)
    assert {world.role_of(old.secret), world.role_of(new.secret)} == {Role.GRADER}
    last = world.tokens.rotate(INES, new.token.id, 0)
    with pytest.raises(UnauthorizedError):
        world.tokens.sign_in(new.secret)
    assert world.role_of(last.secret) is Role.GRADER


def test_nobody_sees_or_ends_tokens_of_others_but_instructors_in_their_course(world: World) -> None:
    sams = world.tokens.create(SAM, "ppo", "ci").token
    elsewhere = world.tokens.create(INES, "other", "ci").token
    for refused in (world.tokens.rotate, world.tokens.revoke):
        with pytest.raises(NotFoundError):
            refused(INES, sams.id)
    assert world.tokens.mine(SAM, offset=0, limit=9).items == (sams,)
    assert world.tokens.of_course(INES, "ppo", offset=0, limit=9).items == (sams,)
    with pytest.raises(ForbiddenError):
        world.tokens.of_course(SAM, "ppo", offset=0, limit=9)
    with pytest.raises(NotFoundError):
        world.tokens.revoke_in_course(INES, "ppo", elsewhere.id)
    assert world.tokens.revoke_in_course(INES, "ppo", sams.id).revoked_at is not None


def test_a_token_makes_lists_and_ends_no_tokens(world: World) -> None:
    made = world.tokens.create(INES, "ppo", "ci", role=Role.INSTRUCTOR, access=TokenAccess.WRITE)
    caller, _ = world.tokens.sign_in(made.secret)
    with pytest.raises(ForbiddenError):
        world.tokens.create(caller, "ppo", "another")
    with pytest.raises(ForbiddenError):
        world.tokens.mine(caller, offset=0, limit=9)
    for refused in (world.tokens.rotate, world.tokens.revoke):
        with pytest.raises(ForbiddenError):
            refused(caller, made.token.id)
    with pytest.raises(ForbiddenError):
        world.tokens.of_course(caller, "ppo", offset=0, limit=9)
    with pytest.raises(ForbiddenError):
        world.tokens.revoke_in_course(caller, "ppo", made.token.id)


def test_uses_are_counted_and_written_when_it_is_time_or_somebody_looks(world: World) -> None:
    tokens = world.service(ApiTokens(world.database), seconds=3600.0)
    made = tokens.create(SAM, "ppo", "ci")
    for _ in range(3):
        tokens.sign_in(made.secret)
    # The first use is written at once, the others when their hour has come.
    assert ApiTokens(world.database).token(made.token.id).uses == 1
    [shown] = tokens.mine(SAM, offset=0, limit=9).items
    assert shown.uses == 3
    assert shown.last_used_at is not None


def test_a_count_that_cannot_be_written_is_kept_and_refuses_nobody(world: World) -> None:
    store = FailingOnce(world.database)
    tokens = world.service(store)
    made = tokens.create(SAM, "ppo", "ci")
    tokens.sign_in(made.secret)
    assert store.failed
    assert store.token(made.token.id).uses == 0
    tokens.sign_in(made.secret)
    assert store.token(made.token.id).uses == 2


def test_the_audit_log_names_tokens_and_no_secret(world: World) -> None:
    made = world.tokens.create(SAM, "ppo", "ci")
    new = world.tokens.rotate(SAM, made.token.id)
    world.tokens.revoke(SAM, new.token.id)
    world.tokens.revoke(SAM, new.token.id)
    with world.database.session() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT action, subject, detail FROM audit_events ORDER BY id"
        )
        found = [tuple(row) for row in rows]
    assert [each[0] for each in found] == ["token.created", "token.rotated", "token.revoked"]
    assert {each[1] for each in found} == {"ppo/sam"}
    for secret in (made.secret, new.secret):
        assert secret.rpartition("_")[2] not in str(found)
