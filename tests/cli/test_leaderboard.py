"""``jupyter ppo leaderboard``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict

Cli = Any


def graded(cli: Cli, user: str, pseudonym: str, mean: float) -> None:
    """Let ``user`` join and have a graded submission with an examined policy."""
    with Context(cli.settings) as context:
        service, student = context.service, Caller(user)
        service.use_cases.roster.put_member(context.caller, "rl", user, Role.STUDENT)
        service.use_cases.leaderboards.join(student, "rl", pseudonym)
        data = (cli.home / "source.ipynb").read_bytes()
        made = service.assessment.submit(student, "rl", "ps1", data)
        lease = service.jobs.lease("worker", timedelta(minutes=1), made.id)
        assert lease is not None
        record = {"env_id": "A-v0", "mean": mean, "low": mean - 1, "high": mean + 1, "episodes": 2}
        exercise = ExerciseGrade("test_square", 2.0, 2.0, False, "", records=(record,))
        service.jobs.succeed(
            lease,
            Grade(made.id, (exercise,), Verdict.RAN, "", "c" * 64, made.submitted_at, 0.5),
        )


def test_the_table_has_a_part_for_each_environment_and_no_usernames(released: Cli) -> None:
    empty = released.ok("leaderboard", "rl")
    assert "nobody is on the leaderboard yet" in empty
    assert "PUT /courses/rl/leaderboard/me" in empty
    graded(released, "grace", "quick fox", 5.0)
    graded(released, "henry", "slow bear", 7.25)
    said = released.ok("leaderboard", "rl", "ps1", "--env", "A-v0").splitlines()
    assert said[0] == "ps1, A-v0"
    assert said[2].split() == ["1", "slow", "bear", "7.2", "6.2", "to", "8.2", "2"]
    assert said[3].split() == ["2", "quick", "fox", "5.0", "4.0", "to", "6.0", "2"]
    assert "nobody" in released.ok("leaderboard", "rl", "--env", "B-v0")


def test_a_course_that_is_not_there_is_named(released: Cli) -> None:
    status, _, err = released("leaderboard", "cv")
    assert status == 1
    assert "'cv'" in err
