"""What there is to judge: an answer in words, its question, and the rubric it is judged by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from jupyter_ppo.autograde.entry_document import read_content, read_definition
from jupyter_ppo.autograde.judged_text import (
    RubricQuestion,
    answer_html,
    rubric_questions,
    written_answer,
)
from jupyter_ppo.autograde.outcome_page import long_markdown_html
from jupyter_ppo.autograde.outputs import code_html
from jupyter_ppo.domain.courses import AssignmentKind, AssignmentVersion
from jupyter_ppo.domain.entries import Criterion, CriterionResult, checked_results
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ports import BlobStore, CourseStore
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.seeds import PersonalSeeds

#: The grade_id of an entry: it is judged as a whole.
WHOLE_ENTRY = ""


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with a rubric; ``text`` is its prompt in Markdown, the HTML is sanitised."""

    grade_id: str
    title: str
    text: str
    html: str
    rubric: tuple[Criterion, ...]

    @property
    def max_points(self) -> float:
        """The points of the best level of every criterion."""
        return sum(criterion.max_points for criterion in self.rubric)

    @property
    def rubric_digest(self) -> str:
        """SHA-256 of the rubric, hex: with another rubric nothing that was judged holds."""
        data = json.dumps([asdict(criterion) for criterion in self.rubric], sort_keys=True)
        return hashlib.sha256(data.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """One answer. ``text`` is exactly what was written; "" when there is nothing to judge."""

    submission: Submission
    question: JudgedQuestion
    text: str
    html: str


class JudgedAnswers:
    """Reads answers and rubrics out of notebooks and entries; checks no rights."""

    def __init__(self, *, courses: CourseStore, blobs: BlobStore, seeds: PersonalSeeds) -> None:
        self._courses = courses
        self._blobs = blobs
        self._seeds = seeds

    def questions(
        self, version: AssignmentVersion, kind: AssignmentKind
    ) -> Mapping[str, JudgedQuestion]:
        """Return what of a version can be judged by a rubric, by grade_id; tests never can."""
        source = self._blobs.get(version.source_digest)
        if kind is AssignmentKind.NOTEBOOK:
            found = rubric_questions(source)
            return {name: _of_notebook(question) for name, question in found.items()}
        definition = read_definition(source)
        text = definition.instructions
        whole = JudgedQuestion(
            WHOLE_ENTRY, definition.title, text, str(long_markdown_html(text)), definition.rubric
        )
        return {WHOLE_ENTRY: whole}

    def question(
        self, version: AssignmentVersion, kind: AssignmentKind, grade_id: str
    ) -> JudgedQuestion:
        """Return one of ``questions``.

        Raises ``NotFoundError`` when the version has no such exercise, and ``ConflictError`` when
        it has no rubric or is marked by tests.
        """
        return self.chosen(version, self.questions(version, kind), grade_id)

    def chosen(
        self,
        version: AssignmentVersion,
        questions: Mapping[str, JudgedQuestion],
        grade_id: str,
    ) -> JudgedQuestion:
        """Return the question of ``grade_id``; raise as ``question`` does."""
        question = questions.get(grade_id)
        if question is not None:
            return question
        if grade_id not in {exercise.grade_id for exercise in version.exercises}:
            msg = f"grade_id: this assignment has no exercise {grade_id[:80]!r}."
            raise NotFoundError(msg, field="grade_id")
        msg = (
            f"grade_id: write a rubric first: {grade_id[:80]!r} has none, or tests mark it. Give "
            "the cell of the answer a rubric in its metadata and release the assignment again."
        )
        raise ConflictError(msg, field="grade_id")

    def answer(self, submission: Submission, grade_id: str) -> JudgedAnswer:
        """Return one answer of a submission; raise as ``question`` does."""
        version = self._courses.version(submission.version_id)
        question = self.question(version, submission.kind, grade_id)
        submitted = self._blobs.get(submission.digest)
        if submission.kind is AssignmentKind.ENTRY:
            content = read_content(submitted)
            parts = (content.title, content.text, content.code)
            html = [str(long_markdown_html(content.text))] if content.text.strip() else []
            html += [str(code_html(content.code))] if content.code.strip() else []
            text = "\n\n".join(part for part in parts if part.strip())
            has_words = bool(content.text.strip() or content.code.strip())
            return JudgedAnswer(submission, question, text if has_words else "", "\n".join(html))
        source = self._blobs.get(version.source_digest)
        made = rubric_questions(source)[grade_id]
        seed = self._seeds.seed(submission.course_id, version, submission.user)
        text = written_answer(source, submitted, grade_id, seed)
        if not text.strip() or text.strip() == made.placeholder.strip():
            text = ""
        return JudgedAnswer(submission, question, text, answer_html(text, is_code=made.is_code))


def levels_checked(rubric: Sequence[Criterion], levels: Mapping[str, str]) -> dict[str, str]:
    """Return a level for every criterion, in the rubric's order.

    Raises ``InvalidInputError`` naming what is unknown or missing.
    """
    given = [CriterionResult(name, level, 0.0) for name, level in levels.items()]
    results = checked_results(rubric, given, is_complete=True)
    return {result.criterion: result.level for result in results}


def submission_key(submission_id: UUID, grade_id: str) -> str:
    """Return how an answer is named in the audit log."""
    return f"{submission_id}/{grade_id}" if grade_id else str(submission_id)


def _of_notebook(question: RubricQuestion) -> JudgedQuestion:
    return JudgedQuestion(
        question.grade_id,
        question.title,
        question.prompt,
        question.prompt_html,
        question.rubric,
    )
