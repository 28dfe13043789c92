"""Somebody finds the feedback of others, or an old page stands for a new submission."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right, submission, wrong

from jupyter_ppo.domain.errors import NotFoundError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course


def on_nbgrader(course: Course) -> str:
    course("release_assignment", "ps1")
    course.send(submission({}))
    # The name of a page is the MD5 of this secret and the notebook's name.
    secrets = list((course.exchange / "rl" / "inbound").glob("*/submission_secret.txt"))
    if not secrets:
        return "not tried: submit did not work"
    readable = [path for path in secrets if path.stat().st_mode & stat.S_IROTH]
    return "the secret that names the page is readable to all" if readable else ""


def here(place: Here) -> str:
    assignment, service = place.release(STANDARD), place.service.assessment
    ann = place.student("ann-a38")
    first = place.submit("ann-a38", assignment, right().notebook)
    place.grade(first)
    second = place.submit("ann-a38", assignment, wrong().notebook)
    service.feedback(ann, first)
    try:
        service.feedback(ann, second)
    except NotFoundError:
        pass
    else:
        return "an old page stands for a new submission"
    try:
        service.feedback(place.student("eve"), first)
    except NotFoundError:
        return ""
    return "feedback of others is shown"
