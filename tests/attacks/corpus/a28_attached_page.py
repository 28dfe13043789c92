"""A page with a script is handed in beside the notebook and served by the grader's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack_corpus import right

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

PAGE = b"<script>window.attacked = 'attached page'</script>"
FILES = {"evil.html": PAGE, "evil.svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + PAGE}


def on_nbgrader(course: Course) -> str:
    course.submit("eve", right().notebook, FILES)
    course.autograde()
    # The formgrader's handler of files serves this folder from the server's own origin.
    kept = course.text("autograded", "eve", "evil.html")
    return "the page is kept, to be served" if kept else ""


def here(place: Here) -> str:
    place.collect({"eve": {"p.ipynb": right().notebook, **FILES}})
    return "the page is kept" if place.keeps(PAGE) else ""
