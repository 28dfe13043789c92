"""A person of whom everything is kept that can be, and others beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.entries import AuthorKind, CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.execution import ExecutionQuota, ExecutionRequest, ProgramRun
from jupyter_ppo.domain.execution import Outcome as HowItEnded
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.progress_events import EventKind, NewEvent
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.domain.run_records import TrainingQuota
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.terms import GradeRelease, Terms
from jupyter_ppo.domain.trials import TrialKind
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.executions import Executions
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.leaderboards import Leaderboards
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import (
    AwardRow,
    Base,
    BatchRow,
    ExtensionRow,
    GradeRow,
    PreferencesRow,
    SubmissionRow,
    TermsRow,
    TrainingUseRow,
)
from jupyter_ppo.storage.term_rows import terms_values
from jupyter_ppo.storage.training_runs import TrainingRuns
from jupyter_ppo.storage.trials import Trials

PERSON, OTHER, GRADER = "sam.søren@uni.example", "sue", "gil"
#: A word in whatever is about the person; none may be found after an erasure.
SECRET = "Qwertzuiop"
#: A word that staff have not let the person see.
DRAFT = "not-yet-for-their-eyes"
NOW = datetime.now(UTC)
_MINUTE = timedelta(minutes=1)


@dataclass
class Known:
    """Who is known, and what is theirs."""

    database: Database
    blobs: FileBlobs
    course: Course
    assignment: Assignment
    released: UUID
    unreleased: UUID
    others: UUID
    entry: UUID
    run: UUID
    own_blobs: set[str]
    shared_blob: str
    user: str = PERSON
    other: str = OTHER
    grader: str = GRADER
    secret: str = SECRET
    draft: str = DRAFT

    def everything(self) -> str:
        """Return every row of every table as text."""
        with self.database.session() as session:
            rows = {
                table.name: [
                    [str(value) for value in row] for row in session.execute(select(table))
                ]
                for table in Base.metadata.sorted_tables
            }
        return json.dumps(rows, ensure_ascii=False)


class _Clock:
    """Every look is one second after the one before."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> tuple[Path, dict[str, Any]]:
    """Make the person once: each test has a copy of the folder."""
    folder = tmp_path_factory.mktemp("known")
    shutil.copy(empty_database, folder / "course.sqlite")
    database = open_database(sqlite_url(folder / "course.sqlite"))
    try:
        return folder, _make(database, FileBlobs(folder / "blobs"))
    finally:
        database.close()


