"""Checks what the demo's class scored: honest work most, attacks nothing but their honest part."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.course_files import course_notebook
from jupyter_ppo.cli.demo_class import CLASS, HandIn, Kind
from jupyter_ppo.domain.errors import CheckFailedError
from jupyter_ppo.domain.submissions import SubmissionState

_SECONDS = 300
_KINDS = {person.user: person.kind for person in CLASS}


def check_class(context: Context, course: str, hand_ins: Sequence[HandIn]) -> None:
    """Wait until all of one chapter are graded, and print their points.

    Raises ``CheckFailedError`` when they are not in the order that their work deserves.
    """
    (chapter,) = {each.chapter for each in hand_ins}
    assessment, caller = context.service.assessment, context.caller
    ids = {
        each.user: each.id
        for each in assessment.every_latest(caller, course, chapter)
        if each.user in {hand_in.user for hand_in in hand_ins}
    }
    points = {user: _points(context, submission_id) for user, submission_id in ids.items()}
    for user, scored in points.items():
        print(f"{chapter}: {user:<10} {_KINDS[user]:<10} {scored:g} points")
    problems = wrong_order(points, {each.user: honest_part(each) for each in hand_ins})
    if problems:
        raise CheckFailedError(" ".join(problems))


def wrong_order(points: Mapping[str, float], honest_parts: Mapping[str, float]) -> list[str]:
    """Return what is wrong with the automatic points of the class, one sentence each.

    ``honest_parts`` are the points of the exercises that each answered as the author would.
    """
    problems: list[str] = []
    kinds = (Kind.HONEST, Kind.HALF_RIGHT, Kind.WRONG)
    for better, worse in itertools.pairwise(kinds):
        least = min((points[user] for user in points if _KINDS[user] is better), default=None)
        most = max((points[user] for user in points if _KINDS[user] is worse), default=None)
        if least is None or most is None or least <= most:
            problems.append(f"{better} work scored {least}, and {worse} work {most}.")
    for user, scored in points.items():
        if _KINDS[user] is Kind.HOSTILE and scored > honest_parts[user]:
            problems.append(f"{user} scored {scored:g} and deserves {honest_parts[user]:g}.")
    return problems


def honest_part(hand_in: HandIn) -> float:
    """Return the automatic points of the exercises that are answered as the author would."""
    chapter = read_chapter(course_notebook(hand_in.chapter).read_bytes())
    exercises = () if chapter is None else chapter.exercises
    return sum(each.points for each in exercises if each.grade_id not in hand_in.changes)


def _points(context: Context, submission_id: UUID) -> float:
    """Return the points that no person gave, once there are some."""
    assessment, caller = context.service.assessment, context.caller
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        submission = assessment.submission(caller, submission_id)
        if submission.state is SubmissionState.GRADED:
            grade = assessment.grade(caller, submission_id)
            return sum(row.points for row in grade.exercises if not row.needs_review)
        if submission.state is SubmissionState.FAILED:
            msg = f"Grading the notebook of {submission.user} failed: {submission.error}"
            raise CheckFailedError(msg)
        time.sleep(0.2)
    msg = f"The demo's class was not graded within {_SECONDS} seconds."
    raise CheckFailedError(msg)
