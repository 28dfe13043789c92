"""Who is in a course and its groups, in a real database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment, Course, Role
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.domain.roster import Member, Person, PersonChange, RosterImport, RosterRow
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.tables import ExtensionRow, SubmissionRow, TermsRow
from jupyter_ppo.storage.term_rows import terms_values
from jupyter_ppo.storage.trash import Trash


@pytest.fixture
def rosters(database: Database) -> Rosters:
    return Rosters(database)


def put(
    rosters: Rosters,
    course: Course,
    user: str,
    role: Role = Role.STUDENT,
    groups: list[str] | None = None,
    **details: str,
) -> Member:
    return rosters.put_member(course.id, user, role, PersonChange(**details), groups, by="ines")


def users(rosters: Rosters, course: Course, **query: object) -> list[str]:
    page = rosters.members(course.id, offset=0, limit=200, **query)  # type: ignore[arg-type]
    assert page.total == len(page.items)
    return [member.user for member in page.items]


def row(user: str, line: int = 2, role: Role | None = None, *groups: str) -> RosterRow:
    return RosterRow(line, user, role, Person(), groups)


def test_what_is_not_said_of_a_person_is_kept(rosters: Rosters, course: Course) -> None:
    put(rosters, course, "ada", groups=["lab"], first_name="Ada", email="a@b.c")
    member = put(rosters, course, "ada", Role.GRADER, last_name="Lovelace", email="")
    assert member == rosters.member(course.id, "ada")
    assert (member.role, member.groups) == (Role.GRADER, ("lab",))
    assert member.person == Person("Ada", "Lovelace", "", "")
    assert member.enrolled_at is not None


def test_enrolling_by_another_way_keeps_what_is_known(
    rosters: Rosters, courses: CourseStore, course: Course
) -> None:
    before = put(rosters, course, "ada", groups=["lab"], first_name="Ada")
    courses.enrol(course.id, "ada", Role.STUDENT)
    assert rosters.member(course.id, "ada") == before


def test_people_are_found_by_every_name_group_and_role(rosters: Rosters, course: Course) -> None:
    put(rosters, course, "ada", groups=["lab"], first_name="Ada", last_name="Lovelace")
    put(rosters, course, "bob", Role.GRADER, email="Bob@uni.edu", lms_user_id="77")
    put(rosters, course, "zoé", groups=["lab", "late"], first_name="Zoé", last_name="100%")
    assert users(rosters, course) == ["ada", "bob", "zoé"]
    for search, found in {
        "LOVE": ["ada"],
        "ada love": ["ada"],
        "bob@UNI": ["bob"],
        "77": ["bob"],
        "Zoé": ["zoé"],
        "0%": ["zoé"],
        "%": ["zoé"],
        "_": [],
        " ada ": ["ada"],
        "nobody": [],
    }.items():
        assert users(rosters, course, search=search) == found, search
    assert users(rosters, course, group="lab") == ["ada", "zoé"]
    assert users(rosters, course, group="none") == []
    assert users(rosters, course, role=Role.GRADER) == ["bob"]
    page = rosters.members(course.id, offset=1, limit=1)
    assert ([each.user for each in page.items], page.total) == (["bob"], 3)
    assert page.items[0].person == Person("", "", "Bob@uni.edu", "77")


def test_who_is_removed_is_gone_and_comes_back_with_their_groups(
    rosters: Rosters, courses: CourseStore, course: Course
) -> None:
    put(rosters, course, "ada", groups=["lab"], first_name="Ada")
    put(rosters, course, "bob", groups=["lab"])
    removed = rosters.remove_member(course.id, "ada")
    assert removed.removed_at is not None
    assert courses.membership(course.id, "ada") is None
    assert courses.courses("ada", offset=0, limit=9).total == 0
    assert users(rosters, course) == ["bob"]
    assert users(rosters, course, is_removed=True) == ["ada"]
    assert rosters.groups(course.id, offset=0, limit=9).items[0].users == ("bob",)
    with pytest.raises(NotFoundError, match="'ada' is not in this course"):
        rosters.remove_member(course.id, "ada")
    rosters.put_group(course.id, "lab", [], by="ines")
    courses.enrol(course.id, "ada", Role.STUDENT)
    back = rosters.member(course.id, "ada")
    assert (back.groups, back.person.first_name, back.removed_at) == (("lab",), "Ada", None)
    assert back.enrolled_at == removed.enrolled_at


def test_the_last_instructor_stays(rosters: Rosters, course: Course) -> None:
    put(rosters, course, "ines", Role.INSTRUCTOR)
    for change in (
        lambda: put(rosters, course, "ines", Role.GRADER),
        lambda: rosters.remove_member(course.id, "ines"),
    ):
        with pytest.raises(ConflictError, match="last instructor"):
            change()
    made = rosters.import_rows(course.id, [row("ines", 7, Role.STUDENT)], by="root", is_dry=False)
    assert [(each.line, each.field) for each in made.problems] == [(7, "role")]
    assert not made.is_applied
    put(rosters, course, "ivo", Role.INSTRUCTOR)
    assert put(rosters, course, "ines", Role.GRADER).role is Role.GRADER
    with pytest.raises(ConflictError, match="last instructor"):
        rosters.remove_member(course.id, "ivo")


def test_a_group_is_exactly_who_was_named(rosters: Rosters, course: Course) -> None:
    for user in ("ada", "bob", "cy"):
        put(rosters, course, user)
    assert rosters.put_group(course.id, "lab", ["bob", "ada", "ada"], by="i").users == (
        "ada",
        "bob",
    )
    assert rosters.put_group(course.id, "lab", ["bob", "cy"], by="i").users == ("bob", "cy")
    assert rosters.member(course.id, "ada").groups == ()
    with pytest.raises(InvalidInputError, match="'eve' is not in this course"):
        rosters.put_group(course.id, "lab", ["eve"], by="i")
    [group] = rosters.groups(course.id, offset=0, limit=9).items
    assert group.users == ("bob", "cy")
    assert rosters.delete_group(course.id, "lab", by="ines") == group
    assert rosters.groups(course.id, offset=0, limit=9).total == 0
    with pytest.raises(NotFoundError, match="no group 'lab'"):
        rosters.delete_group(course.id, "lab", by="ines")


def test_one_course_knows_nothing_of_the_people_and_groups_of_another(
    rosters: Rosters, courses: CourseStore, course: Course
) -> None:
    other = courses.create_course("dqn", "Another")
    put(rosters, other, "ada", groups=["lab"])
    put(rosters, course, "ada", groups=["own"])
    assert rosters.member(course.id, "ada").groups == ("own",)
    assert users(rosters, course, group="lab") == []
    with pytest.raises(NotFoundError):
        rosters.delete_group(course.id, "lab", by="ines")
    rosters.remove_member(course.id, "ada")
    assert rosters.member(other.id, "ada").removed_at is None


def test_nobody_is_put_into_a_course_that_is_not_there(rosters: Rosters) -> None:
    for change in (
        lambda: rosters.put_member(new_id(), "ada", Role.STUDENT, PersonChange(), None, by="i"),
        lambda: rosters.import_rows(new_id(), [row("ada")], by="i", is_dry=False),
        lambda: rosters.put_group(new_id(), "lab", [], by="i"),
    ):
        with pytest.raises(NotFoundError, match="no such course"):
            change()


# -- lists of people -----------------------------------------------------------------------------


def counts(made: RosterImport) -> tuple[int, int, int, bool]:
    return made.added, made.changed, made.unchanged, made.is_applied


def test_a_list_adds_changes_and_leaves(rosters: Rosters, course: Course) -> None:
    put(rosters, course, "ada", Role.GRADER, first_name="Ada", email="old@uni.edu")
    put(rosters, course, "bob", groups=["lab"])
    put(rosters, course, "cy", Role.GRADER)
    rosters.remove_member(course.id, "cy")
    rows = [
        RosterRow(2, "ada", None, Person(email="new@uni.edu"), ("lab",)),
        row("bob", 3, Role.STUDENT, "lab"),
        row("cy", 4),
        row("dora", 5, None, "lab", "new"),
    ]
    dry = rosters.import_rows(course.id, rows, by="ines", is_dry=True)
    assert counts(dry) == (1, 2, 1, False)
    assert users(rosters, course) == ["ada", "bob"]
    assert rosters.groups(course.id, offset=0, limit=9).total == 1
    made = rosters.import_rows(course.id, rows, by="ines", is_dry=False)
    assert counts(made) == (1, 2, 1, True)
    ada, cy = rosters.member(course.id, "ada"), rosters.member(course.id, "cy")
    assert (ada.role, ada.groups) == (Role.GRADER, ("lab",))
    assert ada.person == Person("Ada", "", "new@uni.edu")
    assert (cy.role, cy.removed_at) == (Role.STUDENT, None)
    assert rosters.member(course.id, "dora").groups == ("lab", "new")
    again = rosters.import_rows(course.id, rows, by="ines", is_dry=False)
    assert counts(again) == (0, 0, 4, True)


def test_a_list_does_not_take_an_instructors_own_role(rosters: Rosters, course: Course) -> None:
    put(rosters, course, "ines", Role.INSTRUCTOR)
    put(rosters, course, "ivo", Role.INSTRUCTOR)
    rows = [row("ada", 2), row("ines", 3, Role.STUDENT)]
    made = rosters.import_rows(course.id, rows, by="ines", is_dry=False)
    assert [(each.line, each.field) for each in made.problems] == [(3, "role")]
    assert users(rosters, course) == ["ines", "ivo"]


@pytest.mark.only_sqlite("its bound on the values of a statement is what a long list must not meet")
def test_a_hundred_thousand_people_come_in_one_list(rosters: Rosters, course: Course) -> None:
    rows = [
        RosterRow(at, f"s{at:06}", None, Person("Ada", "Lovelace"), (f"g{at % 100}",))
        for at in range(100_000)
    ]
    assert rosters.import_rows(course.id, rows, by="ines", is_dry=False).added == 100_000
    page = rosters.members(course.id, search="S09999", offset=5, limit=2)
    assert ([each.user for each in page.items], page.total) == (["s099995", "s099996"], 10)


# -- what groups are worth -----------------------------------------------------------------------


def extend(database: Database, rosters: Rosters, course: Course, assignment: Assignment) -> UUID:
    """Let everything be late, and give the group "more" ten years."""
    [group] = rosters.groups(course.id, offset=0, limit=9).items
    with database.begin() as session:
        values = terms_values(assignment.terms) | {"due_at": datetime(2026, 1, 1, tzinfo=UTC)}
        session.add(
            TermsRow(
                assignment_id=assignment.id,
                **values,
                updated_at=datetime(2026, 1, 1, tzinfo=UTC),
                updated_by="ines",
            )
        )
        row = ExtensionRow(
            id=new_id(),
            assignment_id=assignment.id,
            group_id=group.id,
            group_name=group.name,
            seconds=10 * 365 * 86_400,
            attempts=0,
            reason="",
            created_by="ines",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        session.add(row)
        return row.id


def late(database: Database, submission_id: UUID) -> bool:
    with database.session() as session:
        return session.get_one(SubmissionRow, submission_id).late_seconds > 0


def test_who_gets_into_a_group_with_an_extension_is_late_no_more(
    database: Database,
    rosters: Rosters,
    submissions: SubmissionStore,
    course: Course,
    assignment: Assignment,
) -> None:
    put(rosters, course, "ada")
    rosters.put_group(course.id, "more", [], by="ines")
    extension = extend(database, rosters, course, assignment)
    made = submissions.submit(assignment, "ada", "a" * 64, []).id
    put(rosters, course, "ada", groups=[])
    for change, is_late in (
        (lambda: rosters.put_group(course.id, "more", ["ada"], by="ines"), False),
        (lambda: rosters.put_group(course.id, "more", [], by="ines"), True),
        (lambda: put(rosters, course, "ada", groups=["more"]), False),
        (lambda: put(rosters, course, "ada", groups=[]), True),
        (
            lambda: rosters.import_rows(
                course.id, [row("ada", 2, None, "more")], by="ines", is_dry=False
            ),
            False,
        ),
    ):
        change()
        assert late(database, made) is is_late
    with pytest.raises(ConflictError, match="has an extension"):
        rosters.delete_group(course.id, "more", by="ines")
    with database.begin() as session:
        session.get_one(ExtensionRow, extension).revoked_at = datetime(2026, 2, 1, tzinfo=UTC)
    rosters.delete_group(course.id, "more", by="ines")
    with database.session() as session:
        kept = session.get_one(ExtensionRow, extension)
        assert (kept.group_id, kept.group_name) == (None, "more")


def test_a_group_is_deleted_with_its_extensions_of_assignments_in_the_trash(
    database: Database,
    rosters: Rosters,
    submissions: SubmissionStore,
    course: Course,
    assignment: Assignment,
) -> None:
    put(rosters, course, "ada", groups=["more"])
    extension = extend(database, rosters, course, assignment)
    made = submissions.submit(assignment, "ada", "a" * 64, []).id
    assert not late(database, made)
    trash = Trash(database)
    item = trash.delete_assignment(course.id, assignment.name, "ines")
    rosters.delete_group(course.id, "more", by="ines")
    trash.restore(course.id, item.id, "ines")
    with database.session() as session:
        kept = session.get_one(ExtensionRow, extension)
        assert kept.group_name == "more"
        assert kept.revoked_at is not None
    assert late(database, made)
