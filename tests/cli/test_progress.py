"""``jupyter ppo progress``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.progress_events import EventKind, NewEvent
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.domain.sandbox import Verdict

Cli = Any


def worked(cli: Cli, user: str, minutes: int, points: float | None = None) -> None:
    """Let a new student work at ``ps1``, and hand it in if it gave points."""
    with Context(cli.settings) as context:
        service, student = context.service, Caller(user)
        change = PersonChange(first_name=user.title(), last_name="Lee")
        service.use_cases.roster.put_member(context.caller, "rl", user, Role.STUDENT, change)
        now = datetime.now(UTC)
        first = minute_of(now) - 100
        data = {"minutes": list(range(first, first + minutes))}
        event = NewEvent("a", EventKind.ACTIVE, "ps1", now, data)
        service.use_cases.progress.report(student, "rl", [event])
        if points is None:
            return
        source = (cli.home / "source.ipynb").read_bytes()
        made = service.assessment.submit(student, "rl", "ps1", source)
        lease = service.jobs.lease("worker", timedelta(minutes=1), made.id)
        assert lease is not None
        exercise = ExerciseGrade("test_square", points, 2.0, False, "")
        service.jobs.succeed(
            lease, Grade(made.id, (exercise,), Verdict.RAN, "", "c" * 64, made.submitted_at, 0.5)
        )


def test_one_student_is_shown_with_what_comes_next(released: Cli) -> None:
    worked(released, "grace", 75, points=1.0)
    said = released.ok("progress", "show", "rl", "--user", "grace", "--exercises").splitlines()
    assert said[0] == "grace: 1 of 2 points"
    assert said[1] == "time on task: 1h 15m"
    assert said[2] == "weeks with evidence: 1, 1 in a row now"
    assert said[4].startswith("next: ps1, square. ")
    assert said[5].split() == ["chapter", "state", "points", "time", "due"]
    assert said[6].split() == ["ps1", "partly", "1/2", "1h", "15m", "none"]
    assert said[7].split() == ["square", "partly", "1/2"]


def test_without_a_name_the_owner_is_shown(released: Cli) -> None:
    said = released.ok("progress", "show", "rl")
    assert said.startswith("ada: 0 of 2 points\n")
    assert "not started" in said


def test_the_class_is_a_table_that_can_be_searched_and_sorted(released: Cli) -> None:
    assert "no students yet" in released.ok("progress", "class", "rl")
    worked(released, "grace", 5, points=2.0)
    worked(released, "henry", 70)
    said = released.ok("progress", "class", "rl", "--sort", "points").splitlines()
    assert said[0].split()[:3] == ["student", "name", "points"]
    assert said[1].split()[:7] == ["henry", "Henry", "Lee", "0/2", "0/1", "1h", "10m"]
    assert said[2].split()[:6] == ["grace", "Grace", "Lee", "2/2", "1/1", "5m"]
    found = released.ok("progress", "class", "rl", "--search", "lee henry").splitlines()
    assert [line.split()[0] for line in found] == ["student", "henry"]


def test_everything_can_be_made_anew_from_the_log(released: Cli) -> None:
    worked(released, "grace", 5, points=2.0)
    before = released.ok("progress", "show", "rl", "--user", "grace")
    said = released.ok("progress", "recompute", "rl")
    assert said == "3 events of 1 students were read; the progress of 0 was another before\n"
    assert released.ok("progress", "show", "rl", "--user", "grace") == before


def test_a_person_who_is_not_in_the_course_is_named(released: Cli) -> None:
    status, _, err = released("progress", "show", "rl", "--user", "nobody")
    assert status == 1
    assert "'nobody'" in err
