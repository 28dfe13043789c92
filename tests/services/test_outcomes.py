"""Outcomes: who writes, approves and releases them, and who wrote what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from jupyter_ppo.autograde.entry_document import definition_of
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.entries import AuthorKind, EntryContent, OutcomeChange, OutcomeState
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
)
from jupyter_ppo.services.entries import EntryService
from jupyter_ppo.services.outcome_view import OutcomeView, ResultInput
from jupyter_ppo.services.outcomes import OutcomeService
from jupyter_ppo.storage.outcomes import Outcomes

World = Any
APPROVE, RELEASE = OutcomeChange.APPROVE, OutcomeChange.RELEASE
WITHDRAW, REOPEN = OutcomeChange.WITHDRAW, OutcomeChange.REOPEN
LEVELS = [{"name": "weak", "points": 0}, {"name": "sound", "points": 4}]
DEFINITION = definition_of(
    {
        "title": "Report",
        "rubric": [
            {"name": "method", "title": "Method", "levels": LEVELS, "note": "be strict"},
            {"name": "writing", "title": "Writing", "levels": LEVELS},
        ],
    }
)
GOOD = [ResultInput("method", "sound"), ResultInput("writing", "sound", 2.5, "a *bit* long")]


@dataclass
class Desk:
    """An entry that sam handed in, and those who look at it."""

    service: OutcomeService
    entries: EntryService
    world: World
    submission: UUID
    ines: Caller
    gil: Caller
    sam: Caller
    sue: Caller

    def write(self, revision: int, results: Any = GOOD, **words: str) -> OutcomeView:
        return self.service.write(self.gil, self.submission, results, revision=revision, **words)

    def change(self, change: OutcomeChange, revision: int) -> OutcomeView:
        return self.service.change(self.gil, self.submission, change, revision=revision)

    def revisions(self) -> list[Any]:
        page = self.service.revisions(self.gil, self.submission, offset=0, limit=50)
        return [view.outcome for view in reversed(page.items)]


@pytest.fixture
def desk(course: World, clock: Any) -> Desk:
    parts = {"courses": course.courses, "submissions": course.submissions}
    parts |= {"blobs": course.blobs, "clock": clock, "audit": course.audit}
    entries = EntryService(**parts)
    service = OutcomeService(outcomes=Outcomes(course.database), **parts)
    people = [
        course.member(user, role)
        for user, role in (
            ("ines", Role.INSTRUCTOR),
            ("gil", Role.GRADER),
            ("sam", Role.STUDENT),
            ("sue", Role.STUDENT),
        )
    ]
    entries.define(people[0], "rl", "report", DEFINITION)
    made = entries.submit(people[2], "rl", "report", EntryContent(text="x"))
    return Desk(service, entries, course, made.id, *people)


def test_an_outcome_goes_from_nothing_to_its_student(desk: Desk) -> None:
    empty = desk.service.outcome(desk.gil, desk.submission).data()
    assert (empty["revision"], empty["state"], empty["results"]) == (0, "draft", [])
    written = desk.write(0, summary="**good**", private_note="between us")
    assert written.outcome is not None
    assert [each.points for each in written.outcome.results] == [4.0, 2.5]
    approved = desk.change(APPROVE, 1).outcome
    assert approved is not None
    assert (approved.state, approved.approved_by) == (OutcomeState.APPROVED, "gil")
    with pytest.raises(NotFoundError, match="not released yet"):
        desk.service.outcome(desk.sam, desk.submission)
    desk.change(RELEASE, 2)
    seen = desk.service.outcome(desk.sam, desk.submission).data()
    assert (seen["points"], seen["max_points"], seen["state"]) == (6.5, 8.0, "released")
    assert "<strong>good</strong>" in seen["summary_html"]
    assert "<em>bit</em>" in seen["results"][1]["comment_html"]
    assert seen["author_kind"] == "person"
    private = ("private_note", "author", "changed_by", "approved_by")
    assert [seen[name] for name in private] == [None] * 4
    assert "between us" not in str(seen)
    events = desk.world.audit.events(subject=str(desk.submission), offset=0, limit=10).items
    assert [event.action for event in reversed(events)] == [
        "submission.received",
        "outcome.written",
        "outcome.approve",
        "outcome.release",
    ]


def test_an_approved_outcome_makes_grade_and_page(desk: Desk) -> None:
    desk.write(0, private_note="between us")
    desk.change(APPROVE, 1)
    grade = desk.world.submissions.grade(desk.submission)
    assert [(e.grade_id, e.points, e.max_points, e.reason) for e in grade.exercises] == [
        ("method", 4.0, 4.0, "sound"),
        ("writing", 2.5, 4.0, "sound: a *bit* long"),
    ]
    page = desk.world.blobs.get(grade.feedback_digest).decode()
    assert "6.5 <small>of 8 points" in page
    assert "between us" not in page
    assert "be strict" not in page


def test_an_approved_outcome_that_is_edited_stays_approved_with_new_points(desk: Desk) -> None:
    desk.write(0)
    desk.change(APPROVE, 1)
    edited = desk.service.write(
        desk.ines, desk.submission, [ResultInput("method", "weak"), GOOD[1]], revision=2
    ).outcome
    assert edited is not None
    assert (edited.state, edited.points, edited.approved_by) == (
        OutcomeState.APPROVED,
        2.5,
        "ines",
    )
    assert desk.world.submissions.submission(desk.submission).points == 2.5
    with pytest.raises(InvalidInputError, match="no level is chosen for writing"):
        desk.write(3, [ResultInput("method", "weak")])


def test_a_released_outcome_is_withdrawn_before_it_is_edited(desk: Desk) -> None:
    desk.write(0)
    desk.change(APPROVE, 1)
    desk.change(RELEASE, 2)
    with pytest.raises(ConflictError, match="Withdraw it first"):
        desk.write(3)
    desk.change(WITHDRAW, 3)
    with pytest.raises(NotFoundError):
        desk.service.outcome(desk.sam, desk.submission)
    desk.write(4, [ResultInput("method", "weak"), ResultInput("writing", "weak")])
    desk.change(REOPEN, 5)
    assert desk.world.submissions.grade(desk.submission) is None
    assert [(each.revision, each.state.value) for each in desk.revisions()] == [
        (1, "draft"),
        (2, "approved"),
        (3, "released"),
        (4, "approved"),
        (5, "approved"),
        (6, "draft"),
    ]


def test_only_a_complete_outcome_is_approved(desk: Desk) -> None:
    with pytest.raises(ConflictError, match="Write an outcome first"):
        desk.change(APPROVE, 0)
    desk.write(0, [ResultInput("method", "weak")])
    with pytest.raises(InvalidInputError, match="no level is chosen for writing"):
        desk.change(APPROVE, 1)
    with pytest.raises(ConflictError, match="an outcome that is draft"):
        desk.change(RELEASE, 1)


def test_who_saves_over_another_revision_gets_both(desk: Desk) -> None:
    desk.write(0, summary="mine")
    with pytest.raises(EditConflictError) as caught:
        desk.service.write(desk.ines, desk.submission, GOOD[:1], summary="yours", revision=0)
    yours, theirs = caught.value.yours, caught.value.theirs
    assert (yours["summary"], yours["revision"], yours["author"]) == ("yours", 0, "ines")
    assert (theirs["summary"], theirs["revision"], theirs["author"]) == ("mine", 1, "gil")
    with pytest.raises(EditConflictError):
        desk.change(APPROVE, 0)
    assert len(desk.revisions()) == 1


def test_graders_write_and_students_do_not(desk: Desk) -> None:
    calls = [
        lambda person: desk.service.write(person, desk.submission, GOOD, revision=0),
        lambda person: desk.service.change(person, desk.submission, APPROVE, revision=0),
        lambda person: desk.service.revisions(person, desk.submission, offset=0, limit=1),
    ]
    for call in calls:
        with pytest.raises(ForbiddenError):
            call(desk.sam)
        for person in (desk.sue, Caller("oto")):
            with pytest.raises(NotFoundError, match="There is no such submission"):
                call(person)
    with pytest.raises(NotFoundError, match="There is no such submission"):
        desk.service.outcome(desk.gil, uuid4())
    with pytest.raises(ForbiddenError):
        desk.service.release_approved(desk.gil, "rl", "report")
    with pytest.raises(ConflictError, match="a notebook assignment"):
        desk.service.release_approved(desk.ines, "rl", "ps1")


def test_a_notebook_has_no_outcome(desk: Desk) -> None:
    made = desk.world.assessment.submit(desk.sam, "rl", "ps1", b'{"answer": 42}')
    with pytest.raises(ConflictError, match="a notebook assignment"):
        desk.service.write(desk.gil, made.id, GOOD, revision=0)


def test_what_cannot_be_kept_is_named(desk: Desk) -> None:
    for result, words, error, field in (
        (ResultInput("style", "weak"), {}, InvalidInputError, "results"),
        (ResultInput("method", "so so"), {}, InvalidInputError, "results"),
        (ResultInput("method", "sound", 4.5), {}, InvalidInputError, "results"),
        (ResultInput("method", "sound", float("nan")), {}, InvalidInputError, "results"),
        (_said("x" * 20_001), {}, TooLargeError, "results[0].comment"),
        (_said("a\0"), {}, InvalidInputError, "results[0].comment"),
        (GOOD[0], {"summary": "x" * 20_001}, TooLargeError, "summary"),
        (GOOD[0], {"private_note": "\ud800"}, InvalidInputError, "private_note"),
    ):
        with pytest.raises(error) as caught:
            desk.write(0, [result], **words)
        assert caught.value.field == field
    assert desk.revisions() == []


def _said(comment: str) -> ResultInput:
    return ResultInput("method", "weak", None, comment)


# -- who wrote it --------------------------------------------------------------------------------


def draft(desk: Desk, *levels: str, program: str = "grader-bot 1.2") -> Any:
    results = [
        ResultInput(name, level) for name, level in zip(("method", "writing"), levels, strict=False)
    ]
    return desk.service.draft(program, desk.submission, results, summary="as drafted")


def test_a_program_drafts_and_a_person_approves_its_words(desk: Desk) -> None:
    drafted = draft(desk, "weak")
    assert (drafted.author_kind, drafted.author) == (AuthorKind.PROGRAM, "grader-bot 1.2")
    assert (drafted.state, drafted.changed_by) == (OutcomeState.DRAFT, None)
    draft(desk, "sound", "sound", program="grader-bot 1.3")  # over its own draft it may
    approved = desk.change(APPROVE, 2).outcome
    assert approved is not None
    assert (approved.author_kind, approved.author) == (AuthorKind.PROGRAM, "grader-bot 1.3")
    assert (approved.approved_by, approved.changed_by) == ("gil", "gil")
    digest = desk.world.submissions.grade(desk.submission).feedback_digest
    assert b"A program drafted this" in desk.world.blobs.get(digest)


def test_who_edits_a_draft_is_the_author_and_the_draft_stays(desk: Desk) -> None:
    draft(desk, "weak", "weak")
    desk.write(1)
    first, second = desk.revisions()
    assert (first.author_kind, first.summary, first.points) == (
        AuthorKind.PROGRAM,
        "as drafted",
        0.0,
    )
    assert (second.author_kind, second.author) == (AuthorKind.PERSON, "gil")


def test_a_program_never_writes_over_a_person(desk: Desk) -> None:
    desk.write(0)
    with pytest.raises(ConflictError, match="a person has worked on it"):
        draft(desk, "weak")
    assert len(desk.revisions()) == 1


def test_a_program_does_not_write_over_what_a_person_approved_or_reopened(desk: Desk) -> None:
    draft(desk, "sound", "sound")
    for change, revision in ((APPROVE, 1), (REOPEN, 2)):
        desk.change(change, revision)
        with pytest.raises(ConflictError, match="a person has worked on it"):
            draft(desk, "weak")


def test_a_program_has_a_name(desk: Desk) -> None:
    for program in ("", "a\n", "x" * 256):
        with pytest.raises(InvalidInputError, match="program"):
            draft(desk, "weak", program=program)


def test_all_that_is_approved_is_released_at_once(desk: Desk) -> None:
    desk.write(0)
    assert desk.service.release_approved(desk.ines, "rl", "report") == 0
    desk.change(APPROVE, 1)
    assert desk.service.release_approved(desk.ines, "rl", "report") == 1
    assert desk.service.outcome(desk.sam, desk.submission).data()["state"] == "released"
