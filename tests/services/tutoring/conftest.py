"""A course with a real notebook, real storage, and a model that is the test server's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from llm_server import LlmServer

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.preferences import Preferences
from jupyter_ppo.domain.run_records import TrainingQuota
from jupyter_ppo.domain.tutoring import PICO, Caps, LanguageModel, Price
from jupyter_ppo.services.asking_limits import AskingLimits
from jupyter_ppo.services.explaining import ExplainingService
from jupyter_ppo.services.hints import HintService
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.model_words import ModelWords
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.explanations import Explanations
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.hints import Hints
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.preferences import PreferencesTable
from jupyter_ppo.storage.training_runs import TrainingRuns
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.retrying import Backoff
from jupyter_ppo.tutor.setup import ModelSetup

SOLUTION = """def running_mean(values):
    ### BEGIN SOLUTION
    totals = np.cumsum(values)
    counts = np.arange(1, len(values) + 1)
    return totals / counts
    ### END SOLUTION"""
TESTS = (
    'assert running_mean([1.0, 3.0])[1] == 2.0, "the second mean is (1 + 3) / 2"\n'
    "### BEGIN HIDDEN TESTS\nassert running_mean([7.0, 9.0, 2.0])[2] == 6.0\n### END HIDDEN TESTS"
)
AUTHORED = {
    "concept": "The author says: a mean is a sum divided by how many values there are so far.",
    "location": "The author says: look at the number that you divide by in each place.",
    "step": "The author says: write down both the sum and the count for the first three places.",
}
STUDENT = "zoltan77"


def _cell(grade_id: str, source: str, own: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = {"schema_version": 3, "grade_id": grade_id, "grade": False, "locked": False}
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"nbgrader": {**meta, "solution": False, **more}, "jupyter_ppo": own},
        "outputs": [],
        "execution_count": None,
    }


@dataclass
class Room:
    """The course ``rl`` with its assignment ``ps1``, as one student meets it."""

    world: Any
    server: LlmServer
    runs: Path
    sam: Caller
    preferences: PreferencesTable
    settings: FeedbackSettingsTable
    training: TrainingService
    hints: HintService = field(init=False)
    explanations: ExplainingService = field(init=False)
    model: LanguageModel | None = None

    def notebook(self, *, hints: bool = True, tutor: bool | None = None) -> bytes:
        document = {
            "nbformat": 4,
            "nbformat_minor": 4,
            "metadata": {} if tutor is None else {"jupyter_ppo": {"tutor": tutor}},
            "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": "# Running mean\n\nWrite it."},
                _cell("mean", SOLUTION, {"hints": AUTHORED} if hints else {}, solution=True),
                _cell("mean-tests", TESTS, {}, grade=True, locked=True, points=2),
            ],
        }
        return json.dumps(document).encode()

    def release(self, data: bytes, name: str) -> Assignment:
        made = NotebookGrader().release(data)
        blobs, courses = self.world.blobs, self.world.courses
        assignment: Assignment = courses.release(
            courses.course("rl").id,
            name,
            source_digest=blobs.put(data),
            release_digest=blobs.put(made.release),
            exercises=made.exercises,
        )
        return assignment

    def choose(self, **chosen: Any) -> None:
        """Set what holds in the whole course."""
        course_id = self.world.courses.course("rl").id
        self.settings.write(course_id, None, chosen, seen=None, by="ines")

    def without_model(self) -> None:
        self.use(None)

    def use(self, model: LanguageModel | None, *, max_characters: int = 20_000) -> None:
        clock = self.world.assessment._clock
        calls = ModelCalls(
            model=model,
            calls=ModelCallLog(self.world.database),
            settings=self.settings,
            names=CourseNames(self.world.database),
            ceilings=Caps(PICO, PICO, PICO),
            clock=clock,
            keep_days=180,
            max_characters=max_characters,
        )
        self.model = model
        hints, explanations = Hints(self.world.database), Explanations(self.world.database)
        limits = AskingLimits((hints.asked_since, explanations.asked_since), clock)
        self.hints = HintService(
            courses=self.world.courses,
            submissions=self.world.submissions,
            blobs=self.world.blobs,
            hints=hints,
            preferences=self.preferences,
            settings=self.settings,
            words=ModelWords(calls),
            limits=limits,
            clock=clock,
        )
        self.explanations = ExplainingService(
            courses=self.world.courses,
            blobs=self.world.blobs,
            explanations=explanations,
            training=self.training,
            settings=self.settings,
            words=ModelWords(calls),
            limits=limits,
            clock=clock,
        )


@pytest.fixture
def room(world: Any, llm_server: LlmServer, tmp_path: Path) -> Iterator[Room]:
    world.assessment.create_course(Caller("root", admin=True), "rl", "Reinforcement Learning")
    preferences = PreferencesTable(world.database)
    found = Room(
        world,
        llm_server,
        tmp_path / "runs",
        world.member(STUDENT, Role.STUDENT),
        preferences,
        FeedbackSettingsTable(world.database),
        TrainingService(
            runs=TrainingRuns(world.database),
            folder=tmp_path / "runs",
            quota=TrainingQuota(),
            audit=world.audit,
        ),
    )
    preferences.change(STUDENT, _with_all_levels, None)
    found.release(found.notebook(), "ps1")
    setup = ModelSetup(
        "openai",
        "test-model",
        base_url=llm_server.openai_url,
        timeout=10.0,
        price=Price(1.0, 2.0),
        backoff=Backoff(tries=1),
    )
    model = open_model(setup)
    found.use(model)
    yield found
    model.close()


def _with_all_levels(before: Preferences) -> Preferences:
    return replace(before, hint_level=4)
