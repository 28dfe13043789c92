"""People look at drafted feedback, and decide: as it is, with changes, or not at all.

A decision writes the human's record (a mark, an outcome) in the same transaction. Nothing of a
draft reaches a student before that record is released, as any other is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.autograde.entry_document import read_definition, without_notes
from jupyter_ppo.autograde.outcome_page import outcome_page
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.edit_distance import edit_distance
from jupyter_ppo.domain.entries import Criterion, CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.marking import pseudonyms
from jupyter_ppo.domain.marks import MAX_COMMENT, Mark, checked_text
from jupyter_ppo.domain.ports import BlobStore, Clock, CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.self_checks import SelfCheck
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.domain.tutoring import DraftDecision, DraftState, FeedbackDraft
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.draft_stores import DraftStore, SettingsReader
from jupyter_ppo.services.judged_answers import JudgedAnswers
from jupyter_ppo.services.outcome_view import grade_of_outcome
from jupyter_ppo.services.outcomes import OutcomeStore
from jupyter_ppo.services.review_records import (
    EditedResult,
    HumanRecord,
    QueuedDraft,
    ReviewedDraft,
    drafted,
    outcome_revisions,
    points_of,
    queued,
    with_points,
    words_of,
)
from jupyter_ppo.services.seeds import CourseSecrets

MAX_REASON = 2_000
#: The states that a review queue can be listed by.
STATES = ("open", "decided", "all")
_PAGE = 200


class MarkReader(Protocol):
    """Who has an attempt that counts."""

    def users(self, assignment_id: UUID) -> Sequence[str]:
        """Return everybody who has one."""


class SelfCheckReader(Protocol):
    """What students think of their own answers."""

    def read(self, assignment_id: UUID, user: str, grade_id: str) -> SelfCheck:
        """Return what a person thinks of one answer."""


class ReviewService:
    """People look at drafts and decide. Graders only; every method takes the caller first."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        drafts: DraftStore,
        outcomes: OutcomeStore,
        marks: MarkReader,
        self_checks: SelfCheckReader,
        answers: JudgedAnswers,
        settings: SettingsReader,
        secrets: CourseSecrets,
        clock: Clock,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._drafts = drafts
        self._outcomes = outcomes
        self._marks = marks
        self._self_checks = self_checks
        self._answers = answers
        self._settings = settings
        self._secrets = secrets
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)

    # -- read --------------------------------------------------------------------------------

    def queue(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        *,
        grade_id: str | None = None,
        state: str = "open",
        offset: int,
        limit: int,
    ) -> Page[QueuedDraft]:
        """Return drafts by pseudonym: flagged first, then least agreement, then oldest."""
        if state not in STATES:
            msg = f"state: use {', '.join(STATES)}."
            raise InvalidInputError(msg, field="state")
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        page = self._drafts.queue(
            assignment.id, grade_id=grade_id, state=state, offset=offset, limit=limit
        )
        names = self._names(course.id, assignment.id)
        most: dict[tuple[UUID, str], float] = {}
        items = []
        for draft in page.items:
            submission = self._submissions.submission(draft.new.submission_id)
            key = (submission.version_id, draft.new.grade_id)
            if key not in most:
                most[key] = self._most(submission, draft.new.grade_id)
            items.append(queued(draft, names, most[key]))
        return Page(tuple(items), page.total, page.offset, page.limit)

    def draft(self, caller: Caller, draft_id: UUID) -> ReviewedDraft:
        """Return one draft with the answer, the rubric and what a person has written."""
        draft, submission = self._graded_by(caller, draft_id)
        return self._reviewed(draft, submission)

    # -- decide ------------------------------------------------------------------------------

    def approve(self, caller: Caller, draft_id: UUID, *, revision: int) -> ReviewedDraft:
        """Take a draft as it is; ``revision`` is that of the record that was seen, 0 for none.

        Raises ``EditConflictError`` with both when another one is stored, ``ConflictError`` when
        the draft is decided, has no results, or the rubric is another one now.
        """
        return self._decide(caller, draft_id, DraftState.APPROVED, None, None, revision)

    def edit(
        self,
        caller: Caller,
        draft_id: UUID,
        results: Sequence[EditedResult],
        comment: str | None = None,
        *,
        revision: int,
    ) -> ReviewedDraft:
        """Take a draft with changes; without ``comment`` it is made from the results.

        Raises what ``approve`` does, and ``InvalidInputError`` naming what cannot be used.
        """
        return self._decide(caller, draft_id, DraftState.EDITED, results, comment, revision)

    def reject(self, caller: Caller, draft_id: UUID, reason: str) -> ReviewedDraft:
        """Say that a draft is of no use; the answer waits to be marked by hand."""
        draft, submission = self._graded_by(caller, draft_id)
        if len(reason) > MAX_REASON:
            msg = f"reason: it has {len(reason):,} characters; use at most {MAX_REASON:,}."
            raise InvalidInputError(msg, field="reason")
        checked_text(reason, "reason")
        decision = DraftDecision(
            DraftState.REJECTED, caller.user, self._clock.now(), 0.0, "", reason, 1.0
        )
        made = self._drafts.reject(draft.id, decision)
        self._note(caller, made)
        return self._reviewed(made, submission)

    def approve_all(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        *,
        grade_id: str | None = None,
        threshold: float,
    ) -> tuple[int, int]:
        """Take every draft whose samples agree so much. Instructors only.

        None that is flagged for anything else, and none whose answer a person has judged. Returns
        how many were approved and how many skipped. Raises ``InvalidInputError`` below the
        course's threshold.
        """
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        least = self._settings.effective(course.id, assignment.id).bulk_threshold
        if not least <= threshold <= 1:
            msg = f"threshold: use a number from {least:g}, which is set for this course, to 1."
            raise InvalidInputError(msg, field="threshold")
        judged = self._drafts.judged(assignment.id)
        approved = skipped = 0
        for draft in self._open(assignment.id, grade_id):
            if not draft.new.may_be_one_of_many or draft.new.agreement < threshold:
                continue
            if (draft.new.submission_id, draft.new.grade_id) in judged:
                skipped += 1
                continue
            try:
                submission = self._submissions.submission(draft.new.submission_id)
                record = self._record(submission, draft.new.grade_id)
                seen = 0 if record is None else record.revision
                self._decide(caller, draft.id, DraftState.APPROVED, None, None, seen)
                approved += 1
            except (ConflictError, NotFoundError, InvalidInputError):
                skipped += 1
        detail = {"approved": approved, "skipped": skipped, "threshold": threshold}
        note(
            self._audit, caller.user, "drafts.approved", f"{course_name}/{assignment_name}", detail
        )
        return approved, skipped

    # -- parts -------------------------------------------------------------------------------

    def _decide(
        self,
        caller: Caller,
        draft_id: UUID,
        state: DraftState,
        results: Sequence[EditedResult] | None,
        comment: str | None,
        revision: int,
    ) -> ReviewedDraft:
        draft, submission = self._graded_by(caller, draft_id)
        answer = self._answers.answer(submission, draft.new.grade_id)
        rubric = answer.question.rubric
        if results is None:
            if not draft.new.results:
                msg = "state: nothing was drafted here. Edit it, or mark the answer by hand."
                raise ConflictError(msg, field="state")
            if answer.question.rubric_digest != draft.new.rubric_digest:
                msg = "state: the rubric has changed since. Edit the draft, or have it made again."
                raise ConflictError(msg, field="state")
            made = drafted(rubric, draft.new.results)
        else:
            made = with_points(rubric, results)
        words = words_of(rubric, made) if comment is None else checked_text(comment, "comment")
        words = words[:MAX_COMMENT]
        before = _drafted_words(rubric, draft)
        by_levels = {each.criterion: each for each in made}
        decision = DraftDecision(
            state=state,
            by=caller.user,
            at=self._clock.now(),
            points=points_of(made, self._most(submission, draft.new.grade_id)),
            comment=words,
            reason="",
            edit_distance=0.0 if results is None else edit_distance(before, words),
        )
        if submission.kind is AssignmentKind.NOTEBOOK:
            mark = Mark(decision.points, comment=words, revision=revision)
            decided = self._drafts.decide_mark(draft.id, decision, mark)
        else:
            edited = None if results is None else made
            summary = comment or ""
            decided = self._judge(draft, submission, decision, by_levels, edited, summary, revision)
        self._note(caller, decided)
        return self._reviewed(decided, submission)

    def _judge(
        self,
        draft: FeedbackDraft,
        submission: Submission,
        decision: DraftDecision,
        results: Mapping[str, CriterionResult],
        edited: Sequence[CriterionResult] | None,
        summary: str,
        revision: int,
    ) -> FeedbackDraft:
        now = self._outcomes.outcome(submission.id)
        if now is not None and now.state is OutcomeState.RELEASED:
            msg = "state: this outcome is released. Withdraw it first, then change it."
            raise ConflictError(msg, field="state")
        made = outcome_revisions(
            draft,
            results,
            edited,
            summary=summary,
            by=decision.by,
            at=decision.at,
            is_first=now is None,
        )
        revisions = [(each, self._grade(submission, each)) for each in made]
        decided = self._drafts.decide_outcome(draft.id, decision, revisions, seen=revision)
        if decided is None:
            stored = self._record(submission, "") or HumanRecord(0, None, "")
            msg = (
                f"revision: you saw revision {revision}, and revision {stored.revision} is stored "
                "now. Look at it, then decide again."
            )
            yours = {"revision": revision, "points": decision.points, "comment": decision.comment}
            raise EditConflictError(msg, yours=yours, theirs=_data(stored), field="revision")
        return decided

    def _grade(self, submission: Submission, outcome: Outcome) -> Grade | None:
        if outcome.state is not OutcomeState.APPROVED:
            return None
        version = self._courses.version(submission.version_id)
        definition = read_definition(self._blobs.get(version.source_digest))
        page = outcome_page(submission, without_notes(definition), outcome)
        return grade_of_outcome(
            submission, definition, outcome, self._blobs.put(page), self._clock.now()
        )

    def _open(self, assignment_id: UUID, grade_id: str | None) -> list[FeedbackDraft]:
        """Return every open draft; read at once, because deciding changes the pages."""
        found: list[FeedbackDraft] = []
        while True:
            page = self._drafts.queue(
                assignment_id, grade_id=grade_id, state="open", offset=len(found), limit=_PAGE
            )
            found += page.items
            if len(page.items) < _PAGE:
                return found

    def _reviewed(self, draft: FeedbackDraft, submission: Submission) -> ReviewedDraft:
        answer = self._answers.answer(submission, draft.new.grade_id)
        names = self._names(draft.course_id, draft.assignment_id)
        check = self._self_checks.read(draft.assignment_id, submission.user, draft.new.grade_id)
        most = self._most(submission, draft.new.grade_id)
        return ReviewedDraft(
            queued=queued(draft, names, most),
            answer=answer,
            record=self._record(submission, draft.new.grade_id),
            self_check=check.levels if check.revision else None,
        )

    def _record(self, submission: Submission, grade_id: str) -> HumanRecord | None:
        if submission.kind is AssignmentKind.ENTRY:
            outcome = self._outcomes.outcome(submission.id)
            if outcome is None:
                return None
            return HumanRecord(outcome.revision, outcome.points, outcome.summary)
        grade = self._submissions.grade(submission.id)
        for exercise in () if grade is None else grade.exercises:
            if exercise.grade_id == grade_id and exercise.mark is not None:
                mark = exercise.mark
                return HumanRecord(mark.revision, mark.points, mark.comment)
        return None

    def _most(self, submission: Submission, grade_id: str) -> float:
        version = self._courses.version(submission.version_id)
        if submission.kind is AssignmentKind.ENTRY:
            return version.max_points
        return next((each.points for each in version.exercises if each.grade_id == grade_id), 0.0)

    def _names(self, course_id: UUID, assignment_id: UUID) -> Mapping[str, str]:
        users = self._marks.users(assignment_id)
        return pseudonyms(self._secrets.secret(course_id), assignment_id, users)

    def _graded_by(self, caller: Caller, draft_id: UUID) -> tuple[FeedbackDraft, Submission]:
        try:
            draft = self._drafts.draft(draft_id)
            submission = self._submissions.submission(draft.new.submission_id)
        except NotFoundError:
            draft = submission = None  # type: ignore[assignment]
        # The same for a foreign one and for none; students know of none.
        if submission is None or not self._access.may_grade(caller, submission):
            msg = "There is no such draft."
            raise NotFoundError(msg, field="draft")
        return draft, submission

    def _note(self, caller: Caller, draft: FeedbackDraft) -> None:
        decision = draft.decision
        if decision is None:
            return
        detail: dict[str, Any] = {
            "submission": str(draft.new.submission_id),
            "grade_id": draft.new.grade_id,
            "points": decision.points,
            "edit_distance": decision.edit_distance,
            "calls": [str(each) for each in draft.new.call_ids],
        }
        note(self._audit, caller.user, f"draft.{decision.state}", str(draft.id), detail)


def _drafted_words(rubric: Sequence[Criterion], draft: FeedbackDraft) -> str:
    """Return the words of a draft, as an approval would have shown them."""
    titles = {criterion.name: criterion.title for criterion in rubric}
    return "\n\n".join(
        f"{titles.get(each.criterion, each.criterion)}: {each.level}. {each.reason}"
        for each in draft.new.results
    )


def _data(record: HumanRecord) -> dict[str, Any]:
    return {"revision": record.revision, "points": record.points, "comment": record.comment}
