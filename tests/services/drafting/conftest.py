"""A course whose question has a rubric, students who answered it, and the test server's model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from llm_server import LlmServer

from jupyter_ppo.autograde.entry_document import (
    definition_of,
    exercises_of,
    without_notes,
    write_content,
    write_definition,
)
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Role
from jupyter_ppo.domain.entries import EntryContent
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.tutoring import PICO, Caps, Price
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.retrying import Backoff
from jupyter_ppo.tutor.setup import ModelSetup
from jupyter_ppo.wiring.drafting import Drafting, build_drafting

RUBRIC = [
    {
        "name": "idea",
        "title": "The idea",
        "note": "STAFF-ONLY-NOTE",
        "levels": [
            {"name": "none", "points": 0, "description": "not there"},
            {"name": "some", "points": 1, "description": "half of it"},
            {"name": "full", "points": 2, "description": "all of it"},
        ],
    },
    {
        "name": "words",
        "title": "Clear words",
        "levels": [
            {"name": "no", "points": 0, "description": "unclear"},
            {"name": "yes", "points": 1, "description": "clear"},
        ],
    },
]
ANSWER = "The ratio is clipped so that one update cannot move the policy far. Attempt {number}."


def cell(kind: str, source: str, grade_id: str, own: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = {"schema_version": 3, "grade_id": grade_id, "grade": False, "locked": False}
    made: dict[str, Any] = {
        "cell_type": kind,
        "source": source,
        "metadata": {"nbgrader": {**meta, "solution": False, **more}, "jupyter_ppo": own},
    }
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(answer: str, rubric: list[dict[str, Any]] | None = None) -> bytes:
    own = {"rubric": RUBRIC if rubric is None else rubric}
    document = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "## Why clip?\n\nSay why."},
            cell("markdown", answer, "why", own, grade=True, solution=True, points=3),
            cell("code", "x = 1", "plain", {}, solution=True),
            cell("code", "assert x == 1", "tests", {}, grade=True, locked=True, points=2),
        ],
    }
    return json.dumps(document).encode()


@dataclass
class Studio:
    """The course ``rl`` with the notebook ``ps1``, and who works in it."""

    world: Any
    server: LlmServer
    gate: ModelCalls
    parts: Drafting
    assignment: Assignment
    ines: Caller
    gil: Caller

    @property
    def drafts(self) -> Drafts:
        return Drafts(self.world.database)

    @property
    def batches(self) -> DraftBatches:
        return DraftBatches(self.world.database)

    @property
    def marks(self) -> Marks:
        return Marks(self.world.database)

    @property
    def calls(self) -> ModelCallLog:
        return ModelCallLog(self.world.database)

    def choose(self, **chosen: Any) -> None:
        FeedbackSettingsTable(self.world.database).write(
            self.assignment.course_id, None, chosen, seen=None, by="ines"
        )

    def without_model(self) -> Drafting:
        gate = ModelCalls(
            model=None,
            calls=self.calls,
            settings=FeedbackSettingsTable(self.world.database),
            names=CourseNames(self.world.database),
            ceilings=Caps(PICO, PICO, PICO),
            clock=self.world.assessment._clock,
            keep_days=180,
        )
        return build(self.world, gate)

    def hand_in(self, user: str, answer: str, *, tests: float = 2.0) -> UUID:
        """Hand in an answer, and grade the code as tests would."""
        self.world.member(user, Role.STUDENT)
        digest = self.world.blobs.put(notebook(answer))
        made = self.world.submissions.submit(self.assignment, user, digest, ())
        lease = self.world.jobs.lease("test", timedelta(minutes=1), made.id)
        grade = Grade(
            made.id,
            (
                ExerciseGrade("why", 0.0, 3.0, True, "A person reads it."),
                ExerciseGrade("tests", tests, 2.0, False, "Tests ran."),
            ),
            Verdict.RAN,
            "",
            self.world.blobs.put(b"<p>page</p>"),
            datetime(2026, 11, 23, tzinfo=UTC),
            0.1,
            made.version_id,
        )
        self.world.jobs.succeed(lease, grade)
        return made.id

    def hand_in_some(self, count: int) -> list[UUID]:
        return [self.hand_in(f"s{i:02}", ANSWER.format(number=i)) for i in range(count)]

    def draft_all(self, **chosen: Any) -> UUID:
        """Draft in this thread; return the batch."""
        view = self.parts.drafting.start(self.ines, "rl", "ps1", **chosen)
        self.parts.queue.work_off(view.batch.id)
        return view.batch.id

    def queue(self, state: str = "open") -> list[Any]:
        page = self.parts.reviewing.queue(self.gil, "rl", "ps1", state=state, offset=0, limit=99)
        return list(page.items)

    def essay(self, user: str, text: str) -> UUID:
        """Hand in an entry to ``essay`` with the same rubric."""
        definition = definition_of({"title": "Essay", "rubric": RUBRIC, "instructions": "Write."})
        put = self.world.blobs.put
        assignment = self.world.courses.release(
            self.assignment.course_id,
            "essay",
            source_digest=put(write_definition(definition)),
            release_digest=put(write_definition(without_notes(definition))),
            exercises=exercises_of(definition),
            kind=AssignmentKind.ENTRY,
        )
        self.world.member(user, Role.STUDENT)
        content = put(write_content(EntryContent(text=text)))
        return self.world.submissions.submit(assignment, user, content, ()).id

    @property
    def outcomes(self) -> Outcomes:
        return Outcomes(self.world.database)


def build(world: Any, gate: ModelCalls) -> Drafting:
    return build_drafting(
        database=world.database,
        courses=world.courses,
        submissions=world.submissions,
        blobs=world.blobs,
        seeds=world.seeds,
        gate=gate,
        clock=world.assessment._clock,
        audit=world.audit,
        workers=2,
        max_characters=2_000,
        currency="USD",
    )


class NoSeeds:
    """Nobody's notebook has a seed of its own."""

    def seed(self, *_: Any) -> None:
        return None


@pytest.fixture
def studio(world: Any, llm_server: LlmServer) -> Iterator[Studio]:
    world.assessment.create_course(Caller("root", admin=True), "rl", "Reinforcement Learning")
    world.seeds = NoSeeds()
    source = notebook("The author's own answer: STAFF-ONLY-SOLUTION.")
    made = NotebookGrader().release(source)
    assignment = world.courses.release(
        world.courses.course("rl").id,
        "ps1",
        source_digest=world.blobs.put(source),
        release_digest=world.blobs.put(made.release),
        exercises=made.exercises,
    )
    model = open_model(
        ModelSetup(
            "openai",
            "test-model",
            base_url=llm_server.openai_url,
            timeout=10.0,
            price=Price(1.0, 2.0),
            backoff=Backoff(tries=1),
        )
    )
    gate = ModelCalls(
        model=model,
        calls=ModelCallLog(world.database),
        settings=FeedbackSettingsTable(world.database),
        names=CourseNames(world.database),
        ceilings=Caps(PICO, PICO, PICO),
        clock=world.assessment._clock,
        keep_days=180,
    )
    yield Studio(
        world,
        llm_server,
        gate,
        build(world, gate),
        assignment,
        world.member("ines", Role.INSTRUCTOR),
        world.member("gil", Role.GRADER),
    )
    model.close()
