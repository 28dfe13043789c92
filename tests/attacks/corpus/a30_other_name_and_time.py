"""A submission in the name of somebody else, and dated back before the deadline."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right, wrong

from jupyter_ppo.domain.errors import ForbiddenError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

EARLY = "2001-01-01 00:00:00 UTC"


def on_nbgrader(course: Course) -> str:
    home = course.exchange / "rl" / "inbound" / f"victim+ps1+{EARLY}"
    home.mkdir(parents=True)
    (home / "p.ipynb").write_bytes(wrong().notebook)
    (home / "timestamp.txt").write_text(EARLY, encoding="utf-8")
    if os.geteuid() == 0:  # somebody's, but not the victim's
        os.chown(home, 10999, 10999)
    course("collect", "ps1")
    taken = course.text("submitted", "victim", "timestamp.txt")
    return "collected as the victim's, of the year 2001" if taken.startswith("2001") else ""


def here(place: Here) -> str:
    assignment, service = place.release(STANDARD), place.service.assessment
    eve = place.student("eve-a30")
    place.student("victim")
    early = datetime(2001, 1, 1, tzinfo=UTC)
    try:
        service.collect(eve, "rl", assignment, "victim", wrong().notebook, submitted_at=early)
    except ForbiddenError:
        pass
    else:
        return "a student may hand in for others"
    taken = service.submit(eve, "rl", assignment, right().notebook)
    if taken.user != "eve-a30" or datetime.now(UTC) - taken.submitted_at > timedelta(minutes=5):
        return f"handed in by {taken.user} at {taken.submitted_at}"
    return ""
