"""Names that lead out of the folder where submissions are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

NAMES = ("..", "../eve", "../../../etc/passwd", "a/b", "ps1/../../x", "\x00", "..+ps1")


def on_nbgrader(course: Course) -> str:
    before = set(course.folder.parent.iterdir())
    home = course.exchange / "rl" / "inbound" / "..+ps1+2026-01-01 00:00:00 UTC"
    home.mkdir(parents=True)
    (home / "p.ipynb").write_bytes(right().notebook)
    (home / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC", encoding="utf-8")
    course("collect", "ps1")
    outside = set(course.folder.parent.iterdir()) - before
    return "a file came outside" if outside or (course.folder / "ps1").exists() else ""


def here(place: Here) -> str:
    service, data = place.service.assessment, right().notebook
    assignment = place.release(STANDARD)
    before = set(place.folder.parent.iterdir())
    for name in NAMES:
        for take in (_as_assignment, _as_course, _as_release):
            try:
                take(place, name)
            except (InvalidInputError, NotFoundError):
                continue
            return f"the name {name!r} is taken"
    for name in NAMES[:-1]:
        try:
            service.collect(place.admin, "rl", assignment, name, data)
        except InvalidInputError:
            continue
        return f"the user {name!r} is taken"
    return "a file came outside" if set(place.folder.parent.iterdir()) - before else ""


def _as_assignment(place: Here, name: str) -> None:
    place.submit("eve", name, right().notebook)


def _as_course(place: Here, name: str) -> None:
    assignment = place.release(STANDARD)
    place.service.assessment.submit(place.student("eve"), name, assignment, right().notebook)


def _as_release(place: Here, name: str) -> None:
    place.service.assessment.release(place.admin, "rl", name, STANDARD)
