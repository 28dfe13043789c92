"""Somebody reads what others handed in."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right, submission

from jupyter_ppo.domain.errors import NotFoundError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course


def on_nbgrader(course: Course) -> str:
    course("release_assignment", "ps1")
    course.send(submission({}))
    others = stat.S_IROTH | stat.S_IXOTH
    open_to_all = [
        path.name
        for path in (course.exchange / "rl" / "inbound").glob("*")
        if path.stat().st_mode & others == others
    ]
    if not os.listdir(course.exchange / "rl" / "inbound"):
        return "not tried: submit did not work"
    return "everybody who knows the folder's name may read it" if open_to_all else ""


def here(place: Here) -> str:
    assignment, service = place.release(STANDARD), place.service.assessment
    taken = place.submit("ann", assignment, right().notebook)
    eve = place.student("eve")
    for read in (service.submission, service.submitted_notebook, service.grade, service.feedback):
        try:
            read(eve, taken)
        except NotFoundError:
            continue
        return f"{read.__name__} answers somebody else"
    seen = service.submissions(eve, "rl", user="ann", offset=0, limit=9)
    return "submissions of others are listed" if seen.total else ""