@pytest.fixture
def known(made_once: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[Known]:
    folder, facts = made_once
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    database = open_database(sqlite_url(tmp_path / "course.sqlite"))
    yield Known(database, FileBlobs(tmp_path / "blobs"), **facts)
    database.close()


def _make(database: Database, blobs: FileBlobs) -> dict[str, Any]:
    courses, submissions, jobs = Courses(database), Submissions(database, _Clock()), Jobs(database)
    course = courses.create_course("ppo", "Proximal Policy Optimization")
    exercises = (
        Exercise("gae", CellKind.TESTS, 2.0, 1),
        Exercise("why", CellKind.MANUAL, 3.0, 5),
    )
    assignment = courses.release(
        course.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=exercises
    )

    def said(what: str) -> bytes:
        return f"{SECRET} {what}".encode()

    rosters = Rosters(database)
    about = PersonChange(
        first_name="Sam", last_name=SECRET, email=f"{SECRET}@x.example", lms_user_id=SECRET
    )
    rosters.put_member(course.id, PERSON, Role.STUDENT, about, ["blue"], by=GRADER)
    rosters.put_member(course.id, OTHER, Role.STUDENT, PersonChange(), ["blue"], by=PERSON)
    rosters.put_member(course.id, GRADER, Role.GRADER, PersonChange(), None, by="ines")
    Leaderboards(database).join(course.id, PERSON, f"The {SECRET}")

    def graded(user: str, digest: str, points: float, **more: Any) -> UUID:
        word = SECRET if user == PERSON else "somebody"
        submission = submissions.submit(assignment, user, digest, (f"{word} is missing",), **more)
        lease = jobs.lease("worker", timedelta(minutes=5), submission.id)
        assert lease is not None
        gae = ExerciseGrade(
            "gae",
            points,
            2.0,
            False,
            f"{word} is not defined",
            checks=(CheckLine("shape", points, 2.0, f"{word}?"),),
            records=({"note": word},),
        )
        why = ExerciseGrade("why", 0.0, 3.0, True, "A person reads this.")
        page = blobs.put(f"{word} {points} feedback".encode())
        jobs.succeed(
            lease,
            Grade(submission.id, (gae, why), Verdict.RAN, word, page, NOW, 1.0),
        )
        return submission.id

    with database.begin() as session:
        session.add(
            TermsRow(
                assignment_id=assignment.id,
                **terms_values(Terms(grades=GradeRelease.BY_HAND, revision=1)),
                updated_at=NOW,
                updated_by=PERSON,
            )
        )
    shared = blobs.put(b"what two people handed in")
    own = {blobs.put(said("first")), blobs.put(said("second"))}
    first, second = sorted(own)
    released = graded(PERSON, first, 1.0, idempotency_key=f"{SECRET}-key", collected_by=GRADER)
    draft_id = graded(PERSON, shared, 2.0)
    marks = Marks(database)
    marks.put(
        released, "why", Mark(2.0, 0.0, f"Well done, {SECRET}"), by=GRADER, reason=f"{SECRET} wrote"
    )
    marks.set_released(assignment.id, [released], is_released=True, by=GRADER)
    marks.put(draft_id, "why", Mark(3.0, 0.0, DRAFT), by=GRADER, reason=DRAFT)
    others = graded(OTHER, shared, 2.0)
    marks.put(others, "why", Mark(1.0, 0.0, "Try again"), by=PERSON, reason="")
    unreleased = submissions.submit(assignment, PERSON, second, ()).id

    report = courses.release(
        course.id,
        "report",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=(Exercise("method", CellKind.CRITERION, 4.0, 0),),
        kind=AssignmentKind.ENTRY,
        note="by me",
        released_by=PERSON,
    )
    file = blobs.put(said("picture"))
    content = {
        "format": 1,
        "title": "",
        "text": SECRET,
        "code": "",
        "run": None,
        "files": [{"name": "a/picture.png", "digest": file, "size": 9}],
    }
    entry = submissions.submit(report, PERSON, blobs.put(json.dumps(content).encode()), ())
    own |= {file, entry.digest}
    words = (CriterionResult("method", "sound", 3.0, f"{SECRET} is right"),)
    outcomes = Outcomes(database)
    written = Outcome(
        entry.id, 0, OutcomeState.RELEASED, words, f"On {SECRET}", f"{SECRET} {DRAFT}",
        AuthorKind.PERSON, GRADER, NOW, approved_by=GRADER, changed_by=GRADER,
    )  # fmt: skip
    page = blobs.put(said("outcome"))
    own.add(page)
    grade = Grade(
        entry.id,
        (ExerciseGrade("method", 3.0, 4.0, False, f"sound: {SECRET}"),),
        Verdict.RAN, "", page, NOW, 0.0,
    )  # fmt: skip
    outcomes.write(written, seen=0, grade=grade)
    theirs = submissions.submit(report, OTHER, blobs.put(b'{"files": []}'), ())
    draft = Outcome(
        theirs.id, 0, OutcomeState.DRAFT, (), "I see", "", AuthorKind.PERSON, PERSON, NOW,
        changed_by=PERSON,
    )  # fmt: skip
    outcomes.write(draft, seen=0)

    trial = blobs.put(said("trial"))
    own.add(trial)
    trials = Trials(database)
    tried = trials.admit(course.id, "first", PERSON, TrialKind.VALIDATION, trial)
    trials.finish(tried.id, {"said": SECRET})
    executions = Executions(database, grace=_MINUTE)
    asked = ExecutionRequest(f"print('{SECRET}')", 30.0, 256)
    running = executions.admit(PERSON, asked, ExecutionQuota())
    printed = ProgramRun(HowItEnded.SUCCEEDED, SECRET, "", 0.5, 12.0, value=float("nan"))
    executions.finish(running.id, run=printed, seconds=0.5)
    spec = RunSpec(env_id="CartPole-v1", total_steps=1000)
    (run,) = (
        TrainingRuns(database)
        .create(
            PERSON, f"{SECRET} run", (SECRET.lower(),), (spec,), TrainingQuota(), request_key=SECRET
        )
        .runs
    )
    minute = minute_of(NOW) - 60
    ProgressLog(database).append(
        course.id,
        PERSON,
        [
            NewEvent(f"{SECRET}-1", EventKind.OPENED, "first", NOW, {}),
            NewEvent(f"{SECRET}-2", EventKind.ACTIVE, "first", NOW, {"minutes": [minute]}),
        ],
        NOW,
    )
    with database.begin() as session:
        own_extension = ExtensionRow(
            id=new_id(), assignment_id=assignment.id, user=PERSON, seconds=3600, attempts=1,
            reason=f"{SECRET} is ill", created_by=GRADER, created_at=NOW,
        )  # fmt: skip
        award = AwardRow(
            id=new_id(), course_id=course.id, user=PERSON, rule_id="first-steps",
            rule={"id": "first-steps"}, evidence=[], awarded_at=NOW, revoked_because="",
        )  # fmt: skip
        batch = BatchRow(
            id=new_id(), assignment_id=assignment.id, created_by=PERSON, created_at=NOW,
            reason="a new test", scope="all",
        )  # fmt: skip
        chosen = PreferencesRow(
            user=PERSON, document={"pseudonym": SECRET}, revision=1, updated_at=NOW
        )
        hour = NOW.replace(minute=0, second=0, microsecond=0)
        used = TrainingUseRow(user=PERSON, hour=hour, cpu_seconds=5.0)
        session.add_all([own_extension, award, batch, chosen, used])
    audit = Audit(database)
    audit.audit(GRADER, "member.enrolled", f"ppo/{PERSON}", {"role": "student", "groups": []})
    audit.audit(PERSON, "member.enrolled", f"ppo/{OTHER}", {"role": "student", "groups": []})
    audit.audit(GRADER, "grade.marked", f"{released}/why", {"comment": SECRET, "reason": SECRET})
    audit.audit(GRADER, "extension.given", "ppo/first", {"user": PERSON, "reason": SECRET})
    audit.audit(GRADER, "group.changed", "ppo/blue", {"users": [OTHER, PERSON]})
    audit.audit(PERSON, "submission.received", str(unreleased), {"digest": second})
    audit.audit(PERSON, "trial.validation", str(tried.id), {"digest": trial})
    audit.audit(PERSON, "grade.marked", f"{others}/why", {"comment": "Try again"})
    with database.session() as session:
        pages = session.scalars(
            select(GradeRow.feedback_digest)
            .join(SubmissionRow, SubmissionRow.id == GradeRow.submission_id)
            .where(SubmissionRow.user == PERSON)
        ).all()
    return {
        "course": course,
        "assignment": assignment,
        "released": released,
        "unreleased": unreleased,
        "others": others,
        "entry": entry.id,
        "run": run.id,
        "own_blobs": own | set(pages),
        "shared_blob": shared,
    }
