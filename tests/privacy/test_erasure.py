"""Erasing a person: nothing of them is left, and everybody else has what they had."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.batches import BatchScope
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.execution import ExecutionQuota, ExecutionRequest
from jupyter_ppo.domain.gradebook import GradebookQuery
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.privacy import Erasure, is_stand_in
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.domain.trials import TrialKind
from jupyter_ppo.services.access import Access
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.awards import evaluate
from jupyter_ppo.storage.batch_scope import chosen
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.executions import Executions
from jupyter_ppo.storage.gradebooks import Gradebooks
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import (
    AwardRow,
    ErasureRow,
    GradeChangeRow,
    GradeRow,
    JobRow,
    MarkRow,
    MembershipRow,
    OutcomeRow,
    ProgressEventRow,
    StandingRow,
    SubmissionRow,
    TrainingRunRow,
)
from jupyter_ppo.storage.trials import Trials
from jupyter_ppo.storage.verify import verify

SOON = timedelta(minutes=1)


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def erasures(known: Any) -> Erasures:
    """Erases as the service does, a while after the files were written."""
    return Erasures(known.database, known.blobs, grace=-SOON)


@pytest.fixture
def erase(known: Any, erasures: Erasures) -> Callable[[], Erasure]:
    return lambda: erasures.erase(known.user, "ada")


def rows(known: Any, table: type, **which: Any) -> list[Any]:
    with known.database.session() as session:
        return list(session.scalars(select(table).filter_by(**which)))


def remove_files(erasures: Erasures) -> None:
    for left in erasures.leftovers():
        erasures.done(left.erasure_id, erasures.remove_blobs(left.blobs), left.runs)


def test_nothing_of_an_erased_person_is_left_in_any_table(known: Any, erase: Any) -> None:
    before = known.everything()
    assert known.user in before
    assert before.count(known.secret) > 30
    assert is_stand_in(erase().stand_in)
    after = known.everything()
    at = after.casefold().find(known.secret.casefold())
    assert at == -1, after[max(0, at - 300) : at + 60]
    assert known.user not in after
    assert known.draft not in after


def test_nothing_is_left_in_the_file_of_the_database(
    known: Any, erase: Any, tmp_path: Path
) -> None:
    def held() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("course.sqlite*"))

    assert known.secret.encode() in held()
    erase()
    assert known.secret.encode() not in held()
    assert known.user.encode() not in held()


def test_points_stay_under_the_stand_in(known: Any, erase: Any) -> None:
    before = [row.points for row in rows(known, StandingRow, user=known.user)]
    grade = rows(known, GradeRow, submission_id=known.released)[0].points
    stand_in = erase().stand_in
    assert [row.points for row in rows(known, StandingRow, user=stand_in)] == before
    assert rows(known, GradeRow, submission_id=known.released)[0].points == grade
    mark = rows(known, MarkRow, submission_id=known.released)[0]
    assert (mark.points, mark.comment, mark.marked_by) == (2.0, "", known.grader)
    outcome = rows(known, OutcomeRow, submission_id=known.entry)[0]
    assert outcome.content["results"][0]["points"] == 3.0


def test_what_they_wrote_as_staff_keeps_its_words_without_their_name(
    known: Any, erase: Any
) -> None:
    stand_in = erase().stand_in
    mark = rows(known, MarkRow, submission_id=known.others)[0]
    assert (mark.marked_by, mark.comment) == (stand_in, "Try again")
    changes = rows(known, GradeChangeRow, submission_id=known.others, by=stand_in)
    assert changes[0].after["comment"] == "Try again"
    theirs = rows(known, OutcomeRow, author=stand_in)[0]
    assert theirs.content["summary"] == "I see"
    assert theirs.content["changed_by"] == stand_in


def test_what_others_have_is_as_it_was(known: Any, erase: Any) -> None:
    def others() -> list[Any]:
        found = rows(known, StandingRow, user=known.other)
        return [(row.submission_id, row.points, row.state) for row in found]

    before = others()
    erase()
    assert others() == before
    theirs = rows(known, SubmissionRow, id=known.others)[0]
    assert (theirs.user, theirs.digest) == (known.other, known.shared_blob)


def test_the_audit_log_keeps_what_was_done_under_the_stand_in(known: Any, erase: Any) -> None:
    events = Audit(known.database).events(offset=0, limit=200)
    actions = sorted(event.action for event in events.items)
    erasure = erase()
    after = Audit(known.database).events(offset=0, limit=200).items
    assert sorted(event.action for event in after) == sorted([*actions, "person.erased"])
    about = {event.subject for event in after if event.action == "member.enrolled"}
    assert about == {f"ppo/{erasure.stand_in}", f"ppo/{known.other}"}
    group = next(event for event in after if event.action == "group.changed")
    assert group.detail == {"users": [known.other, erasure.stand_in]}
    said = next(event for event in after if event.action == "person.erased")
    assert (said.user, said.subject) == ("ada", erasure.stand_in)


def test_files_that_only_they_had_are_removed_and_shared_ones_stay(
    known: Any, erasures: Erasures, erase: Any
) -> None:
    erase()
    (left,) = erasures.leftovers()
    assert set(left.blobs) == known.own_blobs | {known.shared_blob}
    assert left.runs == (known.run,)
    remove_files(erasures)
    assert erasures.leftovers() == ()
    there = set(known.blobs.digests())
    assert not known.own_blobs & there
    assert known.blobs.get(known.shared_blob)


def test_a_crash_before_the_files_were_removed_is_made_good_later(
    known: Any, erasures: Erasures, erase: Any
) -> None:
    erasure = erase()
    (left,) = erasures.leftovers()
    gone = erasures.remove_blobs(left.blobs[:2])  # and then the process was killed
    assert gone == set(left.blobs[:2])
    again = Erasures(known.database, known.blobs, grace=-SOON)
    remove_files(again)
    assert again.erasure(erasure.id).waiting == 0
    assert not known.own_blobs & set(known.blobs.digests())
    with pytest.raises(NotFoundError, match="nothing is kept"):
        again.erase(known.user, "ada")


def test_a_file_that_somebody_hands_in_right_now_is_left_for_later(known: Any, erase: Any) -> None:
    erase()
    careful = Erasures(known.database, known.blobs, grace=SOON)
    (left,) = careful.leftovers()
    for digest in left.blobs:
        os.utime(known.blobs.root / digest[:2] / digest[2:], (0, 0))
    same = next(iter(known.own_blobs))
    known.blobs.put(known.blobs.get(same))  # its row is not committed yet
    assert set(left.blobs) - careful.remove_blobs(left.blobs) == {same}
    assert known.blobs.get(same)


def test_a_removal_that_was_killed_in_between_loses_nothing(known: Any, erase: Any) -> None:
    erase()
    shared = known.shared_blob
    path = known.blobs.root / shared[:2] / shared[2:]
    path.rename(path.with_name(f".gone-{shared[2:]}"))
    own = next(iter(known.own_blobs))
    path = known.blobs.root / own[:2] / own[2:]
    path.rename(aside := path.with_name(f".gone-{own[2:]}"))
    remove_files(Erasures(known.database, known.blobs, grace=-SOON))
    assert known.blobs.get(shared)
    assert not aside.exists()


def test_queued_grading_is_cancelled(known: Any, erase: Any) -> None:
    assert rows(known, JobRow, submission_id=known.unreleased)[0].state is JobState.QUEUED
    erase()
    assert rows(known, JobRow, submission_id=known.unreleased)[0].state is JobState.CANCELLED


def test_what_runs_is_named_and_nothing_is_changed(known: Any, erase: Any) -> None:
    trials = Trials(known.database)
    trial = trials.admit(known.course.id, "first", known.user, TrialKind.VALIDATION, "e" * 64)
    executions = Executions(known.database, grace=SOON)
    asked = ExecutionRequest("while True: pass", 60.0, 256)
    execution = executions.admit(known.user, asked, ExecutionQuota())
    with known.database.begin() as session:
        session.execute(update(TrainingRunRow).values(owner="worker"))
    before = known.everything()
    with pytest.raises(ConflictError) as refused:
        erase()
    for each in (trial.id, execution.id, known.run):
        assert str(each) in refused.value.message
    assert known.everything() == before
    with known.database.begin() as session:
        session.execute(update(TrainingRunRow).values(owner=""))
    trials.fail(trial.id, "stopped")
    executions.fail(execution.id, "stopped")
    assert erase()


def test_who_comes_back_is_a_new_person(known: Any, erase: Any) -> None:
    first = erase().stand_in
    courses = Courses(known.database)
    courses.enrol(known.course.id, known.user, Role.STUDENT)
    assert ProgressStates(known.database).read(known.course.id, known.user).works == {}
    with known.database.session() as session:
        assert not session.scalars(
            select(SubmissionRow).where(SubmissionRow.user == known.user)
        ).all()
    second = erase().stand_in
    assert second != first
    assert len(rows(known, ErasureRow)) == 2


def test_nobody_gets_rights_by_signing_in_as_a_stand_in(known: Any, erase: Any) -> None:
    courses = Courses(known.database)
    access = Access(courses)
    student = Caller(erase().stand_in)
    with pytest.raises(NotFoundError):
        access.course(student, "ppo")
    submission = Submissions(known.database, FixedClock()).submission(known.released)
    assert submission.user == student.user
    assert not access.may_see(student, submission)


def test_staff_who_are_erased_are_taken_out_of_their_courses(
    known: Any, erasures: Erasures
) -> None:
    stand_in = erasures.erase(known.grader, "ada").stand_in
    assert rows(known, MembershipRow, user=stand_in)[0].removed_at is not None
    mark = rows(known, MarkRow, submission_id=known.released)[0]
    assert (mark.marked_by, mark.comment) == (stand_in, f"Well done, {known.secret}")


def test_who_erases_themselves_leaves_no_name_either(known: Any, erasures: Erasures) -> None:
    erasure = erasures.erase(known.user, known.user)
    assert erasure.erased_by == erasure.stand_in
    assert known.user not in known.everything()


def test_of_progress_only_what_was_handed_in_and_graded_stays(known: Any, erase: Any) -> None:
    stand_in = erase().stand_in
    kinds = {row.kind for row in rows(known, ProgressEventRow, user=stand_in)}
    assert kinds <= {EventKind.SUBMITTED, EventKind.GRADED, EventKind.WITHDRAWN}
    state = ProgressStates(known.database).read(known.course.id, stand_in)
    for work in state.works.values():
        assert (work.minutes, work.older_minutes, work.opened_at) == ([], {}, None)


def test_settling_and_evaluating_again_bring_nothing_back(known: Any, erase: Any) -> None:
    erase()
    before = known.everything()
    with known.database.begin() as session:
        for assignment_id in session.scalars(select(StandingRow.assignment_id).distinct()).all():
            lock_attempts(session, assignment_id)
            settle(session, assignment_id)
        evaluate(session, known.course.id)
    Recomputing(known.database).recompute(known.course.id)
    assert known.everything() == before
    assert rows(known, AwardRow) == []


def test_the_class_is_whole_and_its_gradebook_counts_the_stand_in(
    known: Any, erasures: Erasures, erase: Any
) -> None:
    stand_in = erase().stand_in
    remove_files(erasures)
    book = Gradebooks(known.database).gradebook(
        known.course.id, GradebookQuery(), offset=0, limit=50
    )
    assert {row.user for row in book.page.items} == {stand_in, known.other}
    members = ProgressStates(known.database).page(known.course.id, offset=0, limit=50)
    assert {member.user for member in members.items} == {stand_in, known.other}
    assert Marks(known.database).totals(known.course.id, offset=0, limit=50).total
    problems = [
        each
        for each in verify(known.database, known.blobs).problems
        if "a" * 64 not in each and "b" * 64 not in each  # the assignment has no notebook
    ]
    assert problems == []


def test_nothing_of_theirs_is_graded_again(known: Any, erase: Any) -> None:
    erase()
    with known.database.session() as session:
        found = chosen(session, known.assignment.id, BatchScope.ALL, ())
    assert found == {known.others}
    with pytest.raises(ConflictError, match="erased"):
        Submissions(known.database, FixedClock()).regrade(known.released)


def test_a_name_that_is_part_of_another_one_is_left_alone(known: Any, erasures: Erasures) -> None:
    Audit(known.database).audit("ada", "member.enrolled", "ppo/susan", {"role": known.other})
    erasures.erase(known.other, "ada")
    events = Audit(known.database).events(subject="ppo/susan", offset=0, limit=5).items
    assert [event.detail for event in events] == [{"role": known.other}]


def test_of_somebody_unknown_nothing_is_erased(known: Any, erasures: Erasures) -> None:
    before = known.everything()
    with pytest.raises(NotFoundError) as refused:
        erasures.erase("nobody", "ada")
    assert refused.value.field == "user"
    assert known.everything() == before
