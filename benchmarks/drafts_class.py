"""The class whose answers ``drafts.py`` has drafted, and the model that drafts them.

The model is a real HTTP server that speaks both wire formats (``tests/tutor/llm_server.py``). It
keeps, for each request, the tokens that it told its client: the other side of the accounts.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from drafts_child import MOST_CHARACTERS, Clock, gate_of, model_at, opened, work_off

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.tutor.templates import REPAIR
from jupyter_ppo.wiring.drafting import Drafting, build_drafting

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "tutor"))

from llm_replies import quote
from llm_server import WIRES, Behaviour, LlmServer, Received
from llm_wires import Reply, Wire

INES, GIL = Caller("ines"), Caller("gil")
CURRENCY = "EUR"
#: Answers that people mark before the rest is drafted.
CALIBRATED = 20
#: Of so many answers one gets an answer that breaks the rules first, from every sample.
BROKEN_EVERY = 25
_HEADER = "x-client-request-id"
_AGAIN = REPAIR.system.splitlines()[0]
_HESITANT = "I am not sure of this."
_WORDS = {
    "none": "I think that the clip makes the training faster, because it is in the paper.",
    "some": "The ratio is clipped. It has to do with the size of an update.",
    "full": (
        "The ratio of the new policy to the old one is clipped, so that an update has no reason to "
        "move the policy far from the one that collected the data: the gradient is zero there."
    ),
}
_LEVELS = tuple(_WORDS)
RUBRIC = [
    {
        "name": "idea",
        "title": "The idea of the clip",
        "note": "An answer that only names the formula is half of it.",
        "levels": [
            {"name": "none", "points": 0, "description": "says nothing of what the clip does"},
            {"name": "some", "points": 1, "description": "says that the ratio is clipped"},
            {"name": "full", "points": 2, "description": "says that it is clipped, and why"},
        ],
    },
    {
        "name": "words",
        "title": "Clear words",
        "levels": [
            {"name": "no", "points": 0, "description": "has to be guessed"},
            {"name": "yes", "points": 1, "description": "can be read once"},
        ],
    },
]


# -- the class -----------------------------------------------------------------------------------


def _level(number: int) -> str:
    return _LEVELS[number % 3]


def _answer(number: int) -> str:
    hesitant = f" {_HESITANT}" if number % BROKEN_EVERY == 0 else ""
    return f"{_WORDS[_level(number)]}{hesitant}\n\nI tried it with clip range 0.{number + 1:04d}."


def _cell(kind: str, source: str, grade_id: str, **more: Any) -> dict[str, Any]:
    meta = {"schema_version": 3, "grade_id": grade_id, "grade": False, "locked": False}
    own = {"rubric": RUBRIC} if kind == "markdown" else {}
    made: dict[str, Any] = {
        "cell_type": kind,
        "source": source,
        "metadata": {"nbgrader": {**meta, "solution": False, **more}, "jupyter_ppo": own},
    }
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _notebook(answer: str) -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "## Why is the ratio clipped?"},
        _cell("markdown", answer, "why", grade=True, solution=True, points=3),
        _cell("code", "x = 1", "plain", solution=True),
        _cell("code", "assert x == 1", "tests", grade=True, locked=True, points=2),
    ]
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    return json.dumps(document).encode()


def parts_of(database: Database, folder: Path, gate: ModelCalls) -> Drafting:
    """Return the use cases of drafts as the server has them; nothing is drafted by these."""
    courses, blobs = Courses(database), FileBlobs(folder / "blobs")
    return build_drafting(
        database=database,
        courses=courses,
        submissions=Submissions(database, Clock()),
        blobs=blobs,
        seeds=PersonalSeeds(courses, blobs, NotebookGrader()),
        gate=gate,
        clock=Clock(),
        audit=Audit(database),
        workers=0,
        max_characters=MOST_CHARACTERS,
        currency=CURRENCY,
    )


def fill(folder: Path, drafts: int, provider: str, url: str) -> UUID:
    """Write a class, pass the calibration, and start a batch of ``drafts`` others; return it."""
    folder.mkdir(parents=True)
    database = opened(folder)
    gate = gate_of(database, model_at(provider, url, 4))
    try:
        handed_in = _hand_in(database, folder, drafts + CALIBRATED)
        parts = parts_of(database, folder, gate)
        marked = _mark(parts, handed_in)
        parts.drafting.start(INES, "rl", "ps1", grade_id="why", for_calibration=True)
        if work_off(database, folder, gate, 4, 90.0):
            sys.exit("The answers of the calibration were not drafted.")
        report = parts.calibration.report(GIL, "rl", "ps1", "why")
        if not report.is_passed:
            sys.exit(f"The calibration is not passed: {report.why_not}")
        rest = [submission for submission in handed_in if submission not in marked]
        batch = parts.drafting.start(INES, "rl", "ps1", grade_id="why", submissions=rest).batch
        return batch.id
    finally:
        gate.close()
        database.close()


def _hand_in(database: Database, folder: Path, count: int) -> dict[UUID, int]:
    courses, blobs = Courses(database), FileBlobs(folder / "blobs")
    submissions, jobs = Submissions(database, Clock()), Jobs(database)
    course = courses.create_course("rl", "Reinforcement Learning")
    for caller, role in ((INES, Role.INSTRUCTOR), (GIL, Role.GRADER)):
        courses.enrol(course.id, caller.user, role)
    source = _notebook("The ratio is clipped so that an update stays small.")
    made = NotebookGrader().release(source)
    assignment = courses.release(
        course.id,
        "ps1",
        source_digest=blobs.put(source),
        release_digest=blobs.put(made.release),
        exercises=made.exercises,
    )
    page = blobs.put(b"<p>page</p>")
    found = {}
    for number in range(count):
        user = f"student{number:04}"
        courses.enrol(course.id, user, Role.STUDENT)
        found[
            _graded(
                assignment, user, blobs.put(_notebook(_answer(number))), page, (submissions, jobs)
            )
        ] = number
    return found


def _graded(
    assignment: Assignment, user: str, digest: str, page: str, stores: tuple[Submissions, Jobs]
) -> UUID:
    submissions, jobs = stores
    handed_in = submissions.submit(assignment, user, digest, ())
    lease = jobs.lease("benchmark", timedelta(minutes=1), handed_in.id)
    assert lease is not None
    exercises = (
        ExerciseGrade("why", 0.0, 3.0, True, "A person reads it."),
        ExerciseGrade("tests", 2.0, 2.0, False, "Tests ran."),
    )
    now = datetime.now(UTC)
    grade = Grade(handed_in.id, exercises, Verdict.RAN, "", page, now, 0.1, handed_in.version_id)
    jobs.succeed(lease, grade)
    return handed_in.id


def _mark(parts: Drafting, handed_in: Mapping[UUID, int]) -> frozenset[UUID]:
    """Mark as a person who nearly always sees what the model sees."""
    marked = set()
    for turn in range(CALIBRATED):
        submission = parts.calibration.next(GIL, "rl", "ps1", "why").answer.submission.id
        number = handed_in[submission]
        idea = "some" if turn % 7 == 6 else _level(number)
        levels = {"idea": idea, "words": "no" if idea == "none" else "yes"}
        parts.calibration.mark(GIL, "rl", "ps1", "why", submission, levels)
        marked.add(submission)
    return frozenset(marked)


# -- the model -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """What the model said that one request took; ``call`` is the id that came with it."""

    call: str
    read: int
    written: int
    cached: int


class Ledger:
    """What a model gave, by its own count; threads of the server write into it."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self._lock = threading.Lock()
        self._here = threading.local()

    def behave(self, received: Received) -> Behaviour:
        """Remember whose request this thread answers; say what the model writes."""
        self._here.call = received.headers[_HEADER]
        answer = received.prompt.answer
        if _HESITANT in answer and _AGAIN not in received.system:
            return Behaviour("ok", text="The answer looks fine to me.")
        level = next(name for name, words in _WORDS.items() if words in answer)
        chosen = {"idea": level, "words": "no" if level == "none" else "yes"}
        results = [
            {
                "criterion": criterion,
                "level": name,
                "reason": f"The answer was compared with what {criterion} asks for.",
                "evidence": quote(re.sub(r"\s+", " ", answer)),
            }
            for criterion, name in chosen.items()
        ]
        return Behaviour("ok", text=json.dumps({"results": results}))

    def add(self, reply: Reply) -> None:
        """Write down what this thread gives."""
        made = Given(self._here.call, reply.input, reply.output, reply.cached)
        with self._lock:
            self.given.append(made)


class _Counted:
    """A wire format whose answers are written down."""

    def __init__(self, wire: Wire, ledger: Ledger) -> None:
        self._wire = wire
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def reply(self, body: Mapping[str, Any], text: str, kind: str, call: str) -> Reply:
        made = self._wire.reply(body, text, kind, call)
        self._ledger.add(made)
        return made


@contextmanager
def serving(latency: float) -> Iterator[tuple[LlmServer, Ledger]]:
    """Serve the model, each answer after ``latency`` seconds."""
    ledger, plain = Ledger(), dict(WIRES)
    WIRES.update({path: _Counted(wire, ledger) for path, wire in plain.items()})
    try:
        with LlmServer(ledger.behave, latency=latency) as server:
            yield server, ledger
    finally:
        WIRES.update(plain)
